"""The winner by `select`, and how the finished trials stand to one another."""

import json

import numpy as np
import pytest

from hpsearch.selection import choose, standard_error, standing
from tests.support.facts import fact
from tests.support.studies import spec_of

TEXT = """
study: chosen
data: {{source: sklearn/iris}}
space: {{learning_rate: {{min: 1e-4, max: 0.1, log: true}}}}
select: {select}
"""
BEST, ONE_ERROR = (spec_of(TEXT.format(select=select)) for select in ("best", "one_standard_error"))


def trial(number, loss, weights, n=200):
    """A finished trial whose rows' losses have a standard deviation of about one."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal(n) + 0.001 * np.random.default_rng(number).standard_normal(n)
    rows += loss - rows.mean()
    params = {"learning_rate": 0.01 * (number + 1)}
    return fact(
        number,
        values=(loss,),
        scores={"weights": float(weights), "best_validation_loss": loss},
        sample_losses=tuple(rows),
        params=params,
    )


def test_the_smallest_trial_within_a_standard_error_is_chosen_where_it_is_asked_for():
    facts = [trial(0, 0.50, 900), trial(1, 0.53, 100), trial(2, 0.56, 300), trial(3, 0.90, 10)]
    assert standard_error(facts[0], "validation_loss") == pytest.approx(1 / np.sqrt(200), rel=0.1)
    assert choose(facts, BEST).number == 0
    assert choose(facts, ONE_ERROR).number == 1


def test_without_an_error_the_best_is_chosen():
    facts = [
        fact(0, values=(0.5,), scores={"weights": 9.0}),
        fact(1, values=(0.51,), scores={"weights": 1.0}),
    ]
    assert choose(facts, ONE_ERROR).number == 0


def test_over_networks_the_error_is_their_spread_over_the_root_of_their_number():
    several = fact(0, scores={"spread_validation_loss": 0.3}, members=({"validation_loss": 1.0},) * 9)
    assert standard_error(several, "validation_loss") == pytest.approx(0.1)


def test_trials_that_differ_by_a_hair_row_by_row_are_told_apart_and_alike_ones_are_not():
    alike = standing([trial(0, 0.5, 900), trial(1, 0.5, 100), trial(2, 0.9, 300)], BEST)
    assert (alike.same, alike.smallest) == (2, 1)
    assert alike.sentence() == (
        "The first 2 of 3 finished trials are indistinguishable; the smallest of them is trial-0001."
    )
    apart = standing([trial(0, 0.5, 900), trial(1, 0.51, 100)], BEST)
    assert apart.same == 1


def test_a_standing_is_json_and_the_same_for_the_same_facts():
    facts = [trial(number, 0.5 + 0.01 * number, 10) for number in range(8)]
    assert json.dumps(standing(facts, BEST).to_json()) == json.dumps(standing(facts, BEST).to_json())


def test_nothing_finished_is_no_standing():
    assert standing([fact(0, state="pruned")], BEST).finished == 0


def test_what_selects_may_be_changed_between_runs():
    assert BEST.changes(ONE_ERROR.canonical()) == []
