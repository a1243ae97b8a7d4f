"""The samplers that a study may name, each with the options it takes: Optuna's names and meanings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hpsearch.spec.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of a sampler: what it may be, what it is otherwise (in words) and what it does."""

    rule: Rule
    default: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A sampler. `several`: whether it serves more than one objective; `needs`: the module it takes."""

    description: str
    options: Mapping[str, Option] = field(default_factory=dict)
    several: bool = True
    needs: str = ""


_BOOLEAN: Final = Rule(kind="boolean")
_COUNT: Final = Rule(kind="integer", minimum=1, maximum=1_000_000)
_PROBABILITY: Final = Rule(kind="number", minimum=0, maximum=1)


def _startup(default: int) -> Option:
    return Option(
        rule=_COUNT, default=str(default), description="the trials sampled at random before the method begins"
    )


METHODS: Final[Mapping[str, Method]] = {
    "tpe": Method(
        description="tree-structured Parzen estimators: models where good and where other trials lie",
        options={
            "n_startup_trials": _startup(10),
            "n_ei_candidates": Option(
                rule=_COUNT, default="24", description="the candidates of which the most promising is taken"
            ),
            "multivariate": Option(
                rule=_BOOLEAN,
                default="true with one objective",
                description="whether parameters are modelled together",
            ),
            "constant_liar": Option(
                rule=_BOOLEAN,
                default="true",
                description="whether trials in flight count as bad, which spreads proposals",
            ),
        },
    ),
    "random": Method(description="every value independently at random"),
    "grid": Method(
        description="every combination once, in shuffled order; the study ends when there are no more",
        options={
            "points": Option(
                rule=Rule(kind="integer", minimum=2, maximum=1000),
                default="5 for integers, else none",
                description="how many evenly spaced values stand for a range without a step",
            ),
        },
    ),
    "qmc": Method(
        description="quasi-random points, which cover the space more evenly than random ones",
        options={
            "qmc_type": Option(
                rule=Rule(kind="choice", choices=("sobol", "halton")),
                default="sobol",
                description="the sequence of points",
            ),
            "scramble": Option(
                rule=_BOOLEAN, default="false", description="whether the sequence is scrambled by the seed"
            ),
        },
    ),
    "cmaes": Method(
        description="covariance matrix adaptation, for spaces of numbers; choices are sampled at random",
        several=False,
        options={
            "n_startup_trials": _startup(1),
            "popsize": Option(
                rule=Rule(kind="integer", minimum=2, maximum=1_000_000),
                default="by the number of parameters",
                description="the size of a generation",
            ),
            "consider_pruned_trials": Option(
                rule=_BOOLEAN, default="false", description="whether it learns from pruned trials"
            ),
            "use_separable_cma": Option(
                rule=_BOOLEAN, default="false", description="whether parameters are taken as independent"
            ),
            "with_margin": Option(
                rule=_BOOLEAN, default="false", description="whether steps of integers are kept alive"
            ),
            "lr_adapt": Option(
                rule=_BOOLEAN, default="false", description="whether its learning rate adapts to noise"
            ),
        },
    ),
    "nsga2": Method(
        description="a genetic algorithm, made for several objectives",
        options={
            "population_size": Option(
                rule=Rule(kind="integer", minimum=2, maximum=1_000_000),
                default="50",
                description="the size of a generation",
            ),
            "mutation_prob": Option(
                rule=Rule(kind="number", minimum=0, maximum=1, nullable=True),
                default="null",
                description="the probability that a value mutates; null: one in the number of parameters",
            ),
            "crossover_prob": Option(
                rule=_PROBABILITY, default="0.9", description="the probability of having two parents"
            ),
            "swapping_prob": Option(
                rule=_PROBABILITY, default="0.5", description="the probability that parents swap a value"
            ),
        },
    ),
    "gp": Method(
        description="Gaussian processes: few trials, much computation; needs PyTorch (`pip install torch`)",
        needs="torch",
        options={
            "n_startup_trials": _startup(10),
            "deterministic_objective": Option(
                rule=_BOOLEAN, default="false", description="whether the objective is free of noise"
            ),
        },
    ),
}
