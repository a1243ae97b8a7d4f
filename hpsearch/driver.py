"""The driver: proposes windows, has them trained, retires them in order. One process decides; workers only train."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from hpsearch.architecture import inputs_of_data
from hpsearch.beginning import beginning
from hpsearch.data import PreparedData
from hpsearch.execution import (
    CohortTask,
    Outcome,
    Pipeline,
    TrialTask,
    depth,
    form_cohorts,
    open_executor,
    windows,
)
from hpsearch.execution.executors import Workers
from hpsearch.execution.hindsight import Hindsight
from hpsearch.execution.outcome import StoppedError
from hpsearch.extensions import Extensions
from hpsearch.judgment.experience import Experience
from hpsearch.judgment.guess import ConstantGuess
from hpsearch.judgment.metrics import largest_class
from hpsearch.judgment.own_metrics import own_metrics
from hpsearch.randomness import Address
from hpsearch.search.fact import TrialFact, single_precision
from hpsearch.search.facts import FactStore
from hpsearch.search.proposals import Proposal, Proposals, startup_trials
from hpsearch.search.retirement import retire
from hpsearch.spec import StudySpec
from hpsearch.spec.hyperparameters import Hyperparameters

Ending = Literal["trials", "time", "failures", "exhausted"]
"""What ended a search: its budget of trials or of time, failures one after another, or the end of its space."""


class Driver:
    """Runs a study's trials, from wherever its facts left off to its budget.

    Stored trials are replayed: the sampler and the pruning rule are told of them at the very points at which the first
    run told them, so that what follows is what would have followed.
    """

    def __init__(
        self,
        spec: StudySpec,
        data: PreparedData,
        store: FactStore,
        *,
        retired: Callable[[TrialFact], None],
        own: Extensions | None = None,
        issued: Callable[[Proposal], None] = lambda _: None,
    ) -> None:
        self._spec, self._data, self._store, self._retired = spec, data, store, retired
        self._issued, own = issued, own or Extensions()
        self._own = list(own.named().values())
        self._trainer, self._metrics = own.trainer, own_metrics(spec, own.metrics)
        self._known = {fact.number: fact for fact in store.facts()}
        self._proposals = Proposals(spec)
        self._hindsight = Hindsight(spec.pruning, spec.objectives[0], rounded=single_precision)
        self._proposed: dict[int, tuple[Proposal, Hyperparameters]] = {}
        self._default_loss = data.task.default_loss()
        self._guess = ConstantGuess(data.training)
        self._class_share = largest_class(data.training)
        self._experience = Experience()
        self._failing = 0
        self.facts: list[TrialFact] = []

    def run(self, workers: int, *, notice: Callable[[str], None] = lambda _: None) -> Ending:
        """Train until the budget is reached, or what else ends the search before.

        `notice` is told of what happens to the workers, in a sentence; it may be called from other threads.

        Raises:
            KeyboardInterrupt: the user stopped the run; everything retired before is stored.
        """
        limit = self._spec.budget.time
        deadline = None if limit is None else time.monotonic() + limit
        with open_executor(
            self._data.training,
            seed=self._spec.seed,
            workers=workers,
            cluster=self._spec.cluster,
            own=self._own,
            deadline=deadline,
            notice=notice,
        ) as pool:
            try:
                return self._run_windows(pool, deadline)
            except StoppedError:
                return "time"

    def _run_windows(self, pool: Workers, deadline: float | None) -> Ending:
        budget = self._spec.budget
        pipeline = Pipeline(
            pool, depth=depth(budget.in_flight), ready=self._with_thresholds, deadline=deadline
        )
        upcoming = windows(startup=startup_trials(self._spec), in_flight=budget.in_flight)
        exhausted = False
        # stored trials count although the budget was lowered since: the winner is the best of all there are
        trials = max(budget.trials, len(self._known))
        while True:
            while not exhausted and not pipeline.full:
                numbers = [number for number in next(upcoming) if number < trials]
                proposals = self._proposals.propose(numbers, self._known)
                exhausted = not numbers or len(proposals) < len(numbers)
                if proposals:
                    self._issue(pipeline, proposals, pool)
            if pipeline.empty:
                return "trials" if len(self.facts) >= trials else "exhausted"
            for number, outcome in pipeline.retire():
                self._retire(number, outcome)
                if self._gives_up():
                    return "failures"

    def _gives_up(self) -> bool:
        """Whether too many trials failed one after another. Those that are stored already are replayed to their end."""
        limit = self._spec.budget.failures
        return limit is not None and self._failing >= limit and len(self.facts) >= len(self._known)

    def _issue(self, pipeline: Pipeline, proposals: Sequence[Proposal], pool: Workers) -> None:
        tasks = []
        for proposal in proposals:
            hyperparameters = self._spec.resolve(proposal.params, default_loss=self._default_loss)
            self._proposed[proposal.number] = (proposal, hyperparameters)
            self._issued(proposal)
            if proposal.number not in self._known:
                tasks.append(self._task(proposal.number, hyperparameters))
        cohorts = form_cohorts(
            tasks,
            objectives=self._spec.objectives,
            early_stopping=self._spec.early_stopping,
            inputs=inputs_of_data(self._data),
            outputs=self._data.task.outputs(self._default_loss),
            members=self._data.training.members,
            workers=pool.count,
            trainer=self._trainer,
            metrics=self._metrics,
        )
        pipeline.issue([proposal.number for proposal in proposals], cohorts)

    def _task(self, number: int, hyperparameters: Hyperparameters) -> TrialTask:
        return TrialTask(
            number=number,
            hyperparameters=hyperparameters,
            address=Address(seed=self._spec.seed, trial=number),
            thresholds=np.full(hyperparameters.epochs, np.nan),
        )

    def _with_thresholds(self, cohort: CohortTask, trained: Mapping[int, Outcome]) -> CohortTask:
        return replace(
            cohort, trials=tuple(self._hindsight.foresee(trial, trained) for trial in cohort.trials)
        )

    def _retire(self, number: int, outcome: Outcome | None) -> None:
        proposal, hyperparameters = self._proposed.pop(number)
        if outcome is None:
            fact = self._known[number]
        else:
            fact = self._store.append(
                retire(
                    proposal,
                    hyperparameters,
                    self._hindsight.judge(outcome, epochs=hyperparameters.epochs),
                    spec=self._spec,
                    baseline_loss=self._guess.loss(hyperparameters),
                    class_share=self._class_share,
                    rows=len(self._data.training.train),
                    experience=self._experience,
                    begun=beginning(self._spec, self._data, hyperparameters),
                )
            )
        self._remember(fact, hyperparameters)
        self._failing = self._failing + 1 if fact.state in ("failed", "diverged") else 0
        self.facts.append(fact)
        self._retired(fact)

    def _remember(self, fact: TrialFact, hyperparameters: Hyperparameters) -> None:
        """Tell the sampler, the pruning rule, and whoever gives advice to later trials."""
        self._experience.add(fact.hyperparameters, self._guess.ratio(fact.curves, hyperparameters))
        self._proposals.tell(fact)
        self._hindsight.remember(fact.curves, number=fact.number, finished=fact.finished)
