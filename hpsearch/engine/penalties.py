"""What holds weights small: L1, L2, decoupled decay, a bound on each unit's weights, a bound on the gradient.

Penalties touch weights, never biases. Each is applied to exactly the rows that ask for it: adding zero
times a weight would not be the same, to the last bit, as adding nothing. Rows are sorted so that those rows
are few stretches.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from hpsearch.engine.arrays import Array, runs
from hpsearch.engine.layout import Layout
from hpsearch.spec.hyperparameters import Hyperparameters

Operation = Callable[[], None]

Penalty = Callable[[Array, Array, Array], None]
"""(parameters, strength, out) writes the penalty's gradient."""

CLIP_EPSILON: Final = 1e-6
"""Added to the norm before dividing, as PyTorch's `clip_grad_norm_` does."""


def l2(parameters: Array, strength: Array, out: Array) -> None:
    """The gradient of strength w^2 / 2: strength w."""
    np.multiply(parameters, strength, out)


def l1(parameters: Array, strength: Array, out: Array) -> None:
    """The gradient of strength |w|: strength sign(w)."""
    np.sign(parameters, out)
    np.multiply(out, strength, out)


PENALTIES: Final[dict[str, Penalty]] = {"l1": l1, "l2": l2}


def bound_operations(
    members: Sequence[Hyperparameters], layout: Layout, parameters: Array
) -> list[Operation]:
    """What scales each unit's incoming weights back to norm <= `max_norm` after a step."""
    bounds = [h.max_norm for h in members]
    columns = [
        (run, column([bound or 0.0 for bound in bounds[run]], parameters.dtype))
        for run in runs(bound is not None for bound in bounds)
    ]
    return [
        max_norm(block.weights_of(parameters)[run], bound)
        for run, bound in columns
        for block in layout.blocks
        if block.trained.bounded and block.trained.weights[0]
    ]


def max_norm(weight: Array, bound: Array) -> Operation:
    """The bound, w *= min(1, bound / |w|) for each column w of (K, ..., D, H) (Srebro et al. 2005)."""
    *above, inputs, outputs = weight.shape
    squares = scaled = np.empty_like(weight)
    ones, factor = np.ones((1, inputs), weight.dtype), np.empty((*above, 1, outputs), weight.dtype)
    bound = bound.reshape(-1, *(1 for _ in weight.shape[1:]))
    one = weight.dtype.type(1)

    def apply() -> None:
        np.multiply(weight, weight, squares)
        np.matmul(ones, squares, out=factor)
        np.sqrt(factor, factor)
        np.divide(bound, factor, factor)
        np.fmin(factor, one, out=factor)
        # In place, NumPy would first copy a view with gaps: it cannot tell that nothing overlaps.
        np.multiply(weight, factor, scaled)
        np.copyto(weight, scaled)

    return apply


def clip_operations(members: Sequence[Hyperparameters], gradients: Array, squares: Array) -> list[Operation]:
    """What scales each network's whole gradient, penalties included, back to norm <= `clip_norm`.

    `squares`, (K,), holds the squared norms when the operations run.
    """
    bounds = [h.clip_norm for h in members]
    operations = []
    for run in runs(bound is not None for bound in bounds):
        bound = column([bound or 0.0 for bound in bounds[run]], gradients.dtype)
        operations.append(clip(gradients[run], squares[run, None], bound))
    return operations


def clip(gradient: Array, squares: Array, bound: Array) -> Operation:
    """The bound, g *= min(1, bound / (|g| + 1e-6)), (k, P) with (k, 1) squared norms and bounds."""
    factor = np.empty_like(bound)
    number = gradient.dtype.type

    def apply() -> None:
        np.sqrt(squares, factor)
        np.add(factor, number(CLIP_EPSILON), factor)
        np.divide(bound, factor, factor)
        np.minimum(factor, number(1), out=factor)
        np.multiply(gradient, factor, gradient)

    return apply


def column(values: Sequence[float], dtype: np.dtype[Any]) -> Array:
    """(K, 1)."""
    return np.array(values, dtype).reshape(-1, 1)
