"""The course that a study may take: its first trials as they will be, the others as they may come."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Final

import numpy as np

from hpsearch.architecture import inputs_of_data
from hpsearch.data import PreparedData
from hpsearch.engine.effort import Effort, effort
from hpsearch.execution import CohortTask, TrialTask, form_cohorts, windows
from hpsearch.randomness import Address
from hpsearch.search.proposals import Proposal, Proposals, startup_trials
from hpsearch.spec import StudySpec

_DRAWN: Final = 200
_WITHOUT_KNOWLEDGE: Final = ("random", "grid", "qmc")


@dataclass(frozen=True)
class Course:
    """Trials that a study may have, in the cohorts in which they would be trained.

    The first `known` proposals are those of the study; the sampler proposes the others by what it has learned by then,
    so here they are drawn at random. At most 200 are drawn: `trials` says how many the study will have.
    """

    spec: StudySpec
    data: PreparedData
    trials: int
    known: int
    proposals: Sequence[Proposal]
    cohorts: Sequence[CohortTask]

    @cached_property
    def epochs(self) -> dict[int, int]:
        """How many epochs each trial has at most."""
        return {trial.number: trial.hyperparameters.epochs for each in self.cohorts for trial in each.trials}

    @property
    def members(self) -> int:
        """How many networks a trial trains."""
        return self.data.training.members

    @property
    def rows(self) -> int:
        """Rows that a network sees in an epoch."""
        part = self.data.training.train
        return len(part if part.epoch is None else part.epoch)

    def effort(self, cohort: CohortTask) -> Effort:
        """Of one network of a cohort."""
        h = cohort.trials[0].hyperparameters
        return effort(h, inputs_of_data(self.data), self.data.task.outputs(h.loss))


def course_of(spec: StudySpec, data: PreparedData, *, workers: int) -> Course:
    """The course of a study with so many workers."""
    count = min(spec.budget.trials, _DRAWN)
    known, proposals = _proposals(spec, count)
    exhausted = len(proposals) < count
    return Course(
        spec=spec,
        data=data,
        trials=len(proposals) if exhausted else spec.budget.trials,
        known=known,
        proposals=proposals,
        cohorts=_cohorts(spec, data, proposals, workers),
    )


def _proposals(spec: StudySpec, count: int) -> tuple[int, list[Proposal]]:
    """How many of them the study itself would make, and all."""
    if spec.sampler.name in _WITHOUT_KNOWLEDGE:
        proposals = Proposals(spec).propose(range(count))
        return len(proposals), proposals
    known = Proposals(spec).propose(range(min(count, startup_trials(spec))))
    random = spec.sampler.model_copy(update={"name": "random", "options": {}})
    drawn = Proposals(spec.model_copy(update={"sampler": random})).propose(range(count))
    return len(known), [*known, *drawn[len(known) :]]


def _cohorts(
    spec: StudySpec, data: PreparedData, proposals: Sequence[Proposal], workers: int
) -> list[CohortTask]:
    loss = data.task.default_loss()
    tasks = [_task(spec, proposal, loss) for proposal in proposals]
    ahead = windows(startup=startup_trials(spec), in_flight=spec.budget.in_flight)
    return [
        cohort
        for window in takewhile(lambda window: window.start < len(tasks), ahead)
        for cohort in form_cohorts(
            tasks[window.start : window.stop],
            objectives=spec.objectives,
            early_stopping=spec.early_stopping,
            inputs=inputs_of_data(data),
            outputs=data.task.outputs(loss),
            members=data.training.members,
            workers=workers,
        )
    ]


def _task(spec: StudySpec, proposal: Proposal, loss: str) -> TrialTask:
    h = spec.resolve(proposal.params, default_loss=loss)
    address = Address(seed=spec.seed, trial=proposal.number)
    return TrialTask(
        number=proposal.number, hyperparameters=h, address=address, thresholds=np.full(h.epochs, np.nan)
    )
