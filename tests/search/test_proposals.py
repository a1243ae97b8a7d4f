"""Proposals: each sampler, told in windows with a fixed lag, replayed from any point."""

import itertools
import logging
import math
import warnings
from dataclasses import replace

import optuna
import pytest
from scipy.stats import qmc

from hpsearch.errors import InputError, StorageError
from hpsearch.search.fact import single_precision
from hpsearch.search.proposals import Proposals, startup_trials
from hpsearch.search.samplers import METHODS
from hpsearch.spec import samplers
from tests.support.searches import SPACE, formula, search
from tests.support.studies import spec_of

SAMPLERS = [
    "{name: tpe, n_startup_trials: 4}",
    "{name: tpe, n_startup_trials: 4, constant_liar: false}",
    "{name: tpe, n_startup_trials: 4, multivariate: false}",
    "random",
    "qmc",
    "{name: qmc, qmc_type: halton, scramble: false}",
    "{name: grid, points: 3}",
    "{name: cmaes, n_startup_trials: 3, popsize: 4}",
    "{name: cmaes, n_startup_trials: 3, popsize: 4, with_margin: true}",
    "{name: nsga2, population_size: 4}",
]
TWO = (
    "[{metric: validation_loss, direction: minimize, value: best}, "
    "{metric: weights, direction: minimize, value: last}]"
)
TRIALS = 20


def table(facts):
    return [(fact.number, dict(fact.params), fact.distributions) for fact in facts]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_interrupted_anywhere_goes_on_as_if_it_had_not_been(sampler):
    """From any number of stored trials, the replay gives the table of the uninterrupted run."""
    whole = search(SPACE, TRIALS, sampler=sampler)
    for cut in range(TRIALS + 1):
        assert table(search(SPACE, TRIALS, known=whole[:cut], sampler=sampler)) == table(whole), (
            f"cut at {cut}"
        )


@pytest.mark.parametrize("sampler", [SAMPLERS[0], "{name: nsga2, population_size: 4}", "random", "qmc"])
def test_several_objectives_are_replayed_as_well(sampler):
    whole = search(SPACE, TRIALS, sampler=sampler, objectives=TWO)
    for cut in range(0, TRIALS, 3):
        again = search(SPACE, TRIALS, known=whole[:cut], sampler=sampler, objectives=TWO)
        assert table(again) == table(whole)


@pytest.mark.parametrize("sampler", [SAMPLERS[0], "cmaes", "{name: nsga2, population_size: 4}"])
def test_a_search_cut_in_the_middle_of_a_window_and_again_later_is_the_same(sampler):
    """Two interruptions one after the other."""
    whole = search(SPACE, TRIALS, sampler=sampler)
    partly = search(SPACE, TRIALS, known=whole[:7], sampler=sampler)
    assert table(search(SPACE, TRIALS, known=partly[:13], sampler=sampler)) == table(whole)


@pytest.mark.parametrize("sampler", [sampler for sampler in SAMPLERS if "scramble: false" not in sampler])
def test_another_seed_gives_another_table(sampler):
    """But for an unscrambled sequence, which has no seed."""
    first, second = (search(SPACE, 8, sampler=sampler, seed=seed) for seed in (1, 2))
    assert table(first) != table(second)


@pytest.mark.parametrize("sampler", SAMPLERS[:1] + SAMPLERS[7:])
def test_what_is_told_changes_what_is_proposed(sampler):
    """A sampler that learns proposes otherwise where outcomes are otherwise, once it has been told."""

    def mirrored(proposal, *, objectives):
        fact = formula(proposal, objectives=objectives)
        return replace(fact, values=fact.values and (-fact.values[0],))

    whole, other = search(SPACE, 30, sampler=sampler), search(SPACE, 30, outcome=mirrored, sampler=sampler)
    startup = 4
    assert table(other)[:startup] == table(whole)[:startup]
    assert table(other) != table(whole)


def test_tpe_finds_what_random_search_does_not():
    """The best half of TPE's trials lies nearer to the optimum than random search's."""
    means = {}
    for sampler in ("tpe", "random"):
        facts = search(
            SPACE,
            80,
            sampler=sampler,
            objective="{metric: validation_loss, direction: minimize, value: last}",
        )
        errors = sorted(abs(math.log10(fact.params["learning_rate"]) + 2) for fact in facts[40:])
        means[sampler] = sum(errors[:20])
    assert means["tpe"] < 0.5 * means["random"]


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_tpe_keeps_away_from_where_trials_diverge(direction):
    """All of the upper half diverges; few later trials go there."""
    objective = f"{{metric: validation_loss, direction: {direction}, value: best}}"
    proposals = Proposals(spec_of(SPACE, sampler="tpe", objective=objective))
    high = 0
    for number in range(60):
        (proposal,) = proposals.propose([number])
        bad = proposal.params["learning_rate"] > 10**-2.5
        high += bad and number >= 30
        fact = replace(
            formula(proposal), state="diverged" if bad else "complete", values=None if bad else (1.0,)
        )
        proposals.tell(fact)
    assert high <= 6, "half of the range would be 15 of 30"


