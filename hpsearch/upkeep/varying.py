"""A trial looked into by experiment: its recipe trained again with one thing changed at a time, and judged by that."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from hpsearch.architecture import inputs_of_data
from hpsearch.beginning import fingerprint, with_start
from hpsearch.data import PreparedData
from hpsearch.engine import Inputs, ShapeError, plan_of
from hpsearch.errors import StudyChangedError, TrainingError
from hpsearch.execution.cohorts import TrialTask, form_cohorts
from hpsearch.execution.executors import Workers, check_cluster, open_executor
from hpsearch.execution.outcome import Outcome
from hpsearch.extensions import Code, Extensions
from hpsearch.fit import prepare_study
from hpsearch.judgment.experience import Experience
from hpsearch.judgment.finding import Finding
from hpsearch.judgment.guess import ConstantGuess
from hpsearch.judgment.metrics import largest_class
from hpsearch.judgment.own_metrics import OwnMetric, own_metrics
from hpsearch.judgment.variation import Variation
from hpsearch.randomness import Address
from hpsearch.search.fact import TrialFact, single_precision
from hpsearch.search.reader import Reader
from hpsearch.search.retirement import STATES, judge, value_of
from hpsearch.spec import EarlyStopping, Objective, StudySpec
from hpsearch.spec.hyperparameters import Hyperparameters
from hpsearch.store import Store
from hpsearch.upkeep.recipes import Recipe, first_recipes, further_recipes
from hpsearch.upkeep.reseeding import reseeded

_HIGH = 0.4
"""The training loss, against a constant guess's, from which on wider layers are tried."""


def examine(
    chosen: Sequence[TrialFact],
    stored: Reader,
    spec: StudySpec,
    store: Store,
    *,
    workers: int = 1,
    code: Code | None = None,
    notice: Callable[[str], None] = lambda _: None,
    begin: Callable[[TrialFact], None] = lambda _: None,
) -> Iterator[TrialFact]:
    """Each of the chosen trials with its variations, and with the findings and the verdict that they give.

    All of it is trained as the trials were, on the same training and validation rows and to the end, without pruning;
    the test part stays sealed. What is found depends on the trial, and on what the study's others have come to by now.
    `begin` is told of each before it is trained.

    Raises:
        StudyChangedError: the data, or the weights that networks begin from, are no longer those of the trials.
        InputError: code that the study names is not there, or not allowed.
        TrainingError: the only trial cannot be trained again; of several, such a one is left out, and `notice` told.
    """
    check_cluster(spec)
    own = (code or Code()).of_study(spec)
    own.check_travel(spec, workers)
    data = with_start(spec, prepare_study(spec, store.cache), store)
    _check_unchanged(data, stored)
    with open_executor(
        data.training,
        seed=spec.seed,
        workers=workers,
        cluster=spec.cluster,
        own=list(own.named().values()),
        notice=notice,
    ) as pool:
        examiner = _Examiner(spec, data, own, stored.facts(), pool)
        for fact in chosen:
            begin(fact)
            try:
                found = examiner.examined(fact)
            except TrainingError as error:
                if len(chosen) == 1:
                    raise
                notice(f"{error}; it is left as it was")
            else:
                yield found


