"""Where processor time goes, by looking at the stack after every millisecond of it.

Looking disturbs less than a tracing profiler would: no call costs more than it does otherwise.
"""

import os
import resource
import signal
from collections import Counter
from types import FrameType

from benchmarks.measure import ROOT

_INTERVAL = 1e-3
_PHASES = {
    ("execution/training.py", "_CohortRun._evaluate"): "evaluation of each epoch",
    ("execution/training.py", "_CohortRun._outcome"): "final scores of a trial",
    ("execution/training.py", "_CohortRun.__init__"): "making a cohort",
    ("engine/cohort.py", "Cohort.leave"): "members that leave, best weights kept",
    ("engine/cohort.py", "Cohort.remember"): "members that leave, best weights kept",
    ("winner.py", "refit_and_score"): "refit, test, baselines",
    ("search/proposals.py", "Proposals.propose"): "proposals (TPE)",
    ("search/proposals.py", "Proposals.tell"): "proposals (TPE)",
    ("search/facts.py", "FactStore.append"): "appending facts",
    ("driver.py", "Driver._retire"): "judging and naming a trial",
    ("execution/pipeline.py", "Pipeline.retire"): "other training",
    ("data/preparation.py", "prepare"): "data",
}
_STEP = {
    ("engine/batches.py", None): "step: order and batches",
    ("engine/dropout.py", None): "step: dropout masks",
    ("engine/layers/dense.py", "Dense.forward"): "step: products forward",
    ("engine/layers/dense.py", "Dense.backward"): "step: products backward",
    ("engine/layers/nonlinear.py", None): "step: activations, dropout",
    ("engine/losses.py", None): "step: gradient of the loss",
    ("engine/penalties.py", None): "step: penalties",
    ("engine/optimizers.py", None): "step: optimizer",
    ("engine/movement.py", None): "step: conducting it",
    ("engine/training.py", None): "step: conducting it",
    ("engine/cohort.py", "Cohort.train_epoch"): "epoch: statistics, schedules",
}
_SOURCE = str(ROOT / "hpsearch") + os.sep


class Sampler:
    """Counts milliseconds of this process's time, between `start` and `stop`, by what it was doing."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._begun = 0.0

    def start(self) -> None:
        self._begun = _processor_time()
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)

    def stop(self) -> dict[str, float]:
        """Seconds by label; where C code ran long, samples merged, so they are shares of the time that passed."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        scale = (_processor_time() - self._begun) / self._counts.total()
        return {label: count * scale for label, count in self._counts.most_common()}

    def _look(self, _number: int, frame: FrameType | None) -> None:
        self._counts[_label(frame)] += 1


def _label(frame: FrameType | None) -> str:
    """The innermost part of the step, or else the innermost phase."""
    phase, part = "", ""
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith("<frozen importlib"):
            return "imports"
        if code.co_filename.startswith(_SOURCE):
            file = code.co_filename.removeprefix(_SOURCE)
            phase = phase or _PHASES.get((file, code.co_qualname), "")
            part = part or _STEP.get((file, code.co_qualname), "") or _STEP.get((file, None), "")
        frame = frame.f_back
    return part if part and phase in ("", "other training") else phase or "everything else"


def _processor_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
