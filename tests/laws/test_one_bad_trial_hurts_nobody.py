"""Law 5. A network that overflows spoils itself: the others go on bit by bit, and nothing warns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.engine import LOSSES, RULES, Cohort, Member, evaluate
from hpsearch.randomness import Address
from tests.support.recipes import columns, part_for, recipe

BAD = {
    "a rate beyond all numbers": {"learning_rate": 1e38, "optimizer": "sgd", "dropout": 0.0},
    "an exploding momentum": {
        "learning_rate": 1e20,
        "optimizer": "momentum",
        "max_norm": None,
        "clip_norm": None,
    },
    "initial weights that overflow": {"initializer": "normal", "initial_scale": 1e38, "l2": 1e10},
    "a penalty that overflows": {"l2": 1e38, "learning_rate": 1e5, "optimizer": "sgd", "max_norm": None},
}


def train(members, part, outputs):
    cohort = Cohort(members, part, outputs=outputs)
    norms = np.array([cohort.train_epoch().gradient_norm for _ in range(3)])
    losses = evaluate(members[0].hyperparameters.loss, cohort.predict(part.x), part.y)
    return {
        position: [
            *(a for layer in cohort.weights(position).layers for a in layer),
            norms[:, row],
            losses[row],
        ]
        for row, position in enumerate(cohort.rows)
    }


@given(
    st.sampled_from(sorted(BAD)),
    st.sampled_from(sorted(LOSSES)),
    st.lists(columns(), min_size=1, max_size=3),
    st.integers(0, 3),
)
@settings(deadline=None, max_examples=50)
def test_the_others_are_bit_identical_to_a_run_without_it(bad, loss, others, place):
    part, outputs = part_for(loss)
    shape = {"loss": loss, "activation": "relu", "hidden": (9, 6)}
    good = [Member(recipe(**{**shape, **c}), Address(seed=2, trial=t)) for t, c in enumerate(others)]
    spoiled = Member(recipe(**{**shape, **BAD[bad]}), Address(seed=2, trial=99))
    place = min(place, len(good))
    mixed = train([*good[:place], spoiled, *good[place:]], part, outputs)
    clean = train(good, part, outputs)
    for position, expected in clean.items():
        found = mixed[position if position < place else position + 1]
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("bad", sorted(BAD))
def test_the_bad_one_does_go_bad_and_its_loss_says_so(bad):
    part, outputs = part_for("mse")
    changes = {"loss": "mse", "activation": "relu", "hidden": (9, 6), **BAD[bad]}
    (seen,) = train([Member(recipe(**changes), Address(seed=2, trial=99))], part, outputs).values()
    assert not np.isfinite(seen[-1])


@pytest.mark.parametrize("rule", sorted(RULES))
def test_no_rule_brings_a_lost_network_back(rule):
    """What is once NaN stays NaN, so that a divergence cannot hide."""
    part, outputs = part_for("cross_entropy")
    spoiled = recipe(optimizer=rule, initializer="normal", initial_scale=1e38, clip_norm=1.0, max_norm=1.0)
    cohort = Cohort([Member(spoiled, Address(seed=2, trial=0))], part, outputs=outputs)
    cohort._parameters[0, 0] = np.nan
    cohort.train_epoch()
    assert np.isnan(evaluate("cross_entropy", cohort.predict(part.x), part.y)[0])