def _check_unchanged(data: PreparedData, stored: Reader) -> None:
    now = {"fingerprint": data.fingerprint, "start": fingerprint(data.training.start)}
    for name, what in (("fingerprint", "data"), ("start", "weights that networks begin from")):
        if stored.attributes.get(name) != now[name]:
            raise StudyChangedError(
                f"the {what} are no longer those of the stored trials (fingerprint {stored.attributes.get(name)} -> "
                f"{now[name]}): trained again, a trial would come out otherwise; bring them back, or run the study anew"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a study trains its trials, so that their variations are trained likewise: to the end, without pruning."""

    objectives: tuple[Objective, ...]
    early_stopping: EarlyStopping
    inputs: Inputs
    outputs: int
    members: int = 1
    own: Extensions = field(default_factory=Extensions)
    metrics: tuple[OwnMetric, ...] = ()

    def outcomes(self, recipes: Sequence[Recipe], address: Address, pool: Workers) -> list[Outcome]:
        """What recipes of the trial at an address come to, in their order."""
        tasks = [
            TrialTask(
                number=place,
                hyperparameters=recipe.hyperparameters,
                address=reseeded(address, recipe.seed) if recipe.seed else address,
                thresholds=np.full(recipe.hyperparameters.epochs, np.nan),
            )
            for place, recipe in enumerate(recipes)
        ]
        cohorts = form_cohorts(
            tasks,
            objectives=self.objectives,
            early_stopping=self.early_stopping,
            inputs=self.inputs,
            outputs=self.outputs,
            members=self.members,
            workers=pool.count,
            trainer=self.own.trainer,
            metrics=self.metrics,
        )
        waiting = [pool.submit(cohort) for cohort in cohorts]
        outcomes = [outcome for future in waiting for outcome in pool.wait(future)]
        return sorted(outcomes, key=lambda outcome: outcome.number)

    def buildable(self, recipes: Iterable[Recipe]) -> list[Recipe]:
        """Those whose networks can be built: other widths need not suit layers that reshape, or groups of channels."""
        return [recipe for recipe in recipes if self._is_buildable(recipe.hyperparameters)]

    def _is_buildable(self, h: Hyperparameters) -> bool:
        try:
            plan_of(h, self.inputs, self.outputs, np.dtype(np.float32))
        except ShapeError:
            return False
        return True

    def variation(self, recipe: Recipe, outcome: Outcome) -> Variation:
        """A recipe with what it came to."""
        state = STATES[outcome.verdict]
        lost = state in ("diverged", "failed")
        value = float("nan") if lost else value_of(self.objectives[0], outcome)
        losses = ("train_loss", "validation_loss")
        return Variation(
            name=recipe.name,
            words=recipe.words,
            changes=recipe.changes,
            state=state,
            curves={part: single_precision(outcome.curves.get(part, ())) for part in losses},
            value=value if np.isfinite(value) else None,
        )


def varied(
    h: Hyperparameters,
    address: Address,
    judged: Callable[[Outcome], Sequence[Finding]],
    course: Course,
    pool: Workers,
    *,
    baseline: float,
) -> tuple[Outcome, tuple[Variation, ...]]:
    """A trial trained again, as it was and with one thing changed at a time.

    What its own curves show, as `judged` reads them, decides what is tried besides. `baseline` is a constant guess's
    loss.
    """
    first = list(first_recipes(h))
    outcomes = course.outcomes(first, address, pool)
    itself = course.variation(first[0], outcomes[0])
    if not (itself.curves["train_loss"] and itself.curves["validation_loss"]):
        said = outcomes[0].error or "it has no train_loss and validation_loss"
        raise TrainingError(f"trial-{address.trial:04d} cannot be judged: {said}")
    further = course.buildable(
        further_recipes(
            h,
            high=not itself.end < _HIGH * baseline,
            overfits=any(finding.name == "overfitting" for finding in judged(outcomes[0])),
        )
    )
    outcomes += course.outcomes(further, address, pool)
    return outcomes[0], tuple(map(course.variation, (*first, *further), outcomes))


class _Examiner:
    """Judges a study's trials by their variations."""

    def __init__(
        self,
        spec: StudySpec,
        data: PreparedData,
        own: Extensions,
        facts: Sequence[TrialFact],
        pool: Workers,
    ) -> None:
        self._spec, self._data, self._pool = spec, data, pool
        self._course = Course(
            objectives=spec.objectives,
            early_stopping=spec.early_stopping,
            inputs=inputs_of_data(data),
            outputs=data.task.outputs(data.task.default_loss()),
            members=data.training.members,
            own=own,
            metrics=own_metrics(spec, own.metrics),
        )
        self._class_share = largest_class(data.training)
        self._guess = ConstantGuess(data.training)
        self._reached = [(fact, self._guess.ratio(fact.curves, self._recipe(fact))) for fact in facts]

    def examined(self, fact: TrialFact) -> TrialFact:
        """The fact with its variations and what they say.

        Raises:
            TrainingError: the trial cannot be trained again, or tells no losses.
        """
        h = self._recipe(fact)
        judged = partial(
            judge,
            h=h,
            recipe=fact.hyperparameters,
            spec=self._spec,
            baseline_loss=self._guess.loss(h),
            class_share=self._class_share,
            rows=len(self._data.training.train),
            experience=self._others(fact),
        )
        itself, variations = varied(
            h,
            Address(seed=self._spec.seed, trial=fact.number),
            lambda outcome: judged(outcome)[0],
            self._course,
            self._pool,
            baseline=self._guess.loss(h),
        )
        findings, verdict = judged(itself, variations=variations)
        return replace(fact, findings=findings, verdict=verdict, variations=variations)

    def _others(self, fact: TrialFact) -> Experience:
        """What the study's other trials came to."""
        experience = Experience()
        for other, reached in self._reached:
            if other.number != fact.number:
                experience.add(other.hyperparameters, reached)
        return experience

    def _recipe(self, fact: TrialFact) -> Hyperparameters:
        return self._spec.resolve(fact.params, default_loss=self._data.task.default_loss())
