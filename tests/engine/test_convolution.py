"""Convolutions against loops, against central differences, and in whatever memory their neighbours keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.engine.arrays import aligned
from hpsearch.engine.layers import convolution
from hpsearch.engine.layers.channels import channel_port
from hpsearch.engine.layers.convolution import Convolution
from hpsearch.engine.layers.ports import Frame, Port
from hpsearch.engine.layers.unfold import Window
from tests.support.gradients import check_gradient

DOUBLE = np.dtype(np.float64)


def plain_port(rows, batch, shape):
    """Samples side by side, as a layer that knows nothing of channels keeps them."""
    frames = [aligned((rows, batch, *shape), DOUBLE) for _ in range(2)]
    return Port(*(Frame(frame, frame) for frame in frames))


def by_loops(x, weight, *, kernel, stride, dilation, padding, groups):
    """One image (H, W, C) by the definition; zeros on the smaller side first, as all libraries do."""
    height, width, channels = x.shape
    *_taps, outputs = weight.shape
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if padding == "same":
        places = [-(-n // s) for n, s in zip((height, width), stride, strict=True)]
        missing = [
            max(0, (p - 1) * s + r - n)
            for p, s, r, n in zip(places, stride, reach, (height, width), strict=True)
        ]
        x = np.pad(x, [*((m // 2, m - m // 2) for m in missing), (0, 0)])
    else:
        places = [(n - r) // s + 1 for n, r, s in zip((height, width), reach, stride, strict=True)]
    of_group, per_group = channels // groups, outputs // groups
    z = np.zeros((*places, outputs))
    for place in np.ndindex(*places):
        for output in range(outputs):
            first = output // per_group * of_group
            total = weight[-1, output]
            for tap, (i, j) in enumerate(np.ndindex(*kernel)):
                row, column = (
                    p * s + d * t for p, s, d, t in zip(place, stride, dilation, (i, j), strict=True)
                )
                for c in range(of_group):
                    total += weight[tap * of_group + c, output] * x[row, column, first + c]
            z[(*place, output)] = total
    return z


SETTINGS = [
    {"kernel": (3, 3)},
    {"kernel": (3, 3), "padding": "valid"},
    {"kernel": (2, 4), "groups": 2},
    {"kernel": (1, 1)},
    {"kernel": (3, 2), "stride": (2, 1)},
    {"kernel": (3, 3), "stride": (2, 3), "padding": "valid"},
    {"kernel": (2, 3), "dilation": (2, 2)},
    {"kernel": (2, 2), "dilation": (3, 1), "padding": "valid", "groups": 2},
    {"kernel": (3, 3), "groups": 4},
    {"kernel": (5, 6), "padding": "valid"},
    {"kernel": (5, 5), "stride": (2, 2), "dilation": (1, 2)},
]


class Case:
    """One convolution of two networks, in float64, with everything that it needs around it."""

    def __init__(
        self,
        shape=(5, 6, 4),
        *,
        outputs=8,
        plain=False,
        deepest=False,
        batch=3,
        rows=2,
        dtype=DOUBLE,
        **settings,
    ):
        image = (1, *shape) if len(shape) == 2 else shape
        self.settings = {"stride": (1, 1), "dilation": (1, 1), "padding": "same", "groups": 1} | settings
        sizes = {name: value for name, value in self.settings.items() if name != "groups"}
        self.window = Window.over(image[:2], **sizes)
        groups = self.settings["groups"]
        rng = np.random.default_rng(0)
        inner = image[2] // groups * self.window.taps
        self.weight = rng.standard_normal((rows, inner + 1, outputs)).astype(dtype)
        self.gradient = np.full_like(self.weight, np.nan)
        after = self.window.places if len(shape) == 3 else self.window.places[1:]
        self.behind = (plain_port if plain else lambda *a: channel_port(*a, dtype))(
            rows, batch, (*after, outputs)
        )
        trained = {"weight": self.weight, "gradient": self.gradient}
        options = {"shape": shape, "window": self.window, "groups": groups, "deepest": deepest}
        self.layer = Convolution(self.behind, **options, **trained)
        if not deepest:
            self.layer.port.values.whole.fill(7)
            self.layer.port.gradient.whole.fill(7)
        self.x, self.dx = self.layer.port.values.inner, self.layer.port.gradient.inner
        self.x[...] = rng.standard_normal(self.x.shape)
        self.direction = rng.standard_normal(self.behind.values.inner.shape)

    def loss(self):
        self.layer.forward()
        return float((self.behind.values.inner * self.direction).sum())

    def backward(self):
        self.behind.gradient.inner[...] = self.direction
        self.layer.backward()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_it_is_what_loops_compute(settings):
    case = Case(**settings)
    case.layer.forward()
    for row in range(2):
        for sample in range(3):
            expected = by_loops(case.x[row, sample], case.weight[row], **case.settings)
            np.testing.assert_allclose(
                case.behind.values.inner[row, sample], expected, rtol=1e-12, atol=1e-12
            )


@pytest.mark.parametrize("plain", [False, True], ids=["direct, at once", "handed on, in pieces"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_backward_gives_the_derivatives_by_weights_and_inputs(settings, plain, monkeypatch):
    if plain:
        monkeypatch.setattr(convolution, "UNFOLDED", 1)
        monkeypatch.setattr(convolution, "KEPT", 1)
    case = Case(plain=plain, batch=2, rows=1, **settings)
    case.loss()
    for _ in range(2):
        case.backward()
    found = case.gradient.copy(), case.dx.copy()
    check_gradient(case.loss, case.weight, found[0], 1e-6)
    x = case.x.copy()

    def moved():
        case.x[...] = x
        return case.loss()

    check_gradient(moved, x, found[1], 1e-6)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2)])
def test_a_sequence_is_an_image_of_height_one(padding, stride, dilation):
    options = {"padding": padding, "stride": (1, stride), "dilation": (1, dilation), "outputs": 3}
    flat, image = Case((9, 2), kernel=(1, 3), **options), Case((1, 9, 2), kernel=(1, 3), **options)
    for case in (flat, image):
        case.layer.forward()
        case.backward()
    np.testing.assert_array_equal(flat.behind.values.inner, image.behind.values.inner[:, :, 0])
    np.testing.assert_array_equal(flat.gradient, image.gradient)
    np.testing.assert_array_equal(flat.dx, image.dx[:, :, 0])


def test_the_first_layer_leaves_the_gradient_in_front_alone():
    case = Case(kernel=(3, 3), deepest=True)
    case.layer.forward()
    case.backward()
    other = Case(kernel=(3, 3))
    other.layer.forward()
    other.backward()
    np.testing.assert_array_equal(case.gradient, other.gradient)
    assert not case.dx.any()


def test_two_in_a_row_exchange_numbers_in_the_same_memory():
    second = Case((5, 6, 4), kernel=(3, 3), outputs=3)
    window = Window.over((5, 6), kernel=(3, 3), padding="same")
    weight = np.random.default_rng(5).standard_normal((2, 19, 4))
    options = {"shape": (5, 6, 2), "window": window, "groups": 1, "deepest": True}
    first = Convolution(second.layer.port, **options, weight=weight, gradient=np.empty_like(weight))
    assert not first._hand_on
    first.port.values.inner[...] = np.random.default_rng(6).standard_normal((2, 3, 5, 6, 2))
    for layer in (first, second.layer):
        layer.forward()
    expected = by_loops(
        first.port.values.inner[1, 2],
        weight[1],
        kernel=(3, 3),
        stride=(1, 1),
        dilation=(1, 1),
        padding="same",
        groups=1,
    )
    np.testing.assert_allclose(second.x[1, 2], expected, rtol=1e-12, atol=1e-12)
    found = by_loops(expected, second.weight[1], **second.settings)
    np.testing.assert_allclose(second.behind.values.inner[1, 2], found, rtol=1e-12, atol=1e-12)


@given(
    st.sampled_from(SETTINGS),
    st.integers(1, 5),
    st.integers(1, 9),
    st.booleans(),
    st.sampled_from([1, 5000, 1 << 21]),
)
@settings(deadline=None, max_examples=20)
def test_alone_equals_together(settings, rows, batch, plain, unfolded):
    """Law 1, in float32."""
    before = convolution.UNFOLDED
    try:
        convolution.UNFOLDED = unfolded
        options = {"batch": batch, "dtype": np.dtype(np.float32), **settings}
        together, alone = Case(rows=rows, **options), Case(rows=1, **options)
    finally:
        convolution.UNFOLDED = before
    chosen = rows - 1
    for mine, theirs in (
        (alone.weight, together.weight),
        (alone.x, together.x),
        (alone.direction, together.direction),
    ):
        mine[0] = theirs[chosen]
    together.weight[:chosen] = np.nan
    for case in (together, alone):
        case.layer.forward()
        case.backward()
    np.testing.assert_array_equal(alone.behind.values.inner[0], together.behind.values.inner[chosen])
    np.testing.assert_array_equal(alone.gradient[0], together.gradient[chosen])
    np.testing.assert_array_equal(alone.dx[0], together.dx[chosen])
