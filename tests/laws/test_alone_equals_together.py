"""Law 1. A network trained in a cohort is bit-identical to the same one alone, whoever leaves when."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.engine import ACTIVATIONS, LOSSES, Cohort, Member, evaluate
from hpsearch.randomness import Address
from tests.support.recipes import columns, part_for, recipe

EPOCHS = 3

shapes = st.fixed_dictionaries(
    {
        "hidden": st.lists(st.integers(1, 40), max_size=2).map(tuple),
        "activation": st.sampled_from(sorted(ACTIVATIONS)),
        "loss": st.sampled_from(sorted(LOSSES)),
        "batch_size": st.integers(1, 40),
    }
)


def history(members, part, outputs, leaving):
    """By position: everything that can be seen of each member after each epoch that it learned."""
    cohort = Cohort(members, part, outputs=outputs)
    seen = {position: [] for position in range(len(members))}
    loss = members[0].hyperparameters.loss
    bounds = np.array([m.hyperparameters.huber_delta for m in members])
    for epoch in range(EPOCHS):
        rows = cohort.rows
        statistics = cohort.train_epoch()
        outputs_now = cohort.predict(part.x)
        losses = evaluate(loss, outputs_now, part.y, huber_delta=bounds[list(rows)])
        for row, position in enumerate(rows):
            flat = [array for layer in cohort.weights(position).layers for array in layer]
            numbers = [statistics.learning_rate, statistics.gradient_norm, statistics.weight_norm, losses]
            seen[position].append([*flat, outputs_now[row].copy(), *(n[row] for n in numbers)])
        cohort.observe(losses)
        cohort.leave([p for p in rows if leaving[p] == epoch])
        if not cohort.rows:
            break
    return seen


def assert_identical(one, other):
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


@given(
    shapes,
    st.lists(st.tuples(columns(), st.integers(0, EPOCHS)), min_size=2, max_size=5),
    st.integers(1, 70),
    st.integers(1, 20),
)
@settings(deadline=None, max_examples=60)
def test_a_member_of_any_cohort_is_the_network_trained_alone(shape, members, n, inputs):
    part, outputs = part_for(shape["loss"], n=max(n, 3), inputs=inputs)
    leaving = [epoch for _, epoch in members]
    cohort = [
        Member(recipe(**{**shape, **each}), Address(seed=1, trial=t)) for t, (each, _) in enumerate(members)
    ]
    together = history(cohort, part, outputs, leaving)
    for position, one in enumerate(cohort):
        assert_identical(together[position], history([one], part, outputs, [leaving[position]])[0])


@pytest.mark.parametrize(("hidden", "batch"), [((64, 64), 32), ((200, 130), 64), ((33,), 7), ((300,), 1)])
def test_it_holds_where_the_library_changes_its_kernels(hidden, batch):
    part, outputs = part_for("cross_entropy", n=3 * batch + 5, inputs=65)
    changes = {
        "hidden": hidden,
        "batch_size": batch,
        "activation": "relu",
        "optimizer": "adam",
        "dropout": 0.2,
    }
    cohort = [Member(recipe(**changes, l2=1e-3), Address(seed=1, trial=t)) for t in range(9)]
    leaving = [t % 4 for t in range(9)]
    together = history(cohort, part, outputs, leaving)
    for position in (0, 3, 8):
        alone = history([cohort[position]], part, outputs, [leaving[position]])
        assert_identical(together[position], alone[0])
