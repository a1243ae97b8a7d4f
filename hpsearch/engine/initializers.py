"""Where learning starts: the initial weights of a layer, by its fan-in and fan-out. Biases start at zero."""

from collections.abc import Callable
from math import sqrt
from typing import Final

import numpy as np

from hpsearch.engine.arrays import Array

Spread = Callable[[int, int, float], float]
"""(fan-in, fan-out, initial_scale) -> the standard deviation of the normal distribution to draw from."""


def zeros(_fan_in: int, _fan_out: int, _scale: float) -> float:
    """All zero: hidden units stay equal to one another. Of use for lessons, and without hidden layers."""
    return 0.0


def normal(_fan_in: int, _fan_out: int, scale: float) -> float:
    """The same spread in every layer: `initial_scale`."""
    return scale


def xavier(fan_in: int, fan_out: int, _scale: float) -> float:
    """sqrt(2 / (fan-in + fan-out)), for tanh and sigmoid (Glorot and Bengio 2010)."""
    return sqrt(2 / (fan_in + fan_out))


def he(fan_in: int, _fan_out: int, _scale: float) -> float:
    """sqrt(2 / fan-in), for ReLU and its kin (He et al. 2015)."""
    return sqrt(2 / fan_in)


def lecun(fan_in: int, _fan_out: int, _scale: float) -> float:
    """sqrt(1 / fan-in) (LeCun et al. 1998)."""
    return sqrt(1 / fan_in)


INITIALIZERS: Final[dict[str, Spread]] = {
    "zeros": zeros,
    "normal": normal,
    "xavier": xavier,
    "he": he,
    "lecun": lecun,
}


def initial(
    name: str,
    shape: tuple[int, ...],
    *,
    fans: tuple[int, int],
    scale: float,
    generator: np.random.Generator,
) -> Array:
    """Float64 weights of one layer, drawn from its network's own stream."""
    return generator.standard_normal(shape) * INITIALIZERS[name](*fans, scale)


def orthogonal(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    """(I, n I) float64: n orthogonal matrices side by side, for weights that are applied at every time step.

    Each is drawn evenly from all orthogonal matrices (Mezzadri 2007), so that no state grows nor vanishes at the start
    (Saxe et al. 2013).
    """
    inputs, units = shape
    drawn = generator.standard_normal((units // inputs, inputs, inputs))
    q, r = np.linalg.qr(drawn)
    signs = np.sign(np.einsum("nii->ni", r))
    return np.concatenate(list(q * signs[:, None, :]), axis=1)
