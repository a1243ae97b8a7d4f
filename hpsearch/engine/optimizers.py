"""The rules by which weights follow gradients, as data and a step, in order of increasing complexity.

A rule works on flat (K, P) buffers: all parameters of all networks that use it, in a dozen passes whatever
the number of layers. Its per-step coefficients are computed for a whole epoch at once, in float64; a
step gets them as columns (K, 1). Semantics, defaults and the place of epsilon are
those of PyTorch's optimizers.

Exponential averages are stored divided by (1 - decay): `s = decay * s + g` then takes two passes over
memory instead of three, and the factor goes into the coefficients.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hpsearch.engine.arrays import Array
from hpsearch.spec.hyperparameters import Hyperparameters

Coefficients = Callable[[Sequence[Hyperparameters], Array, int], tuple[Array, ...]]
"""(K hyperparameters, learning rates (K, S) of S steps, number of the first step from 1) -> coefficients,
each (K, S), or (K, 1) for all steps."""

Step = Callable[[Array, Array, Array, Array, Sequence[Array]], None]
"""(weights, gradients, slots (S, K, P), scratch, coefficients: (K, 1), or one number) changes weights and slots; spoils
gradients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An optimizer: how many buffers it remembers, its coefficients and its step. All slots start at zero."""

    slots: int
    coefficients: Coefficients
    step: Step


def constant(members: Sequence[Hyperparameters], name: str) -> Array:
    """A hyperparameter of each network, (K, 1) for all steps."""
    return np.array([[getattr(h, name)] for h in members], np.float64)


def powers(base: Array, first: int, like: Array) -> Array:
    """The powers base^first, base^(first + 1), ..., (K, S) as `like`, one multiplication after the other.

    NumPy's own power may round differently in different places of an array; products round alike everywhere.
    """
    factors = np.empty_like(like)
    factors[:] = base
    factors[:, 0] = [value**first for value in base[:, 0].tolist()]
    result: Array = np.multiply.accumulate(factors, axis=1)
    return result


def sgd_coefficients(_members: Sequence[Hyperparameters], rate: Array, _first: int) -> tuple[Array, ...]:
    """The learning rate."""
    return (rate,)


def sgd(w: Array, g: Array, _slots: Array, _scratch: Array, c: Sequence[Array]) -> None:
    """Plain descent, w -= rate g (Robbins and Monro 1951)."""
    np.multiply(g, c[0], g)
    np.subtract(w, g, w)


def momentum_coefficients(members: Sequence[Hyperparameters], rate: Array, _first: int) -> tuple[Array, ...]:
    """The learning rate and the momentum."""
    return rate, constant(members, "momentum")


def momentum(w: Array, g: Array, slots: Array, scratch: Array, c: Sequence[Array]) -> None:
    """Heavy ball, v = mu v + g; w -= rate v (Polyak 1964)."""
    velocity = slots[0]
    np.multiply(velocity, c[1], velocity)
    np.add(velocity, g, velocity)
    np.multiply(velocity, c[0], scratch)
    np.subtract(w, scratch, w)


def nesterov(w: Array, g: Array, slots: Array, scratch: Array, c: Sequence[Array]) -> None:
    """Looking ahead, v = mu v + g; w -= rate (g + mu v) (Nesterov 1983)."""
    velocity = slots[0]
    np.multiply(velocity, c[1], velocity)
    np.add(velocity, g, velocity)
    np.multiply(velocity, c[1], scratch)
    np.add(scratch, g, scratch)
    np.multiply(scratch, c[0], scratch)
    np.subtract(w, scratch, w)


def adagrad_coefficients(members: Sequence[Hyperparameters], rate: Array, _first: int) -> tuple[Array, ...]:
    """The learning rate and epsilon."""
    return rate, constant(members, "epsilon")


def adagrad(w: Array, g: Array, slots: Array, scratch: Array, c: Sequence[Array]) -> None:
    """Sum of squares, s += g^2; w -= rate g / (sqrt(s) + eps) (Duchi et al. 2011)."""
    squares = slots[0]
    np.multiply(g, g, scratch)
    np.add(squares, scratch, squares)
    np.sqrt(squares, scratch)
    np.add(scratch, c[1], scratch)
    np.divide(g, scratch, scratch)
    np.multiply(scratch, c[0], scratch)
    np.subtract(w, scratch, w)


def rmsprop_coefficients(members: Sequence[Hyperparameters], rate: Array, _first: int) -> tuple[Array, ...]:
    """The learning rate and epsilon over sqrt(1 - rho), as the squares are stored unscaled, and the decay."""
    rho = constant(members, "rho")
    root = np.sqrt(1 - rho)
    return rate / root, constant(members, "epsilon") / root, rho


def rmsprop(w: Array, g: Array, slots: Array, scratch: Array, c: Sequence[Array]) -> None:
    """Mean square, v = rho v + (1 - rho) g^2; w -= rate g / (sqrt(v) + eps) (Tieleman and Hinton 2012)."""
    squares = slots[0]
    np.multiply(g, g, scratch)
    np.multiply(squares, c[2], squares)
    np.add(squares, scratch, squares)
    np.sqrt(squares, scratch)
    np.add(scratch, c[1], scratch)
    np.divide(g, scratch, scratch)
    np.multiply(scratch, c[0], scratch)
    np.subtract(w, scratch, w)


def adam_coefficients(members: Sequence[Hyperparameters], rate: Array, first: int) -> tuple[Array, ...]:
    """The corrected step size and epsilon, and the two decays.

    With M = m / (1 - b1) and V = v / (1 - b2), rate m_hat / (sqrt(v_hat) + eps) = size M / (sqrt(V) + eps /
    root), where root^2 = (1 - b2) / (1 - b2^t) and size = rate (1 - b1) / ((1 - b1^t) root).
    """
    beta1, beta2 = constant(members, "beta1"), constant(members, "beta2")
    root = np.sqrt((1 - beta2) / (1 - powers(beta2, first, rate)))
    size = rate * (1 - beta1) / ((1 - powers(beta1, first, rate)) * root)
    return size, constant(members, "epsilon") / root, beta1, beta2


def adam(w: Array, g: Array, slots: Array, scratch: Array, c: Sequence[Array]) -> None:
    """Both moments corrected for their start at zero (Kingma and Ba 2014).

    m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= rate m_hat / (sqrt(v_hat) + eps).
    AdamW (Loshchilov and Hutter 2017) is the same step after its decoupled weight decay.
    """
    size, epsilon, decay, decay_of_squares = c
    mean, squares = slots
    np.multiply(mean, decay, mean)
    np.add(mean, g, mean)
    np.multiply(g, g, scratch)
    np.multiply(squares, decay_of_squares, squares)
    np.add(squares, scratch, squares)
    np.sqrt(squares, scratch)
    np.add(scratch, epsilon, scratch)
    np.divide(mean, scratch, scratch)
    np.multiply(scratch, size, scratch)
    np.subtract(w, scratch, w)


NEGLIGIBLE: Final = 1e-33
FLUSHED_EVERY: Final = 64
"""Steps between two flushes: decaying by 0.9 a step, a value needs 80 from `NEGLIGIBLE` to a subnormal number."""


def flush(buffers: Iterable[Array], scratch: Array, flags: Array) -> None:
    """Set to zero what is smaller than `NEGLIGIBLE` in size, among the weights and what a rule remembers.

    The moments of a weight without gradient (behind a unit that is never active) decay into subnormal numbers and
    stay there, and so does the weight under a penalty. Processors take a hundred times as long for those: training
    would slow down threefold.
    """
    for buffer in buffers:
        np.abs(buffer, scratch)
        np.greater(scratch, scratch.dtype.type(NEGLIGIBLE), flags)
        np.copyto(scratch, flags)
        np.multiply(buffer, scratch, buffer)


RULES: Final[dict[str, Rule]] = {
    "sgd": Rule(slots=0, coefficients=sgd_coefficients, step=sgd),
    "momentum": Rule(slots=1, coefficients=momentum_coefficients, step=momentum),
    "nesterov": Rule(slots=1, coefficients=momentum_coefficients, step=nesterov),
    "adagrad": Rule(slots=1, coefficients=adagrad_coefficients, step=adagrad),
    "rmsprop": Rule(slots=1, coefficients=rmsprop_coefficients, step=rmsprop),
    "adam": Rule(slots=2, coefficients=adam_coefficients, step=adam),
    "adamw": Rule(slots=2, coefficients=adam_coefficients, step=adam),
}
