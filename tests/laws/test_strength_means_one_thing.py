"""Law 6. L1, L2, the learning rate and dropout mean the same at any batch size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.data.prepared import Part
from hpsearch.engine import LOSSES, RULES, Cohort
from tests.support.recipes import member, part_for


def trained(part, outputs, *, epochs=3, **changes):
    cohort = Cohort([member(**changes)], part, outputs=outputs, dtype=np.float64)
    for _ in range(epochs):
        cohort.train_epoch()
    return cohort.weights(0)


def repeated(part, times):
    return Part(x=np.repeat(part.x, times, axis=0), y=np.repeat(part.y, times, axis=0))


@given(
    st.sampled_from(sorted(LOSSES)),
    st.sampled_from(sorted(RULES)),
    st.sampled_from([2, 3, 8]),
    st.sampled_from(
        [{"l1": 0.02}, {"l2": 0.3}, {"weight_decay": 0.2}, {"clip_norm": 0.1}, {"max_norm": 0.5}]
    ),
)
@settings(deadline=None, max_examples=40)
def test_every_sample_several_times_in_a_batch_as_many_times_as_large_is_the_same_training(
    loss, rule, times, penalty
):
    part, outputs = part_for(loss, n=12)
    changes = {"loss": loss, "optimizer": rule, "learning_rate": 0.01, "epsilon": 1e-4, **penalty}
    small = trained(part, outputs, batch_size=12, **changes)
    large = trained(repeated(part, times), outputs, batch_size=12 * times, **changes)
    for one, other in zip(small.layers, large.layers, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("name", "shrinks_by"), [("l2", 0.5 * 0.1), ("weight_decay", 0.5 * 0.1)])
@pytest.mark.parametrize("batch_size", [1, 3, 12])
def test_where_the_data_say_nothing_weights_shrink_by_rate_times_strength_a_step(
    name, shrinks_by, batch_size
):
    """Inputs of zero leave the first layer's weights to the penalty alone."""
    part, outputs = part_for("cross_entropy", n=12)
    part = Part(x=np.zeros_like(part.x), y=part.y)
    optimizer = "sgd" if name == "l2" else "adamw"
    changes = {"learning_rate": 0.5, name: 0.1, "optimizer": optimizer, "batch_size": batch_size}
    before = Cohort([member(**changes)], part, outputs=outputs, dtype=np.float64).weights(0).layers[0][0]
    after = trained(part, outputs, epochs=1, **changes).layers[0][0]
    np.testing.assert_allclose(after, before * (1 - shrinks_by) ** (12 // batch_size), rtol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 3, 12])
def test_l1_takes_rate_times_strength_from_each_weight_a_step(batch_size):
    part, outputs = part_for("cross_entropy", n=12)
    part = Part(x=np.zeros_like(part.x), y=part.y)
    changes = {"learning_rate": 0.01, "l1": 0.02, "batch_size": batch_size}
    before = Cohort([member(**changes)], part, outputs=outputs, dtype=np.float64).weights(0).layers[0][0]
    after = trained(part, outputs, epochs=1, **changes).layers[0][0]
    large = np.abs(before) > 0.01
    taken = np.sign(before) * 0.01 * 0.02 * (12 // batch_size)
    np.testing.assert_allclose(after[large], (before - taken)[large], rtol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_dropout_silences_the_same_share_and_keeps_the_mean_at_any_batch_size(batch_size):
    part, outputs = part_for("cross_entropy", n=64)
    changes = {"dropout": 0.3, "hidden": (50,), "batch_size": batch_size}
    cohort = Cohort([member(**changes)], part, outputs=outputs)
    seen = []
    for _ in range(256 // batch_size):
        cohort._hidden_masks.refill(batch_size)
        (frame,) = cohort._hidden_masks.frames
        seen.append(frame.stays * frame.scale)
    masks = np.concatenate(seen, axis=1)
    assert (masks == 0).mean() == pytest.approx(0.3, abs=0.02)
    assert masks.mean() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("penalty", [{"l1": 0.5}, {"l2": 0.5}, {"weight_decay": 0.5, "optimizer": "adamw"}])
def test_biases_are_free(penalty):
    """A network whose inputs and targets are constant fits by its biases, whatever holds its weights."""
    part = Part(x=np.zeros((8, 3), np.float32), y=np.full((8, 1), 5.0, np.float32))
    changes = {"loss": "mse", "hidden": (), "learning_rate": 0.1, **penalty}
    bias = trained(part, 1, epochs=150, **changes).layers[-1][1]
    assert bias[0] == pytest.approx(5.0, abs=0.05)
