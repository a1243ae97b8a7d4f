"""Pooling against loops and central differences."""

import numpy as np
import pytest

from hpsearch.engine.arrays import aligned
from hpsearch.engine.layers.channels import channel_port
from hpsearch.engine.layers.pooling import Largest, Pooling, Summed
from hpsearch.engine.layers.ports import Frame, Port
from hpsearch.engine.layers.unfold import Window
from tests.support.gradients import check_gradient

DOUBLE = np.dtype(np.float64)
SETTINGS = [
    {"kernel": (2, 2), "stride": (2, 2)},
    {"kernel": (3, 2), "stride": (2, 3)},
    {"kernel": (3, 3), "stride": (1, 2), "padding": "same"},
    {"kernel": (2, 3), "stride": (2, 2), "padding": "same"},
    {"kernel": (1, 1), "stride": (2, 2)},
    {"kernel": (5, 6), "stride": (5, 6)},
    {"kernel": (1, 3), "stride": (1, 1), "padding": "same"},
]


def by_loops(x, reduction, *, kernel, stride, padding="valid"):
    """One image (H, W, C); what is outside of it is left out of every window."""
    size = x.shape[:2]
    if padding == "same":
        places = [-(-n // s) for n, s in zip(size, stride, strict=True)]
        missing = [
            max(0, (p - 1) * s + k - n) for p, s, k, n in zip(places, stride, kernel, size, strict=True)
        ]
    else:
        places = [(n - k) // s + 1 for n, k, s in zip(size, kernel, stride, strict=True)]
        missing = [0, 0]
    y = np.zeros((*places, x.shape[2]))
    for place in np.ndindex(*places):
        starts = [p * s - m // 2 for p, s, m in zip(place, stride, missing, strict=True)]
        rows, columns = (slice(max(a, 0), a + k) for a, k in zip(starts, kernel, strict=True))
        y[place] = (np.max if reduction is Largest else np.mean)(x[rows, columns], axis=(0, 1))
    return y


class Case:
    """One pooling of two networks' images, in float64."""

    def __init__(self, reduction, settings, shape=(5, 6, 3), *, plain=False, batch=3):
        size = (1, *shape)[-3:-1]
        self.window = Window.over(size, **settings)
        after = (*(self.window.places if len(shape) == 3 else self.window.places[1:]), shape[-1])
        if plain:
            frames = [aligned((2, batch, *after), DOUBLE) for _ in range(2)]
            self.behind = Port(*(Frame(frame, frame) for frame in frames))
        else:
            self.behind = channel_port(2, batch, after, DOUBLE)
        self.layer = Pooling(self.behind, shape=shape, window=self.window, reduction=reduction)
        for frame in (self.layer.port.values, self.layer.port.gradient):
            frame.whole.fill(7)
        self.x, self.dx = self.layer.port.values.inner, self.layer.port.gradient.inner
        rng = np.random.default_rng(0)
        self.x[...] = rng.permutation(self.x.size).reshape(self.x.shape) / 10
        self.direction = rng.standard_normal(self.behind.values.inner.shape)

    def loss(self):
        self.layer.forward()
        return float((self.behind.values.inner * self.direction).sum())

    def backward(self):
        self.behind.gradient.inner[...] = self.direction
        self.layer.backward()


@pytest.mark.parametrize("reduction", [Largest, Summed])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_it_is_what_loops_compute(settings, reduction):
    case = Case(reduction, settings)
    for compute in (case.layer.forward, case.layer.evaluate):
        case.behind.values.inner.fill(np.nan)
        compute()
        for row, sample in np.ndindex(2, 3):
            expected = by_loops(case.x[row, sample], reduction, **settings)
            np.testing.assert_allclose(
                case.behind.values.inner[row, sample], expected, rtol=1e-13, atol=1e-13
            )


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("reduction", [Largest, Summed])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_backward_gives_the_derivatives(settings, reduction, plain):
    case = Case(reduction, settings, plain=plain, batch=1)
    case.loss()
    for _ in range(2):
        case.backward()
    found, x = case.dx.copy(), case.x.copy()

    def moved():
        case.x[...] = x
        return case.loss()

    check_gradient(moved, x, found, 1e-6)


def test_of_equal_numbers_the_first_column_by_column_gets_the_gradient():
    case = Case(Largest, {"kernel": (2, 2), "stride": (2, 2)}, (2, 4, 1), batch=1)
    case.x[...] = np.array([[1, 5, 3, 3], [5, 1, 3, 3]])[..., None]
    case.direction = np.array([2.0, 7.0]).reshape(1, 1, 1, 2, 1)
    case.loss()
    case.backward()
    np.testing.assert_array_equal(case.dx[0, 0, ..., 0], [[0, 0, 7, 0], [2, 0, 0, 0]])


@pytest.mark.parametrize("reduction", [Largest, Summed])
def test_a_sequence_is_an_image_of_height_one(reduction):
    settings = {"kernel": (1, 3), "stride": (1, 2), "padding": "same"}
    flat, image = Case(reduction, settings, (7, 3)), Case(reduction, settings, (1, 7, 3))
    for case in (flat, image):
        case.layer.forward()
        case.backward()
    np.testing.assert_array_equal(flat.behind.values.inner, image.behind.values.inner[:, :, 0])
    np.testing.assert_array_equal(flat.dx, image.dx[:, :, 0])