def told(state, values, curve, **changes):
    proposals = Proposals(spec_of(SPACE, sampler="random", **changes))
    (proposal,) = proposals.propose([0])
    proposals.tell(replace(formula(proposal), state=state, values=values, curves={"validation_loss": curve}))
    return proposals._study.trials[0]


@pytest.mark.parametrize(
    ("state", "values", "curve", "expected"),
    [
        ("complete", (0.25,), (0.5, 0.25), (optuna.trial.TrialState.COMPLETE, 0.25, {})),
        ("stopped_early", (0.25,), (0.5, 0.25), (optuna.trial.TrialState.COMPLETE, 0.25, {})),
        ("pruned", None, (0.5, 0.75), (optuna.trial.TrialState.PRUNED, None, {2: 0.75})),
        ("pruned", None, (0.5, math.nan), (optuna.trial.TrialState.PRUNED, None, {})),
        ("diverged", None, (0.5, math.inf), (optuna.trial.TrialState.PRUNED, None, {})),
        ("diverged", None, (0.5, 0.5), (optuna.trial.TrialState.PRUNED, None, {})),
        ("failed", None, (), (optuna.trial.TrialState.PRUNED, None, {})),
        ("complete", (math.nan,), (0.5,), (optuna.trial.TrialState.PRUNED, None, {})),
        ("complete", (math.inf,), (0.5,), (optuna.trial.TrialState.PRUNED, None, {})),
    ],
)
def test_each_outcome_reaches_the_sampler_in_its_place_and_nan_never(state, values, curve, expected):
    trial = told(state, values, curve)
    assert (trial.state, trial.value, trial.intermediate_values) == expected


def test_a_pruned_trial_of_several_objectives_has_no_single_value():
    assert told("pruned", None, (0.5, 0.75), objectives=TWO).intermediate_values == {}


def test_the_sampler_is_told_the_same_from_a_fresh_and_from_a_stored_fact():
    """Storing rounds curves to single precision; what the sampler sees must not depend on it."""
    curve = (1 / 3, 2 / 3)
    fresh, stored = told("pruned", None, curve), told("pruned", None, single_precision(curve))
    assert fresh.intermediate_values == stored.intermediate_values


@pytest.mark.parametrize("kind", ["sobol", "halton"])
def test_trial_n_of_qmc_is_point_n_of_the_sequence(kind):
    spec = spec_of(SPACE, sampler=f"{{name: qmc, qmc_type: {kind}, scramble: false}}")
    proposals = Proposals(spec).propose(range(8))
    names = sorted(Proposals(spec)._space.distributions)
    engine = {"sobol": qmc.Sobol, "halton": qmc.Halton}[kind](len(names), scramble=False)
    points = engine.random(8)[:, names.index("dropout")]
    assert [p.params["dropout"] for p in proposals] == pytest.approx(list(points * 0.5))


def test_a_scrambled_sequence_starts_elsewhere_than_in_the_corner():
    """Unscrambled, the first trial would have the minimum of everything."""
    (first,) = Proposals(spec_of(SPACE, sampler="qmc")).propose([0])
    assert first.params["dropout"] > 0
    assert first.params["learning_rate"] > 1e-4


@pytest.mark.parametrize("sampler", [sampler for sampler in SAMPLERS if "cmaes" not in sampler])
def test_a_space_with_nothing_to_sample_is_served(sampler):
    """But for cmaes, which the reader refuses there. No combination is tried twice, so there is one trial."""
    text = "study: s\ndata: {source: sklearn/iris}\nspace: {epochs: 3}\n"
    proposals = Proposals(spec_of(text, sampler=sampler))
    assert [p.params for p in proposals.propose(range(4))] == [{"epochs": 3}]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_single_continuous_parameter_is_served(sampler):
    text = "study: s\ndata: {source: sklearn/iris}\nspace: {dropout: {min: 0.0, max: 0.5}, epochs: 3}\n"
    assert len(search(text, 3 if "grid" in sampler else 12, sampler=sampler)) >= 3


