"""What is seen inside networks: gradients, movement and idle units by layer; looking changes nothing."""

import numpy as np
import pytest

from hpsearch.engine import Cohort, Inputs, is_sampled, sampled_epochs, stored_plan
from hpsearch.engine.probes import idle_share, learning_layers
from hpsearch.spec.layers import LayerSettings
from tests.support.networks import settings
from tests.support.recipes import blobs, member

of = LayerSettings.of


def test_epochs_are_looked_into_ever_more_rarely():
    assert sampled_epochs(100) == [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96]
    assert [epoch for epoch in range(1, 101) if is_sampled(epoch)] == sampled_epochs(100)
    assert len(sampled_epochs(1000)) == 19


def plain(rate=0.5, **changes):
    """Networks of one step an epoch, in double precision: a step is the rate times the gradient."""
    part = blobs()
    changes = {"batch_size": len(part), "learning_rate": rate, "activation": "tanh", **changes}
    return part, Cohort([member(0, **changes), member(1, **changes)], part, outputs=3, dtype=np.float64)


def test_the_gradient_of_each_layer_is_what_plain_descent_moves_it_by():
    _, cohort = plain()
    before = [cohort.weights(p).layers for p in range(2)]
    layers = cohort.train_epoch().layers
    after = [cohort.weights(p).layers for p in range(2)]
    assert cohort.layer_names == ("1 dense", "2 dense", "3 dense")
    for row, position in enumerate(cohort.rows):
        moved = [
            np.linalg.norm(b - a) for (a, _), (b, _) in zip(before[position], after[position], strict=True)
        ]
        size = [np.linalg.norm(a) for a, _ in before[position]]
        np.testing.assert_allclose(layers["gradient_norm"][row], np.divide(moved, 0.5), rtol=1e-9)
        np.testing.assert_allclose(layers["update_ratio"][row], np.divide(moved, size), rtol=1e-9)


def test_the_distance_is_from_the_initial_weights_whoever_leaves():
    _, cohort = plain()
    began = [cohort.weights(p).layers for p in range(2)]
    for _ in range(3):
        cohort.train_epoch()
    cohort.leave([0])
    [distance] = cohort.train_epoch().layers["distance"]
    way = [np.linalg.norm(b - a) for (a, _), (b, _) in zip(began[1], cohort.weights(1).layers, strict=True)]
    np.testing.assert_allclose(distance, np.divide(way, [np.linalg.norm(a) for a, _ in began[1]]), rtol=1e-9)


def test_weights_that_began_as_zeros_have_no_size_to_be_compared_with():
    cohort = plain(initializer="zeros")[1]
    assert np.isnan(cohort.train_epoch().layers["distance"]).all()


def test_the_gradient_is_that_of_the_data_without_penalties_or_clipping():
    free, bound = plain()[1], plain(l2=0.3, l1=0.01, clip_norm=1e-3)[1]
    np.testing.assert_array_equal(
        free.train_epoch().layers["gradient_norm"], bound.train_epoch().layers["gradient_norm"]
    )


def test_other_epochs_are_not_looked_into():
    _, cohort = plain()
    seen = [cohort.train_epoch().layers is not None for _ in range(8)]
    assert seen == [True, True, True, True, False, True, False, True]


@pytest.mark.parametrize(
    ("function", "idle", "alive"),
    [("relu", 0.0, 0.1), ("tanh", -0.999, 0.5), ("sigmoid", 0.999, 0.4)],
)
def test_a_unit_is_idle_that_passes_no_gradient_for_any_sample(function, idle, alive):
    values = np.full((2, 5, 4), idle)
    values[0, 3, 0] = values[1, :, :3] = alive
    np.testing.assert_array_equal(idle_share(function, values), [0.75, 0.25])


def test_a_channel_of_an_image_is_a_unit():
    values = np.zeros((1, 2, 3, 3, 4))
    values[0, 1, 2, 2, 1] = 1
    assert idle_share("relu", values) == [0.75]


@pytest.mark.parametrize("function", ["gelu", "silu", "leaky_relu", "identity"])
def test_activations_without_a_flat_stretch_have_no_idle_units(function):
    assert np.isnan(idle_share(function, np.zeros((3, 2, 2)))).all()


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_prediction_counts_idle_units_where_they_are(activation):
    """A hidden layer whose biases are far off is idle throughout, the one before it is not."""
    part, cohort = plain(activation=activation)
    plan = cohort._plan
    cohort._parameters[1, plan.layout.blocks[1].biases] = -1e3
    idle = np.full((2, 3), np.nan)
    cohort.predict(part.x, idle=idle)
    assert idle[0, 1] < 1
    assert idle[1, 1] == 1
    assert (idle[:, 0] < 1).all()
    assert np.isnan(idle[:, 2]).all()


def test_networks_of_other_layers_are_seen_too():
    """Channels of a convolution whose biases are far below zero are dead; without looking, outputs are the same."""
    conv = settings("convolution", filters=3, kernel=(3, 3), initializer="he")
    layers = (conv, of("activation", function="relu"), LayerSettings("flatten"))
    plan = stored_plan(
        (*layers, of("dense", units=2, initializer="")), Inputs(shape=(5, 5, 1)), 2, np.dtype(np.float64)
    )
    first, last = learning_layers(plan)
    assert (first.name, last.name) == ("1 convolution", "2 dense")
    assert first.activation is not None
    assert last.activation is None


def test_looking_changes_no_bit(monkeypatch):
    """The same networks with every epoch looked into, and none."""
    ends = []
    for seen in (True, False):
        monkeypatch.setattr("hpsearch.engine.cohort.is_sampled", lambda _epoch, seen=seen: seen)
        cohort = Cohort(
            [member(t, dropout=0.3, optimizer="adam", l2=0.01) for t in range(3)], blobs(), outputs=3
        )
        for _ in range(3):
            cohort.train_epoch()
        ends.append(cohort._parameters.copy())
    np.testing.assert_array_equal(*ends)


def test_layers_of_a_network_have_the_same_numbers_in_any_cohort():
    changes = [{"optimizer": "adam"}, {"dropout": 0.4}, {"l2": 0.1}, {"learning_rate": 0.3}]
    members = [member(t, activation="relu", **change) for t, change in enumerate(changes)]
    together = Cohort(members, blobs(60), outputs=3)
    alone = [Cohort([each], blobs(60), outputs=3) for each in members]
    for _ in range(4):
        seen, x = together.train_epoch().layers, blobs(60).x
        idle = np.zeros((4, 3))
        together.predict(x, idle=idle)
        for row, position in enumerate(together.rows):
            one, of_one = alone[position].train_epoch().layers, np.zeros((1, 3))
            alone[position].predict(x, idle=of_one)
            for name in seen:
                np.testing.assert_array_equal(seen[name][row], one[name][0])
            np.testing.assert_array_equal(idle[row], of_one[0])
