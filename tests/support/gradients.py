"""Checks gradients against central differences in float64, and refuses points where there is no gradient."""

from collections.abc import Callable

import numpy as np


class NotDifferentiableError(AssertionError):
    """The function has a kink or a jump where the gradient was to be checked."""


def numerical_gradient(function: Callable[[], float], x: np.ndarray, step: float = 1e-4) -> np.ndarray:
    """d(function())/dx by central differences, changing `x` in place and back.

    At a kink the slopes to the left and to the right differ by as much however small the step; where the
    function is smooth, the difference shrinks with the step.
    """
    assert x.dtype == np.float64, "central differences need float64"
    result = np.empty_like(x)
    for place in np.ndindex(x.shape):
        here = x[place]
        jumps, slopes = [], []
        middle = function()
        for h in (step, step / 4):
            x[place] = here + h
            above = function()
            x[place] = here - h
            below = function()
            x[place] = here
            slopes.append((above - below) / (2 * h))
            jumps.append(abs(above - 2 * middle + below) / h)
        scale = max(1.0, abs(slopes[1]))
        if jumps[1] > 1e-4 * scale and jumps[1] > 0.5 * jumps[0]:
            raise NotDifferentiableError(f"kink at {place}: slopes differ by {jumps[1]:.3g}")
        result[place] = (16 * slopes[1] - slopes[0]) / 15
    return result


def check_gradient(
    function: Callable[[], float], x: np.ndarray, gradient: np.ndarray, tolerance: float = 1e-7
) -> None:
    """Assert that `gradient` is d(function())/dx."""
    expected = numerical_gradient(function, x)
    np.testing.assert_allclose(gradient, expected, rtol=tolerance, atol=tolerance)
