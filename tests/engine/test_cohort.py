"""The cohort as its callers see it: rows and positions, statistics, memory, and what it refuses."""

import tracemalloc

import numpy as np
import pytest

from hpsearch.engine import RULES, Cohort, Member, Weights, evaluate, forward, working_set
from hpsearch.engine.arrays import quiet
from hpsearch.randomness import Address
from tests.support.recipes import blobs, member, recipe


def cohort(*changes, part=None, **more):
    members = [member(trial, **change) for trial, change in enumerate(changes)]
    return Cohort(members, part or blobs(), outputs=3, **more)


def same(one: Weights, other: Weights) -> bool:
    pairs = zip(one.layers, other.layers, strict=True)
    return all((a == b).all() for left, right in pairs for a, b in zip(left, right, strict=True))


def test_rows_name_members_by_their_position_and_sort_them_by_rule():
    c = cohort({"optimizer": "adam"}, {"optimizer": "sgd"}, {"optimizer": "adam"}, {"optimizer": "momentum"})
    assert c.rows == (1, 3, 0, 2)
    c.leave([3])
    assert c.rows == (1, 0, 2)


def test_a_network_learns():
    part = blobs(200)
    c = cohort({"optimizer": "adam", "batch_size": 16}, part=part)
    before = evaluate("cross_entropy", c.predict(part.x), part.y)[0]
    for _ in range(15):
        c.train_epoch()
    assert evaluate("cross_entropy", c.predict(part.x), part.y)[0] < before / 3


def test_statistics_are_those_of_the_epoch():
    c = cohort({"learning_rate": 0.0625, "schedule": "step", "decay_epochs": 1}, {"learning_rate": 0.25})
    first, second = c.train_epoch(), c.train_epoch()
    np.testing.assert_array_equal(first.learning_rate, [0.0625, 0.25])
    np.testing.assert_array_equal(second.learning_rate, [0.03125, 0.25])
    norms = [np.sqrt(sum((w.astype(float) ** 2).sum() for w, _ in c.weights(p).layers)) for p in range(2)]
    np.testing.assert_allclose(second.weight_norm, norms, rtol=1e-6)
    np.testing.assert_array_equal(second.plateau_factor, [1, 1])


def test_the_gradient_norm_is_that_of_the_whole_gradient_before_clipping():
    """With plain descent at one step an epoch, the step is the rate times the gradient."""
    changes = {"batch_size": 29, "learning_rate": 0.5, "l2": 0.1}
    free, clipped = (
        cohort(changes, dtype=np.float64),
        cohort({**changes, "clip_norm": 0.01}, dtype=np.float64),
    )
    before = free.weights(0)
    statistics, of_clipped = free.train_epoch(), clipped.train_epoch()
    after = free.weights(0)
    moved = sum(
        ((a - b) ** 2).sum()
        for x, y in zip(before.layers, after.layers, strict=True)
        for a, b in zip(x, y, strict=True)
    )
    assert statistics.gradient_norm[0] == pytest.approx(np.sqrt(moved) / 0.5, rel=1e-9)
    assert of_clipped.gradient_norm[0] == statistics.gradient_norm[0]


def test_the_gradient_norm_is_the_mean_over_every_fourth_step_clipped_or_not():
    """Five steps an epoch: those numbered 0 and 4 count, though clipping takes the norm at every step."""
    changes = {"batch_size": 6, "learning_rate": 1e-3}
    both = cohort(changes, {**changes, "clip_norm": 1e6}, dtype=np.float64)
    norms = []
    measure = both._steps._move_by_measure

    def move(step):
        norms.append(np.sqrt(np.square(both._steps._gradients).sum(axis=1)))
        measure(step)

    both._steps._move_by_measure = move
    statistics = both.train_epoch()
    assert len(norms) == 5
    np.testing.assert_allclose(statistics.gradient_norm, (norms[0] + norms[4]) / 2, rtol=1e-9)


def test_predict_is_the_forward_pass_of_the_weights_without_dropout():
    c = cohort({"dropout": 0.5}, {"dropout": 0.0})
    c.train_epoch()
    x = blobs(600, seed=1).x
    outputs = c.predict(x)
    assert outputs.shape == (2, 600, 3)
    for row, position in enumerate(c.rows):
        np.testing.assert_array_equal(outputs[row], forward(c.weights(position), x))


def test_what_was_remembered_stays_though_the_member_goes_on_and_leaves():
    c = cohort({}, {"optimizer": "adam"})
    c.train_epoch()
    best = c.weights(1)
    c.remember([1])
    c.train_epoch()
    assert not same(c.weights(1), best)
    c.leave([1])
    assert same(c.remembered(1), best)


def test_weights_are_a_copy():
    c = cohort({})
    c.weights(0).layers[0][0][:] = 7
    assert not (c.weights(0).layers[0][0] == 7).any()


