"""What a study will cost: measured on its own first trials, then carried on to its budget.

The first trials of a study are proposed without knowledge, so they are the same now and in the run. As many as fit in a
few seconds are trained as the run will train them, in the same cohorts, with early stopping and pruning; where not one
comes to its end in that time, epochs of the first cohort are timed instead.
"""

import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from threadpoolctl import threadpool_limits

from hpsearch.architecture import inputs_of_data
from hpsearch.data import PreparedData
from hpsearch.driver import Driver
from hpsearch.engine import Cohort, Member
from hpsearch.engine.table import Row, table
from hpsearch.randomness import Address
from hpsearch.search.fact import TrialFact
from hpsearch.search.facts import FactStore
from hpsearch.search.proposals import Proposal, Proposals, startup_trials
from hpsearch.spec import StudySpec

_MEASURED: Final = 32
"""Trials that are trained at most."""

_ALONE: Final = 1.0
"""Seconds that MLflow's writer and the refit take beside the trials, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A trial that the study will begin with: its parameters, its network, and how many numbers that learns."""

    number: int
    params: dict[str, Any]
    layers: str
    weights: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What the whole study will take.

    `seconds` is for the search and the refit, with `workers`; `bound` says that it is an upper bound, without early
    stopping and pruning. `memory` is in bytes, of all processes. `measured` trials were trained for it.
    """

    trials: int
    workers: int
    measured: int
    seconds_a_trial: float
    seconds: float
    bound: bool
    memory: int

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return asdict(self)


def first_proposals(spec: StudySpec, data: PreparedData, count: int) -> list[Planned]:
    """The first trials of a study, as far as they need no knowledge of others."""
    startup = min(count, spec.budget.trials, max(1, startup_trials(spec)))
    return [_planned(spec, data, proposal) for proposal in Proposals(spec).propose(range(startup))]


def _planned(spec: StudySpec, data: PreparedData, proposal: Proposal) -> Planned:
    h = spec.resolve(proposal.params, default_loss=data.task.default_loss())
    rows = table(h, inputs_of_data(data), data.task.outputs(h.loss))
    return Planned(
        number=proposal.number,
        params=dict(proposal.params),
        layers=_words(rows),
        weights=sum(row.parameters for row in rows),
    )


def _words(rows: Sequence[Row]) -> str:
    """The sizes of what learns, from the inputs on: `64-64-10`."""
    return "-".join("x".join(map(str, row.shape)) for row in rows if row.parameters)


def calibrate(spec: StudySpec, data: PreparedData, *, workers: int, seconds: float) -> Estimate:
    """Train the study's first trials for so many seconds at most, in memory, and carry on from there."""
    count = min(_MEASURED, spec.budget.trials)
    budget = spec.budget.model_copy(update={"trials": count, "time": seconds})
    alone = spec.model_copy(update={"budget": budget, "cluster": type(spec.cluster)()})
    facts: list[TrialFact] = []
    moments: list[float] = [time.perf_counter()]

    def retired(fact: TrialFact) -> None:
        facts.append(fact)
        moments.append(time.perf_counter())

    with TemporaryDirectory() as directory:
        store = FactStore.create(
            Path(directory) / "facts.journal",
            study=spec.study,
            directions=[objective.direction for objective in spec.objectives],
        )
        with store:
            Driver(alone, data, store, retired=retired).run(1)
    bound = not facts
    each = _epoch(spec, data, seconds) if bound else (moments[-1] - moments[0]) / len(facts)
    total = each * spec.budget.trials / min(workers, spec.budget.trials) + _ALONE
    if spec.budget.time is not None:
        total = min(total, spec.budget.time + _ALONE)
    return Estimate(
        trials=spec.budget.trials,
        workers=workers,
        measured=len(facts),
        seconds_a_trial=each,
        seconds=total,
        bound=bound,
        memory=_memory(workers),
    )


def _epoch(spec: StudySpec, data: PreparedData, seconds: float) -> float:
    """Seconds of the first trial if it trains all its epochs: those that fit in the time, carried on."""
    (proposal,) = Proposals(spec).propose([0])
    h = spec.resolve(proposal.params, default_loss=data.task.default_loss())
    training = data.training
    cohort = Cohort(
        [Member(replace(h, epochs=max(h.epochs, 1)), Address(seed=spec.seed, trial=0))],
        training.train,
        outputs=data.task.outputs(h.loss),
        tokens=training.tokens,
        start=training.start,
    )
    start, epochs = time.perf_counter(), 0
    with threadpool_limits(limits=1, user_api="blas"):
        while not epochs or (epochs < h.epochs and time.perf_counter() - start < seconds):
            cohort.train_epoch()
            epochs += 1
    return (time.perf_counter() - start) / epochs * h.epochs * training.members


def _memory(workers: int) -> int:
    """The most that this process has used, once for the driver and once for each worker that is a process.

    Data is mapped into workers, not copied; counting it for each is on the safe side.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return peak * (1 + (workers if workers > 1 else 0))
