"""Samples changed at random: what each step does, law 1, and random addresses."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.data.prepared import Part
from hpsearch.engine import Cohort, Member
from hpsearch.engine.augmentation import Augmentation
from hpsearch.engine.batches import Batch
from hpsearch.engine.images import Affine
from hpsearch.randomness import Address
from tests.support.recipes import blobs, recipe

IMAGE, SERIES = (7, 9, 2), (11, 3)
STRENGTHS = {
    IMAGE: {
        "shift": 0.2,
        "flip": 0.5,
        "rotate": 30,
        "zoom": 0.2,
        "crop": 0.3,
        "brightness": 0.5,
        "cutout": 0.4,
        "noise": 0.3,
        "mixup": 0.4,
    },
    SERIES: {"shift": 0.2, "scale": 0.3, "window": 0.3, "noise": 0.3},
    (5,): {"noise": 0.3, "mixup": 0.4},
}


def changed(x, strengths, *, steps=1, lengths=None, fold=0):
    """The batch `x` after a number of steps, and its targets, which tell the samples apart."""
    made = Augmentation([strengths], [Address(seed=1, trial=2, fold=fold)], shape=x.shape[1:])
    for _ in range(steps):
        batch = Batch(x[None].copy(), np.eye(len(x), dtype=np.float32)[None].copy(), lengths, None)
        made.apply(batch, ones=False)
    return batch.inputs[0], batch.targets[0]


def images(count=4, shape=IMAGE, seed=0):
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "name"), [(shape, name) for shape in STRENGTHS for name in STRENGTHS[shape]]
)
def test_each_step_changes_every_batch_anew_and_its_strength_is_its_size(shape, name):
    """Of strength 0 it changes nothing; a small strength changes little (but for flips, squares and mixtures)."""
    x, strength = images(40, shape), STRENGTHS[shape][name]
    first, second = changed(x, {name: strength})[0], changed(x, {name: strength}, steps=2)[0]
    assert first.shape == x.shape
    assert first.dtype == np.float32
    assert (first != x).any()
    assert (first != second).any()
    np.testing.assert_array_equal(changed(x, {name: 0.0})[0], x)
    if name not in ("flip", "cutout", "mixup"):
        little, much = (np.abs(changed(x, {name: strength * f})[0] - x).mean() for f in (0.01, 1))
        assert little < much / 5


def test_a_flip_mirrors_and_a_square_is_cut_out():
    x = images(60)
    flipped = changed(x, {"flip": 0.5})[0]
    mirrored = [np.array_equal(new, old[:, ::-1]) for new, old in zip(flipped, x, strict=True)]
    assert 15 < sum(mirrored) < 45
    for new, old, was in zip(flipped, x, mirrored, strict=True):
        np.testing.assert_array_equal(new, old[:, ::-1] if was else old)
    cut = changed(x, {"cutout": 0.5})[0]
    assert ((cut == 0) | (cut == x)).all()
    assert 0.05 < (cut == 0).mean() < 0.25


def test_maps_of_images_agree_with_arrays_turned_and_moved():
    """A quarter turn, a whole pixel, a doubling: bilinear reading gives exactly what slicing gives."""
    x = images(3, (8, 8, 1))
    turned, moved, mirrored = Affine(3, 8, 8), Affine(3, 8, 8), Affine(3, 8, 8)
    turned.turn(np.full(3, np.pi / 2))
    np.testing.assert_allclose(turned.read(x), np.rot90(x, k=-1, axes=(1, 2)), atol=1e-5)
    moved.move(np.array([[1 / 8] * 3, [0.0] * 3]))
    np.testing.assert_allclose(moved.read(x)[:, :-1], x[:, 1:], atol=1e-5)
    np.testing.assert_allclose(moved.read(x)[:, -1], x[:, -1], atol=1e-5)
    mirrored.flip(np.array([True, False, True]))
    np.testing.assert_array_equal(mirrored.read(x)[[0, 2]], x[[0, 2], :, ::-1])
    larger = Affine(3, 8, 8)
    larger.enlarge(np.full(3, 2.0))
    ramp = np.broadcast_to(np.arange(8, dtype=np.float32)[None, :, None, None], (3, 8, 8, 1))
    np.testing.assert_allclose(larger.read(ramp)[0, :, 0, 0], 3.5 + (np.arange(8) - 3.5) / 2, atol=1e-5)


def test_mixtures_are_of_the_same_shares_in_inputs_and_targets():
    x = images(6, (5,))
    mixed, targets = changed(x, {"mixup": 0.4})
    np.testing.assert_allclose(targets @ x, mixed, atol=1e-5)
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    assert ((targets > 0).sum(axis=1) <= 2).all()


@given(
    st.lists(st.integers(1, 11), min_size=4, max_size=4),
    st.sampled_from(["shift", "window", "noise", "scale"]),
)
@settings(deadline=None, max_examples=20)
def test_nothing_stands_behind_the_end_of_a_sequence(lengths, name):
    lengths = np.array(lengths, dtype=np.int32)
    x = images(4, SERIES) + 5
    behind = np.arange(11) >= lengths[:, None]
    x[behind] = 0
    found = changed(x, {name: STRENGTHS[SERIES][name]}, lengths=lengths[None])[0]
    assert (found[behind] == 0).all()
    if name in ("shift", "window"):
        assert (np.abs(found[~behind]) > 0).all()


def weights(members, part, epochs=2):
    cohort = Cohort(members, part, outputs=3)
    for _ in range(epochs):
        cohort.train_epoch()
    return [cohort.weights(position).parameters for position in range(len(members))]


@pytest.mark.parametrize("shape", list(STRENGTHS), ids=str)
def test_alone_equals_together_with_every_step(shape):
    """Law 1: strengths ride as columns; a neighbour without augmentation learns from what there is."""
    n = 23
    x = images(n, shape)
    part = Part(x=x, y=np.arange(n, dtype=np.int32) % 3)
    plain = recipe(hidden=(4,), batch_size=5)
    strengths = [{}, STRENGTHS[shape], {name: value / 2 for name, value in STRENGTHS[shape].items()}]
    members = [
        Member(dataclasses.replace(plain, augment=tuple(each.items())), Address(seed=0, trial=t))
        for t, each in enumerate(strengths)
    ]
    together = weights(members, part)
    for position, member in enumerate(members):
        np.testing.assert_array_equal(together[position], weights([member], part)[0])
    untouched = Member(plain, Address(seed=0, trial=1))
    assert (weights([untouched], part)[0] != together[1]).any()


def test_a_step_draws_from_a_stream_of_its_own():
    """What one step does does not depend on another's being there."""
    x = images(8)
    noise = changed(x, {"noise": 0.1})[0] - x
    both = changed(x, {"noise": 0.1, "brightness": 0.5})[0] - changed(x, {"brightness": 0.5})[0]
    np.testing.assert_allclose(both, noise, atol=1e-6)
    assert (changed(x, {"noise": 0.1}, fold=1)[0] != changed(x, {"noise": 0.1})[0]).any()


def test_samples_themselves_stay_as_they_are():
    part = blobs(20)
    before = part.x.copy()
    weights([Member(recipe(augment=(("noise", 1.0), ("mixup", 0.5))), Address(seed=0, trial=0))], part)
    np.testing.assert_array_equal(part.x, before)
