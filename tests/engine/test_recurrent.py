"""Recurrent layers against loops over the definitions, and against central differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.engine.layers.ports import Frame, Port
from hpsearch.engine.layers.recurrent.gru import GatedRecurrence
from hpsearch.engine.layers.recurrent.lstm import LongShortTermMemory
from hpsearch.engine.layers.recurrent.simple import SimpleRecurrence
from hpsearch.engine.layers.recurrent.stack import stack
from tests.support.gradients import check_gradient

CELLS = {"simple": SimpleRecurrence, "lstm": LongShortTermMemory, "gru": GatedRecurrence}
STEPS, WIDTH, UNITS = 4, 2, 3
DOUBLE = np.dtype(np.float64)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def simple_step(x, h, _c, weight, recurrent):
    return np.tanh(x @ weight[:-1] + weight[-1] + h @ recurrent), None


def lstm_step(x, h, c, weight, recurrent):
    g, i, f, o = np.split(x @ weight[:-1] + weight[-1] + h @ recurrent, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x, h, _c, weight, recurrent, bias):
    r, u, n = np.split(x @ weight[:-1] + weight[-1], 3)
    mapped, of_r, of_u = np.split(h @ recurrent, 3)
    r, u = sigmoid(r + of_r), sigmoid(u + of_u)
    n = np.tanh(n + r * (mapped + bias[0]))
    return (1 - u) * n + u * h, None


BY_LOOPS = {"simple": simple_step, "lstm": lstm_step, "gru": gru_step}


def one_direction(name, sequence, arrays, *, reverse):
    """All states of one sequence of its own length, and the last."""
    h, c, states = np.zeros(UNITS), np.zeros(UNITS), []
    for x in sequence[::-1] if reverse else sequence:
        h, c = BY_LOOPS[name](x, h, c, *arrays)
        states.append(h)
    return states[::-1] if reverse else states, h


def by_loops(name, sequence, arrays, *, directions):
    """What the last level gives for one sequence: all states and the last one."""
    for level in range(len(arrays) // directions):
        found = [
            one_direction(name, sequence, arrays[level * directions + place], reverse=bool(place))
            for place in range(directions)
        ]
        sequence = np.concatenate([np.reshape(states, (-1, UNITS)) for states, _ in found], axis=1)
    return sequence, np.concatenate([last for _, last in found])


class Case:
    """Recurrent layers of some networks with everything that they need around them."""

    def __init__(
        self,
        name,
        *,
        every=True,
        lengths=None,
        directions=1,
        levels=1,
        rows=2,
        batch=3,
        deepest=False,
        dtype=DOUBLE,
    ):
        cell, rng = CELLS[name], np.random.default_rng(0)
        self.name, self.every, self.directions, self.levels = name, every, directions, levels

        def arrays(width):
            found = [(width + 1, cell.gates * UNITS), (UNITS, cell.recurrent_gates * UNITS)]
            return [*found, (1, UNITS)] if cell is GatedRecurrence else found

        widths = [
            WIDTH if level == 0 else directions * UNITS for level in range(levels) for _ in range(directions)
        ]
        self.parameters = [
            [rng.standard_normal((rows, *shape)).astype(dtype) for shape in arrays(width)] for width in widths
        ]
        self.gradients = [[np.full_like(each, np.nan) for each in group] for group in self.parameters]
        shape = (rows, batch, *([STEPS] if every else []), directions * UNITS)
        self.values, self.slope = (np.full(shape, np.nan, dtype) for _ in range(2))
        self.lengths = None if lengths is None else np.array(lengths, np.int32)
        self.port, self.layer = stack(
            cell,
            Port(Frame(self.values, self.values), Frame(self.slope, self.slope)),
            shape=(STEPS, WIDTH),
            directions=directions,
            parameters=self.parameters,
            gradients=self.gradients,
            lengths=self.lengths,
            deepest=deepest,
        )
        self.x, self.dx = self.port.values.inner, self.port.gradient.inner
        self.x[...] = rng.standard_normal(self.x.shape)
        self.direction = rng.standard_normal(shape).astype(dtype)

    def loss(self):
        self.layer.forward()
        return float((self.values * self.direction).sum())

    def backward(self):
        self.slope[...] = self.direction
        self.layer.backward()


LENGTHS = [[4, 1, 3], [2, 4, 3]]
WAYS = [
    {},
    {"every": False},
    {"lengths": LENGTHS},
    {"every": False, "lengths": LENGTHS},
    {"directions": 2, "every": False},
    {"directions": 2, "lengths": LENGTHS},
    {"directions": 2, "every": False, "lengths": LENGTHS, "levels": 2},
    {"levels": 2},
]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("name", sorted(CELLS))
def test_it_is_what_the_definition_says_of_each_sequence(name, way):
    case = Case(name, **way)
    case.layer.forward()
    for row in range(2):
        arrays = [[each[row] for each in group] for group in case.parameters]
        for sample in range(3):
            length = STEPS if case.lengths is None else case.lengths[row, sample]
            states, last = by_loops(name, case.x[row, sample, :length], arrays, directions=case.directions)
            if case.every:
                states = np.pad(states, ((0, STEPS - length), (0, 0)))
            np.testing.assert_allclose(
                case.values[row, sample], states if case.every else last, rtol=1e-12, atol=1e-13
            )


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("name", sorted(CELLS))
def test_backward_gives_the_derivatives_by_all_parameters_and_by_the_inputs(name, way):
    lengths = {"lengths": LENGTHS[:1]} if "lengths" in way else {}
    case = Case(name, rows=1, **(way | lengths))
    case.loss()
    for _ in range(2):
        case.loss()
        case.backward()
    found = [[each.copy() for each in group] for group in case.gradients]
    dx, x = case.dx.copy(), case.x.copy()
    for group, gradients in zip(case.parameters, found, strict=True):
        for each, gradient in zip(group, gradients, strict=True):
            check_gradient(case.loss, each, gradient, 1e-6)

    def moved():
        case.x[...] = x
        return case.loss()

    check_gradient(moved, x, dx, 1e-6)


@pytest.mark.parametrize("name", sorted(CELLS))
def test_what_is_past_the_end_of_a_sequence_changes_nothing(name):
    seen = []
    for filling in (0.0, 3.0):
        case = Case(name, lengths=LENGTHS, directions=2, levels=2)
        for row, sample in np.ndindex(2, 3):
            case.x[row, sample, LENGTHS[row][sample] :] = filling
        case.layer.forward()
        case.backward()
        seen.append([case.values, *(each for group in case.gradients for each in group)])
    for one, other in zip(*seen, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", sorted(CELLS))
def test_an_empty_sequence_has_the_state_zero_and_no_gradient(name):
    case = Case(name, lengths=[[0, 4, 4], [4, 0, 4]], every=False, directions=2)
    case.layer.forward()
    case.backward()
    assert not case.values[0, 0].any()
    assert not case.values[1, 1].any()
    assert not case.dx[0, 0].any()
    assert np.isfinite(case.dx).all()


@given(
    st.sampled_from(sorted(CELLS)),
    st.sampled_from(WAYS[:7]),
    st.integers(2, 6),
    st.integers(1, 9),
    st.booleans(),
)
@settings(deadline=None, max_examples=25)
def test_alone_equals_together_and_a_bad_one_hurts_nobody(name, way, rows, batch, first):
    """Laws 1 and 5, in float32."""
    drawn = np.random.default_rng(batch).integers(1, STEPS + 1, (rows, batch))
    chosen = 0 if first else rows - 1
    options = {**way, "batch": batch, "dtype": np.dtype(np.float32)}
    if "lengths" in way:
        options["lengths"] = drawn
    together = Case(name, rows=rows, **options)
    if "lengths" in way:
        options["lengths"] = drawn[chosen : chosen + 1]
    alone = Case(name, rows=1, **options)
    arrays = [each for group in alone.parameters for each in group]
    others = [each for group in together.parameters for each in group]
    pairs = [*zip(arrays, others, strict=True), (alone.x, together.x), (alone.direction, together.direction)]
    for mine, theirs in pairs:
        mine[0] = theirs[chosen]
    for each in others:
        each[:chosen], each[chosen + 1 :] = np.nan, np.inf
    with np.errstate(all="ignore"):
        for case in (together, alone):
            case.layer.forward()
            case.backward()
    np.testing.assert_array_equal(alone.values[0], together.values[chosen])
    np.testing.assert_array_equal(alone.dx[0], together.dx[chosen])
    for mine, theirs in zip(alone.gradients, together.gradients, strict=True):
        for one, other in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(one[0], other[chosen])
