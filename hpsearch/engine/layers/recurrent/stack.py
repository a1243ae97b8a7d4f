"""Recurrent layers in both directions, and on top of each other."""

from collections.abc import Sequence

import numpy as np

from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.layers.ports import Frame, Port
from hpsearch.engine.layers.recurrent.recurrence import Recurrence, time_port


class Level:
    """One recurrence, or two that read the same sequence in opposite directions, their outputs side by side."""

    def __init__(self, before: Port, directions: Sequence[Recurrence], *, deepest: bool) -> None:
        self._directions = directions
        self._inward: list[Array] = []
        if not deepest:
            rows, width, steps, batch = before.gradient.whole.shape
            flat = before.gradient.whole[:, :-1].reshape(rows, width - 1, steps * batch)
            self._inward = [flat, *(aligned(flat.shape, flat.dtype) for _ in directions[1:])]

    def forward(self) -> None:
        """Compute the states of all directions."""
        for direction in self._directions:
            direction.forward()

    evaluate = forward

    def backward(self) -> None:
        """Compute the gradients of all parameters, and the one in front unless nobody needs it."""
        for direction in self._directions:
            direction.backward()
        for direction, gradient in zip(self._directions, self._inward, strict=False):
            direction.backward_to_inputs(gradient)
        for other in self._inward[1:]:
            np.add(self._inward[0], other, self._inward[0])


class Stack:
    """Levels on top of each other: all but the last hand on the states of all steps."""

    def __init__(self, levels: Sequence[Level]) -> None:
        self._levels = levels

    def forward(self) -> None:
        """From the first to the last."""
        for level in self._levels:
            level.forward()

    evaluate = forward

    def backward(self) -> None:
        """From the last to the first."""
        for level in reversed(self._levels):
            level.backward()


def stack(
    cell: type[Recurrence],
    behind: Port,
    *,
    shape: tuple[int, ...],
    directions: int,
    parameters: Sequence[Sequence[Array]],
    gradients: Sequence[Sequence[Array]],
    lengths: Array | None,
    deepest: bool,
) -> tuple[Port, Stack]:
    """The layer and the port in front of it, for inputs of `shape` (T, D).

    Parameters are given by level and direction: of level 1 forwards, of level 1 in reverse, of level 2 forwards, and
    so on.
    Behind are all states, (K, B, T, directions H), or the last of each direction, (K, B, directions H).
    """
    rows, batch = behind.values.inner.shape[:2]
    units, dtype = parameters[0][1].shape[1], parameters[0][1].dtype
    count = len(parameters) // directions
    levels: list[Level] = []
    for level in reversed(range(count)):
        width = shape[1] if level == 0 else directions * units
        before = time_port(rows, batch, (shape[0], width), dtype)
        members = range(level * directions, (level + 1) * directions)
        halves = [
            cell(
                before,
                _half(behind, slice(place * units, (place + 1) * units)),
                parameters=parameters[member],
                gradients=gradients[member],
                lengths=lengths,
                reverse=bool(place),
            )
            for place, member in enumerate(members)
        ]
        levels.append(Level(before, halves, deepest=deepest and level == 0))
        behind = before
    return behind, Stack(levels[::-1])


def _half(port: Port, part: slice) -> Port:
    """The part of a port's features that one direction writes."""
    values, gradient = (
        Frame(frame.whole, frame.inner[..., part], frame.by_sample) for frame in (port.values, port.gradient)
    )
    return Port(values, gradient)
