"""Which parameters to try next: a study in memory, asked and told in a fixed order, and replayed exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

import optuna
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from hpsearch.errors import InputError, Problem, StorageError
from hpsearch.search.fact import ParameterValue, TrialFact, single_precision
from hpsearch.search.grid import Grid
from hpsearch.search.memory import DraftedStudy, Memory, Rank
from hpsearch.search.quiet import quiet
from hpsearch.search.samplers import METHODS, Recipe, startup_trials
from hpsearch.search.space import Space, suggest
from hpsearch.search.untried import Untried
from hpsearch.spec import StudySpec

__all__ = ["Proposal", "Proposals", "startup_trials"]

_ATTEMPTS: Final = 8
_NOTHING: Final[Mapping[int, TrialFact]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What one trial is to try: all values of the space, and Optuna's JSON of what they were drawn from."""

    number: int
    params: Mapping[str, ParameterValue]
    distributions: Mapping[str, str] = field(default_factory=dict)


class Proposals:
    """The proposals of one study, in trial order.

    The driver proposes windows of trials and tells their facts, in a fixed order of calls. The same calls
    give the same proposals, in one process or in several: on resume the driver makes the same calls again and
    hands over the facts that it has. The sampler of trial n is seeded by n (`hpsearch.search.samplers`).

    Raises:
        InputError: the study's sampler cannot do what the study file asks of it.
    """

    def __init__(self, spec: StudySpec) -> None:
        self._spec: Final = spec
        self._method: Final = METHODS[spec.sampler.name]
        self._space: Final = Space(spec.space)
        self._storage: Final = InMemoryStorage()
        self._grid: Final = self._make_grid()
        self._untried: Final = Untried.of(self._space, seed=spec.seed) if self._grid is None else None
        # with several objectives no trial is simply better than another
        self._memory: Final = Memory() if len(spec.objectives) == 1 else None
        with quiet():
            self._study: Final = optuna.create_study(
                storage=self._storage,
                sampler=self._sampler(0),
                directions=[objective.direction for objective in spec.objectives],
            )
        self._next = 0

    def propose(self, numbers: Sequence[int], known: Mapping[int, TrialFact] = _NOTHING) -> list[Proposal]:
        """The proposals for the next trials, in flight from now on; fewer when the space is exhausted.

        In a finite space no combination is proposed twice, but by samplers that need their own points (cmaes and
        nsga2): where a sampler proposes one again it is asked again, and then given one that is untried.

        A trial in `known` has been trained before: its proposal is the recorded one.

        Raises:
            ValueError: `numbers` does not go on from the trials proposed so far.
            StorageError: a recorded trial is not what this study would have proposed.
        """
        if list(numbers) != list(range(self._next, self._next + len(numbers))):
            raise ValueError(f"trial {self._next} is the next to propose, got {list(numbers)}")
        proposals = []
        with quiet():
            for number in numbers:
                proposal = self._propose(number, known.get(number))
                if proposal is None:
                    break
                proposals.append(proposal)
                self._next += 1
        return proposals

    def tell(self, fact: TrialFact) -> None:
        """Let the sampler learn a trial's outcome.

        A finished trial is COMPLETE with its values. A pruned one is PRUNED at its last epoch with the
        monitored curve's last value: TPE ranks pruned trials behind complete ones, by the epoch reached and
        then by that value. A diverged or failed trial, and any whose numbers are not finite, is PRUNED
        without a value, which TPE ranks behind all others: it learns to keep away, where a FAIL would be
        ignored and proposed again. The other samplers learn from complete trials only.
        """
        if fact.finished and fact.values is not None and all(map(isfinite, fact.values)):
            self._storage.set_trial_state_values(fact.number, TrialState.COMPLETE, list(fact.values))
            self._remember(fact.number, (0.0, self._sign * fact.values[0]))
            return
        rank: Rank = (2.0,)
        curve = fact.curves.get(self._spec.objectives[0].metric, ())
        last = single_precision(curve[-1:])
        if fact.state == "pruned" and len(self._spec.objectives) == 1 and last and isfinite(last[0]):
            self._storage.set_trial_intermediate_value(fact.number, len(curve), last[0])
            rank = (1.0, -float(len(curve)), self._sign * last[0])
        # Past Study.tell, which calls the sampler's after_trial (nothing, in ours) and copies the trial.
        self._storage.set_trial_state_values(fact.number, TrialState.PRUNED)
        self._remember(fact.number, rank)

    def _remember(self, number: int, rank: Rank) -> None:
        if self._memory is not None:
            self._memory.add(number, rank)

    @property
    def _sign(self) -> float:
        return self._spec.objectives[0].sign

    def _propose(self, number: int, fact: TrialFact | None) -> Proposal | None:
        if fact is not None and not self._method.remembers:
            return self._adopt(number, fact.params, fact.distributions)
        if self._grid is not None:
            try:
                return self._adopt(number, self._grid[number])
            except IndexError:
                return None
        if fact is None and self._untried is not None:
            other = self._untried.first()
            if other is None:
                return None
            if not self._method.remembers:
                return self._adopt(number, self._sample_untried(number) or other)
        proposal = self._sample(number)
        if fact is not None and dict(fact.params) != proposal.params:
            raise self._mismatch(number)
        return proposal

    def _sample(self, number: int) -> Proposal:
        self._study.sampler = self._sampler(number)
        trial = self._study.ask()
        return self._proposal(number, suggest(trial, self._space))

    def _sample_untried(self, number: int) -> dict[str, ParameterValue] | None:
        """What the sampler proposes that nobody has tried; None when it has nothing new in a few attempts."""
        for attempt in range(_ATTEMPTS):
            params = self._draft(number, self._sampler(number, attempt=attempt))
            if self._untried is None or params in self._untried:
                return params
        return None

    def _draft(self, number: int, sampler: BaseSampler) -> dict[str, ParameterValue]:
        """What a sampler proposes, without a trial in the study: one that was asked for cannot be taken back."""
        trial = optuna.create_trial(state=TrialState.RUNNING)
        trial.number = number
        study: Any = DraftedStudy(self._study)
        joint = sampler.infer_relative_search_space(study, trial)
        sampled = sampler.sample_relative(study, trial, joint)

        def choose(name: str, distribution: BaseDistribution) -> ParameterValue:
            value: ParameterValue = (
                sampled[name]
                if name in sampled
                else sampler.sample_independent(study, trial, name, distribution)
            )
            return value

        return self._space.values(choose)

    def _adopt(
        self,
        number: int,
        params: Mapping[str, ParameterValue],
        recorded: Mapping[str, str] | None = None,
    ) -> Proposal:
        """Put a trial with known parameters in flight, in the state in which sampling would have left it."""
        proposal = self._proposal(number, params)
        distributions = {name: self._space.distributions[name] for name in proposal.distributions}
        if recorded is not None and not _same(recorded, proposal.distributions, distributions):
            raise self._mismatch(number)
        self._study.add_trial(
            optuna.create_trial(
                state=TrialState.RUNNING,
                params={name: params[name] for name in distributions},
                distributions=distributions,
            )
        )
        return proposal

    def _proposal(self, number: int, params: Mapping[str, ParameterValue]) -> Proposal:
        if self._untried is not None:
            self._untried.discard(params)
        drawn = {name: json for name, json in self._space.json.items() if name in params}
        return Proposal(number=number, params=dict(params), distributions=drawn)

    def _make_grid(self) -> Grid | None:
        if self._method.build is not None:
            return None
        return Grid(
            self._space, points=int(self._spec.sampler.options.get("points", 5)), seed=self._spec.seed
        )

    def _sampler(self, number: int, *, attempt: int = 0) -> BaseSampler:
        """The sampler of one trial; a grid needs none, so any will do."""
        build = self._method.build
        if build is None:
            return RandomSampler()
        recipe = Recipe(
            space=self._space,
            options=self._spec.sampler.options,
            seed=self._spec.seed,
            number=number,
            attempt=attempt,
            objectives=len(self._spec.objectives),
            memory=self._memory,
        )
        try:
            return build(recipe)
        except ValueError as error:  # options that exclude each other
            raise InputError(
                Problem(place="study file", key="sampler", rule=str(error), remedy="leave one of them out")
            ) from error

    def _mismatch(self, number: int) -> StorageError:
        return StorageError(
            f"trial {number} of the stored trials is not what this study proposes now: the sampler's "
            "libraries (optuna, cmaes, numpy) have changed since, or this is another kind of processor; "
            "install the versions that the study was begun with, or begin a new generation with --fresh"
        )


def _same(
    recorded: Mapping[str, str], json: Mapping[str, str], distributions: Mapping[str, BaseDistribution]
) -> bool:
    """Whether distributions are the recorded ones, whichever way a version of Optuna spells them."""
    return recorded.keys() == json.keys() and all(
        recorded[name] == json[name] or json_to_distribution(recorded[name]) == distributions[name]
        for name in recorded
    )
