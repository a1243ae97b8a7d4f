"""What the engine must know of a kind of layer: its shape, what it learns, and how it is built."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hpsearch.engine.arrays import Array
from hpsearch.engine.dropout import Mask
from hpsearch.engine.layers.ports import Layer, Port, Shape
from hpsearch.spec.layers import LayerSettings


class ShapeError(ValueError):
    """A layer cannot be built on inputs of some shape: the rule, and what to do."""

    def __init__(self, rule: str, remedy: str = "") -> None:
        super().__init__(rule)
        self.rule, self.remedy = rule, remedy
        self.index: int | None = None
        """Which of a network's computed layers it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """One array that a layer learns: weights (..., I, O), and behind 2-D weights a row of biases.

    L1, L2, decay, and (unless `bounded` is off) max-norm over the axis of inputs apply to weights, and to
    nothing else; biases and gains alone are a `bias` behind (0, O) weights. `bias` holds the initial values.
    Weights are drawn by the initializer for `fans` (fan-in, fan-out); `orthogonal` ones as square matrices
    side by side.
    """

    name: str
    weights: Shape
    fans: tuple[int, int] = (1, 1)
    bias: tuple[float, ...] = ()
    orthogonal: bool = False
    bounded: bool = True
    padded: bool = False
    """Whether the first input stands for nothing: its weights are zero, and stay so."""
    blank: bool = False
    """Whether the first input's weights start at zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """Numbers that a layer keeps without learning them by gradients, such as running statistics."""

    name: str
    initial: tuple[float, ...]


@dataclass(slots=True)
class Presence:
    """Which samples of a batch there are when forward runs: `samples` (K, B), None where each place has one."""

    samples: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a layer is to stand.

    `behind` is finished; K, B and the type of numbers are those of its arrays. `parameters` and `gradients`
    are views of the flat buffers, in the order of the kind's arrays, `state` (K, n) those of its memory.
    `lengths`, if sequences differ, holds the steps that each has at the layer's input, (K, B), when forward
    runs; `presence` tells which samples are there. `mask` is the dropout on the layer's output. `paths` are the
    two ways through a residual block. `deepest`: nobody needs the gradient in front.
    """

    layer: LayerSettings
    before: Shape
    behind: Port
    parameters: tuple[Array, ...] = ()
    gradients: tuple[Array, ...] = ()
    state: tuple[Array, ...] = ()
    lengths: Array | None = None
    presence: Presence = field(default_factory=Presence)
    mask: Mask | None = None
    deepest: bool = False
    paths: tuple[Callable[[Port], tuple[Port, list[Layer]]], ...] = ()

    @property
    def rows(self) -> int:
        """K."""
        return int(self.behind.values.inner.shape[0])

    @property
    def batch(self) -> int:
        """B."""
        return int(self.behind.values.inner.shape[1])


def valid_steps(lengths: Array, steps: int) -> Array:
    """(K, B) lengths -> (K, B, T): which of T steps a sequence has."""
    there: Array = np.arange(steps) < lengths[..., None]
    return there


def nothing(_layer: LayerSettings, _shape: Shape) -> tuple[Trained, ...]:
    """Nothing to learn."""
    return ()


def unchanged(_layer: LayerSettings, shape: Shape) -> Shape:
    """The shape of the inputs."""
    return shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of layer.

    `shape` gives the outputs' shape for that of the inputs, or raises ShapeError. `build` makes the layer, and
    the port in front of it in the form that it likes to read. `steps` gives the steps of sequences behind
    the layer where it changes them.
    """

    shape: Callable[[LayerSettings, Shape], Shape] = unchanged
    arrays: Callable[[LayerSettings, Shape], tuple[Trained, ...]] = nothing
    state: Callable[[LayerSettings, Shape], tuple[Remembered, ...]] = field(default=lambda _layer, _shape: ())
    build: Callable[[Site], tuple[Port, Layer]]
    steps: Callable[[LayerSettings, Array], Array] | None = None


def needs(rank: int | tuple[int, ...], layer: LayerSettings, shape: Shape) -> None:
    """Raise ShapeError unless the inputs have one of these ranks."""
    allowed = (rank,) if isinstance(rank, int) else rank
    if len(shape) not in allowed:
        words = " or ".join(_RANKS[each] for each in allowed)
        raise ShapeError(f"{layer.kind} takes {words}, got {words_of(shape)}", _remedy(allowed, shape))


def words_of(shape: Shape) -> str:
    """`28 x 28 x 1`."""
    return " x ".join(map(str, shape))


_RANKS = {1: "a flat input", 2: "a sequence (steps x features)", 3: "an image (height x width x channels)"}


def _remedy(allowed: tuple[int, ...], shape: Shape) -> str:
    if 1 in allowed:
        return "put flatten, a global pooling or a recurrent layer with `states: last` in front of it"
    if len(shape) == 1:
        return "a table has no steps nor pixels: put reshape in front, for example {reshape: [8, 8, 1]}"
    return ""