def test_recorded_plateau_factors_train_as_the_observed_ones_did():
    changes = {"schedule": "plateau", "plateau_patience": 1, "learning_rate": 0.1}
    first, factors = cohort(changes), []
    for _ in range(6):
        factors.append(float(first.train_epoch().plateau_factor[0]))
        first.observe(np.ones(1))
    again = Cohort([Member(recipe(**changes), Address(seed=0, trial=0), tuple(factors))], blobs(), outputs=3)
    for _ in range(6):
        again.train_epoch()
    assert factors == [1, 1, 1, 0.5, 0.5, 0.25]
    assert same(first.weights(0), again.weights(0))


def test_members_that_differ_in_shape_are_refused():
    with pytest.raises(ValueError, match="must agree in batch_size, got 8 and 9"):
        cohort({"batch_size": 8}, {"batch_size": 9})


def test_an_empty_cohort_is_refused():
    with pytest.raises(ValueError, match="at least one member"):
        cohort()


def test_a_member_that_is_not_there_cannot_leave_nor_show_its_weights():
    c = cohort({}, {})
    c.leave([0])
    with pytest.raises(ValueError, match="members \\[0\\] are not learning; those that are: \\[1\\]"):
        c.leave([0])
    with pytest.raises(ValueError, match="member 0 is not learning"):
        c.weights(0)


def test_all_may_leave():
    c = cohort({}, {})
    c.remember([0, 1])
    c.leave([0, 1])
    assert c.rows == ()
    assert c.remembered(0).count > 0


def everything(rule):
    return {
        "optimizer": rule,
        "activation": "relu",
        "hidden": (64, 48),
        "batch_size": 20,
        "dropout": 0.3,
        "input_dropout": 0.1,
        "l1": 1e-4,
        "l2": 1e-4,
        "weight_decay": 1e-3,
        "max_norm": 2.0,
        "clip_norm": 1.0,
        "label_smoothing": 0.1,
        "warmup_epochs": 1,
        "schedule": "cosine",
    }


def arrays(thing, seen):  # noqa: C901, a case a kind of container
    """Every array that an object holds, by attributes, containers and closures."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        yield thing
    elif isinstance(thing, dict):
        for value in thing.values():
            yield from arrays(value, seen)
    elif isinstance(thing, list | tuple):
        for value in thing:
            yield from arrays(value, seen)
    elif callable(thing) and getattr(thing, "__closure__", None):
        for cell in thing.__closure__:
            yield from arrays(cell.cell_contents, seen)
    elif type(thing).__module__.startswith("hpsearch.engine"):
        names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
        for name in names:
            yield from arrays(getattr(thing, name, None), seen)


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("relu", "cross_entropy"),
        ("gelu", "mse"),
        ("silu", "huber"),
        ("sigmoid", "mae"),
        ("tanh", "cross_entropy"),
    ],
)
def test_a_float32_step_holds_no_float64(activation, loss):
    changes = [{**everything(rule), "activation": activation, "loss": loss} for rule in RULES]
    part = (
        blobs(100) if loss == "cross_entropy" else blobs(100).__class__(x=blobs(100).x, y=blobs(100).x[:, :3])
    )
    c = cohort(*changes, part=part)
    c.train_epoch()
    found = list(arrays(c._steps, set()))
    assert len(found) > 50
    assert [a.shape for a in found if a.dtype == np.float64] == []
    assert c.predict(part.x).dtype == np.float32
    batch = c._batches.take(0)
    assert batch.inputs.dtype == batch.targets.dtype == np.float32


@pytest.mark.parametrize(
    ("activation", "loss"), [("relu", "cross_entropy"), ("gelu", "mse"), ("leaky_relu", "huber")]
)
def test_a_step_allocates_next_to_nothing(activation, loss):
    """After the first epoch, the largest sum of allocations alive within an epoch's steps stays below 40 KB.

    That is the block of random bytes of one network; a buffer of the parameters here holds 200 KB.
    """
    changes = [{**everything(rule), "activation": activation, "loss": loss} for rule in RULES]
    part = (
        blobs(205) if loss == "cross_entropy" else blobs(205).__class__(x=blobs(205).x, y=blobs(205).x[:, :3])
    )
    c = cohort(*changes, part=part)
    c.train_epoch()
    steps, batches = c._steps, c._batches
    assert c._parameters.nbytes > 100_000
    batches.shuffle()
    steps.begin(np.full((len(c.rows), batches.steps), 0.01), first=batches.steps + 1)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        with quiet():
            for step in range(batches.steps):
                steps.run(step, batches.take(step))
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < 40_000


def test_the_working_set_grows_with_width_batch_and_what_the_rule_remembers():
    def size(**changes):
        return working_set(recipe(**changes), 64, 10)

    assert size(hidden=(64, 64)) < size(hidden=(65, 64))
    assert size(batch_size=8) < size(batch_size=16)
    assert size(optimizer="sgd") < size(optimizer="momentum") < size(optimizer="adam")
    parameters = (65 * 64 + 65 * 64 + 65 * 10) * 4
    assert size(hidden=(64, 64), optimizer="adam", batch_size=1) == pytest.approx(5 * parameters, rel=0.05)
