"""The samplers that a study may name, each with the options it takes: Optuna's names and meanings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hpsearch.spec.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of a sampler: what it may be and what it does."""

    rule: Rule
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
        rule=_COUNT, description=f"the trials sampled at random before the method begins; {default}"
    )


METHODS: Final[Mapping[str, Method]] = {
    "tpe": Method(
        description="tree-structured Parzen estimators: models where good and where other trials lie",
        options={
            "n_startup_trials": _startup(10),
            "n_ei_candidates": Option(
                rule=_COUNT, description="the candidates of which the most promising is taken; 24"
            ),
            "multivariate": Option(
                rule=_BOOLEAN, description="whether parameters are modelled together; true with one objective"
            ),
            "constant_liar": Option(
                rule=_BOOLEAN,
                description="whether trials in flight count as bad, which spreads proposals; true",
            ),
        },
    ),
    "random": Method(description="every value independently at random"),
    "grid": Method(
        description="every combination once, in shuffled order; the study ends when there are no more",
        options={
            "points": Option(
                rule=Rule(kind="integer", minimum=2, maximum=1000),
                description="how many evenly spaced values stand for a range without a step; 5 for integers, "
                "no default for others",
            ),
        },
    ),
    "qmc": Method(
        description="quasi-random points, which cover the space more evenly than random ones",
        options={
            "qmc_type": Option(
                rule=Rule(kind="choice", choices=("sobol", "halton")),
                description="the sequence of points; sobol",
            ),
            "scramble": Option(
                rule=_BOOLEAN, description="whether the sequence is scrambled by the seed; false"
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
                description="the size of a generation; it follows from the number of parameters",
            ),
            "consider_pruned_trials": Option(
                rule=_BOOLEAN, description="whether it learns from pruned trials; false"
            ),
            "use_separable_cma": Option(
                rule=_BOOLEAN, description="whether parameters are taken as independent; false"
            ),
            "with_margin": Option(
                rule=_BOOLEAN, description="whether steps of integers are kept alive; false"
            ),
            "lr_adapt": Option(rule=_BOOLEAN, description="whether its learning rate adapts to noise; false"),
        },
    ),
    "nsga2": Method(
        description="a genetic algorithm, made for several objectives",
        options={
            "population_size": Option(
                rule=Rule(kind="integer", minimum=2, maximum=1_000_000),
                description="the size of a generation; 50",
            ),
            "mutation_prob": Option(
                rule=Rule(kind="number", minimum=0, maximum=1, nullable=True),
                description="the probability that a value mutates; null: one in the number of parameters",
            ),
            "crossover_prob": Option(
                rule=_PROBABILITY, description="the probability of having two parents; 0.9"
            ),
            "swapping_prob": Option(
                rule=_PROBABILITY, description="the probability that parents swap a value; 0.5"
            ),
        },
    ),
    "gp": Method(
        description="Gaussian processes: few trials, much computation; needs PyTorch (`pip install torch`)",
        needs="torch",
        options={
            "n_startup_trials": _startup(10),
            "deterministic_objective": Option(
                rule=_BOOLEAN, description="whether the objective is free of noise; false"
            ),
        },
    ),
}