def test_a_stored_trial_from_another_space_is_refused():
    """What Optuna calls a distribution must be what the study file says."""
    whole = search(SPACE, 6)
    other = replace(
        whole[2], distributions={**whole[2].distributions, "dropout": whole[2].distributions["learning_rate"]}
    )
    with pytest.raises(StorageError, match=r"trial 2 .*--fresh"):
        search(SPACE, 6, known=[*whole[:2], other])


@pytest.mark.parametrize("sampler", ["cmaes", "{name: nsga2, population_size: 4}"])
def test_a_sampler_with_a_memory_refuses_trials_that_it_would_not_propose(sampler):
    whole = search(SPACE, 6, sampler=sampler)
    other = replace(whole[2], params={**whole[2].params, "dropout": 0.123})
    with pytest.raises(StorageError, match=r"trial 2 .*install the versions"):
        search(SPACE, 6, known=[*whole[:2], other], sampler=sampler)


def test_trials_are_proposed_in_order_and_once():
    proposals = Proposals(spec_of(SPACE))
    proposals.propose([0, 1])
    for wrong in ([0], [3], [2, 4]):
        with pytest.raises(ValueError, match="trial 2 is the next"):
            proposals.propose(wrong)


@pytest.mark.parametrize(
    ("sampler", "first"),
    [
        ("tpe", 10),
        ("{name: tpe, n_startup_trials: 4}", 4),
        ("random", 10),
        ("{name: grid, points: 3}", 10),
        ("qmc", 10),
        ("cmaes", 1),
        ("{name: nsga2, population_size: 12}", 12),
    ],
)
def test_the_first_window_follows_from_the_sampler(sampler, first):
    assert startup_trials(spec_of(SPACE, sampler=sampler)) == first
    assert startup_trials(spec_of(SPACE, sampler=sampler, budget__trials=3)) == first


def test_startup_trials_depend_on_nothing_that_is_told():
    """In one window or one by one, with outcomes or without: the same."""
    together = [p.params for p in Proposals(spec_of(SPACE)).propose(range(10))]
    assert [dict(fact.params) for fact in search(SPACE, 10, window=1, depth=1)] == together


def test_options_that_exclude_each_other_are_the_users_to_solve():
    with pytest.raises(
        InputError, match=r"sampler: cmaes takes one of with_margin, lr_adapt, got 2; leave out the others"
    ):
        Proposals(spec_of(SPACE, sampler="{name: cmaes, with_margin: true, lr_adapt: true}"))


def test_every_sampler_of_the_study_file_has_a_recipe():
    assert METHODS.keys() == samplers.METHODS.keys()


@pytest.mark.parametrize(
    ("name", "option"),
    [
        (name, option)
        for name, method in samplers.METHODS.items()
        for option in method.options
        if name != "gp"
    ],
)
def test_every_option_of_the_study_file_is_one_of_its_sampler(name, option):
    """What the reader lets through must not surprise Optuna."""
    rule = samplers.METHODS[name].options[option].rule
    value = {"boolean": "true", "choice": (rule.choices or ("",))[0], "integer": "4", "number": "0.5"}[
        rule.kind
    ]
    text = f"{{name: {name}, {option}: {value}}}"
    assert len(Proposals(spec_of(SPACE, sampler=text)).propose(range(3))) == 3


def test_the_programs_own_optuna_settings_are_left_alone(caplog):
    """No message and no warning while we call it; its level and filters are as before afterwards."""
    level, filters = logging.getLogger("optuna").level, list(warnings.filters)
    with caplog.at_level(logging.INFO):
        search(SPACE, 8, sampler="{name: cmaes, with_margin: true}")
    assert caplog.records == []
    assert logging.getLogger("optuna").level == level
    assert list(warnings.filters) == filters


def test_conditional_groups_are_sampled_jointly_only_where_they_apply():
    """Every trial of adam has both betas, and no other trial has one."""
    for fact in search(SPACE, 40):
        assert ("beta1" in fact.params) == ("beta2" in fact.params) == (fact.params["optimizer"] == "adam")
        assert list(fact.params) == [name for name in spec_of(SPACE).space if name in fact.params]


def test_neighbouring_trials_draw_from_independent_streams():
    points = [p.params["dropout"] for p in Proposals(spec_of(SPACE, sampler="random")).propose(range(64))]
    assert len(set(points)) == 64
    assert all(abs(a - b) > 1e-9 for a, b in itertools.pairwise(points))
    assert 0.15 < sum(points) / 64 < 0.35
