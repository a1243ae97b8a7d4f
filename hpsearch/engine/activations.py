"""The nonlinear functions between layers, each beside its derivative.

Every function writes into `out` and allocates nothing that grows with a training step. None warns or
overflows for finite inputs: where an exponential would, its argument is bounded first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt
from typing import Final, Self

import numpy as np

from hpsearch.engine.arrays import Array, constant

LEAK: Final = 0.01
"""Slope of the leaky ReLU below zero (Maas et al. 2013)."""

_GELU_SCALE: Final = sqrt(2 / pi)
_GELU_CUBIC: Final = 0.044715


Gate = Callable[[Array, Array], None]
"""(z, flags) writes booleans."""


@dataclass(frozen=True, slots=True)
class Work:
    """Scratch memory in the shape of what an activation works on."""

    floats: Array
    flags: Array

    @classmethod
    def like(cls, frame: Array) -> Self:
        """Scratch for `frame`."""
        return cls(np.empty_like(frame), np.empty_like(frame, dtype=np.bool_))


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """One function f with its derivative.

    `value(z, out, work)` writes f(z); `slope(z, h, out, work)` writes f'(z), given h = f(z). No two of the
    arrays may share memory. `piecewise_linear` says that f(z) = z f'(z), and that `slope` does not read
    `h`, so that a training step needs the slope alone. `gate(z, flags)`, if there is one, says where f(z) = z;
    elsewhere f is zero.
    """

    value: Callable[[Array, Array, Work], None]
    slope: Callable[[Array, Array, Array, Work], None]
    piecewise_linear: bool = False
    gate: Gate | None = None


def identity(z: Array, out: Array, _work: Work) -> None:
    """f(z) = z."""
    np.copyto(out, z)


def identity_slope(_z: Array, _h: Array, out: Array, _work: Work) -> None:
    """f'(z) = 1."""
    out.fill(1)


def relu(z: Array, out: Array, _work: Work) -> None:
    """f(z) = max(z, 0) (Nair and Hinton 2010). NaN stays NaN."""
    np.maximum(z, constant(0, z.dtype), out=out)


def relu_gate(z: Array, flags: Array) -> None:
    """Where z > 0."""
    np.greater(z, constant(0, z.dtype), flags)


def relu_slope(z: Array, _h: Array, out: Array, work: Work) -> None:
    """f'(z) = 1 where z > 0, else 0."""
    relu_gate(z, work.flags)
    np.copyto(out, work.flags)


def leaky_relu(z: Array, out: Array, _work: Work) -> None:
    """f(z) = z where z > 0, else 0.01 z."""
    np.multiply(z, constant(LEAK, z.dtype), out)
    np.maximum(z, out, out=out)


def leaky_relu_slope(z: Array, h: Array, out: Array, work: Work) -> None:
    """f'(z) = 1 where z > 0, else 0.01."""
    relu_slope(z, h, out, work)
    np.maximum(out, constant(LEAK, z.dtype), out=out)


def sigmoid(z: Array, out: Array, _work: Work) -> None:
    """f(z) = 1 / (1 + exp(-z))."""
    _logistic(z, out)


def sigmoid_slope(_z: Array, h: Array, out: Array, _work: Work) -> None:
    """f'(z) = f(z) (1 - f(z))."""
    np.subtract(constant(1, h.dtype), h, out)
    np.multiply(out, h, out)


def tanh(z: Array, out: Array, _work: Work) -> None:
    """The hyperbolic tangent."""
    np.tanh(z, out)


def tanh_slope(_z: Array, h: Array, out: Array, _work: Work) -> None:
    """f'(z) = 1 - f(z)^2."""
    np.multiply(h, h, out)
    np.subtract(constant(1, h.dtype), out, out)


def gelu(z: Array, out: Array, work: Work) -> None:
    """f(z) = z s(z), with s = (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))) / 2.

    The tanh form of Hendrycks and Gimpel (2016), PyTorch's `approximate="tanh"`.
    """
    _gelu_gate(z, out, work.floats)
    np.multiply(z, out, out)


def gelu_slope(z: Array, _h: Array, out: Array, work: Work) -> None:
    """f'(z) = s + z s'(z) = 1 - (1 - s) (1 - s q), with s' = s (1 - s) q / z from the gate's slope."""
    one, product = constant(1, z.dtype), work.floats
    _gelu_gate(z, out, product)
    np.multiply(product, out, product)
    np.subtract(one, product, product)
    np.subtract(one, out, out)
    np.multiply(out, product, out)
    np.subtract(one, out, out)


def silu(z: Array, out: Array, _work: Work) -> None:
    """f(z) = z sigmoid(z) (Elfwing et al. 2017), also called swish."""
    _logistic(z, out)
    np.multiply(z, out, out)


def silu_slope(z: Array, h: Array, out: Array, work: Work) -> None:
    """f'(z) = s + f(z) (1 - s), with s = sigmoid(z)."""
    gate = work.floats
    _logistic(z, gate)
    np.subtract(constant(1, z.dtype), gate, out)
    np.multiply(out, h, out)
    np.add(out, gate, out)


def _logistic(z: Array, out: Array) -> None:
    """1 / (1 + exp(-z)) as (1 + tanh(z / 2)) / 2, which cannot overflow. `out` may be `z`."""
    half = constant(0.5, z.dtype)
    np.multiply(z, half, out)
    np.tanh(out, out)
    np.multiply(out, half, out)
    np.add(out, half, out)


def _gelu_gate(z: Array, gate: Array, growth: Array) -> None:
    """The gate s = logistic(2u) with u = a (z + c z^3), and q = 2 z u'(z) = 2 a (z + 3 c z^3) into `growth`.

    Since q + 4 a z = 6 u, the second follows from the first. Beyond |z| = 16 the gate is 0 or 1 in any
    precision, so that z may be bounded there, and no power of it overflows.
    """
    dtype = z.dtype
    np.clip(z, constant(-16, dtype), constant(16, dtype), out=gate)
    np.multiply(gate, gate, growth)
    np.multiply(growth, constant(6 * _GELU_SCALE * _GELU_CUBIC, dtype), growth)
    np.add(growth, constant(2 * _GELU_SCALE, dtype), growth)
    np.multiply(growth, gate, growth)
    np.multiply(gate, constant(4 * _GELU_SCALE, dtype), gate)
    np.add(gate, growth, gate)
    np.multiply(gate, constant(1 / 3, dtype), gate)
    _logistic(gate, gate)


ACTIVATIONS: Final[dict[str, Activation]] = {
    "identity": Activation(value=identity, slope=identity_slope, piecewise_linear=True),
    "relu": Activation(value=relu, slope=relu_slope, piecewise_linear=True, gate=relu_gate),
    "leaky_relu": Activation(value=leaky_relu, slope=leaky_relu_slope, piecewise_linear=True),
    "sigmoid": Activation(value=sigmoid, slope=sigmoid_slope),
    "tanh": Activation(value=tanh, slope=tanh_slope),
    "gelu": Activation(value=gelu, slope=gelu_slope),
    "silu": Activation(value=silu, slope=silu_slope),
}
