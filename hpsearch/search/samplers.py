"""The samplers of the study file: Optuna's, made to depend on the trial's number, not on a process.

A sampler is built anew for every trial, seeded by the trial's address, so a proposal follows from the study's
seed, the trial's number, what was told before and who is in flight. What Optuna's samplers would infer from
past trials, the search space, is known here from the study file. What each keeps elsewhere:

- tpe, random, gp: nothing (gp caches kernel parameters in itself, which a fresh one lacks).
- qmc: a counter in the study; here the trial's number is the index of the point, and every parameter has its
  own coordinate, used or not, so that conditions do no harm.
- grid: see `hpsearch.search.grid`; Optuna's is not used.
- cmaes, nsga2: the optimizer's state and the generation, in attributes of trials and study: `remembers` is
  True, and on replay they sample again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIISampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)

from hpsearch.randomness import Address
from hpsearch.search.memory import Memory, ShownStudy
from hpsearch.search.space import Space
from hpsearch.spec import StudySpec

_STARTUP: Final = 10
_POPULATION: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that a sampler is built from."""

    space: Space
    options: Mapping[str, Any]
    seed: int
    number: int
    objectives: int
    memory: Memory | None
    attempt: int = 0

    @property
    def trial_seed(self) -> int:
        """The seed of one trial's proposal, another for each attempt at it."""
        return Address(seed=self.seed, trial=self.number, fold=self.attempt).integer("sampler")

    @property
    def study_seed(self) -> int:
        """The seed of what belongs to the whole study."""
        return Address(seed=self.seed).integer("sampler")


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One row of the table: how a sampler is made (None: without Optuna).

    `startup` reads the number of trials that need no knowledge off the options. `remembers`: whether it keeps
    more in the study than parameters and values, so that a replay must sample again.
    """

    build: Callable[[Recipe], BaseSampler] | None
    startup: Callable[[Mapping[str, Any]], int]
    remembers: bool = False


class _Joint(BaseSampler):
    """A sampler that knows its joint search space from the study file rather than from past trials."""

    joint: dict[str, BaseDistribution]

    def infer_relative_search_space(
        self,
        study: optuna.Study,  # noqa: ARG002 - Optuna's signature
        trial: optuna.trial.FrozenTrial,  # noqa: ARG002 - Optuna's signature
    ) -> dict[str, BaseDistribution]:
        """The parameters that are sampled together."""
        return self.joint


class _Nsga2(_Joint, NSGAIISampler):
    pass


class _CmaEs(_Joint, CmaEsSampler):
    pass


class _Gp(_Joint, GPSampler):
    pass


class _Qmc(_Joint, QMCSampler):
    """Optuna's, with the point's index given by the trial's number instead of by a counter."""

    index: int

    def _find_sample_id(
        self,
        study: optuna.Study,  # noqa: ARG002 - Optuna's signature
        search_space: dict[str, BaseDistribution],  # noqa: ARG002 - Optuna's signature
    ) -> int:
        return self.index


class _Tpe(_Joint, TPESampler):
    """Optuna's multivariate TPE, first over the unconditional parameters, then over what they call for.

    With its `group` option Optuna samples every group for every trial, whether its condition holds or not,
    and counts the values that nobody uses as in flight. Here a group is sampled jointly where its condition
    holds on what was sampled before it, and nowhere else; so a trial in flight is known by its parameters
    alone.
    """

    space: Space
    memory: Memory | None

    def sample_relative(
        self,
        study: optuna.Study,
        trial: optuna.trial.FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """Sample group after group; nothing during the startup, which is random and define-by-run."""
        if not search_space:
            return {}
        sampled: dict[str, Any] = {}
        for group, holds in self.space.groups():
            if holds(sampled):
                values = super().sample_relative(self._seen(study), trial, group)
                if not values:
                    return {}
                sampled |= values
        return sampled

    def sample_independent(
        self,
        study: optuna.Study,
        trial: optuna.trial.FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """One parameter by itself, from the same trials."""
        return super().sample_independent(self._seen(study), trial, param_name, param_distribution)

    def _seen(self, study: optuna.Study) -> Any:
        """The study with what is remembered of it."""
        return study if self.memory is None else ShownStudy(study, self.memory)


def _tpe(recipe: Recipe) -> BaseSampler:
    options = {"multivariate": recipe.objectives == 1, **recipe.options}
    sampler = _Tpe(seed=recipe.trial_seed, **options)
    sampler.space = recipe.space
    sampler.memory = recipe.memory
    sampler.joint = dict(recipe.space.distributions) if options["multivariate"] else {}
    return sampler


def _random(recipe: Recipe) -> BaseSampler:
    return RandomSampler(seed=recipe.trial_seed)


def _qmc(recipe: Recipe) -> BaseSampler:
    # Unscrambled, a Sobol' sequence begins in the corner of all minima and is the same for all seeds.
    sampler = _Qmc(
        seed=recipe.study_seed, warn_independent_sampling=False, **{"scramble": True, **recipe.options}
    )
    sampler.index = recipe.number
    sampler.joint = dict(sorted(recipe.space.distributions.items()))
    return sampler


def _cmaes(recipe: Recipe) -> BaseSampler:
    sampler = _CmaEs(seed=recipe.trial_seed, warn_independent_sampling=False, **recipe.options)
    sampler.joint = {
        name: distribution
        for name, distribution in recipe.space.unconditional.items()
        if not isinstance(distribution, CategoricalDistribution)
    }
    return sampler


def _nsga2(recipe: Recipe) -> BaseSampler:
    sampler = _Nsga2(seed=recipe.trial_seed, **recipe.options)
    sampler.joint = recipe.space.unconditional
    return sampler


def _gp(recipe: Recipe) -> BaseSampler:
    sampler = _Gp(seed=recipe.trial_seed, warn_independent_sampling=False, **recipe.options)
    sampler.joint = recipe.space.unconditional
    return sampler


def _from(option: str, default: int) -> Callable[[Mapping[str, Any]], int]:
    return lambda options: max(1, int(options.get(option, default)))


_LEARNS_NOTHING: Final = _from("", _STARTUP)

METHODS: Final[Mapping[str, Method]] = {
    "tpe": Method(build=_tpe, startup=_from("n_startup_trials", _STARTUP)),
    "random": Method(build=_random, startup=_LEARNS_NOTHING),
    "grid": Method(build=None, startup=_LEARNS_NOTHING),
    "qmc": Method(build=_qmc, startup=_LEARNS_NOTHING),
    "cmaes": Method(build=_cmaes, startup=_from("n_startup_trials", 1), remembers=True),
    "nsga2": Method(build=_nsga2, startup=_from("population_size", _POPULATION), remembers=True),
    "gp": Method(build=_gp, startup=_from("n_startup_trials", _STARTUP)),
}


def startup_trials(spec: StudySpec) -> int:
    """How many trials need no knowledge: the size of a study's first window, at least 1.

    It follows from the sampler alone, never from the budget, so that a raised budget continues the same
    table. The samplers that never learn (random, grid, qmc) have the 10 of tpe, so that pruning soon has
    something to go by.
    """
    return METHODS[spec.sampler.name].startup(spec.sampler.options)
