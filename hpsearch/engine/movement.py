"""How weights move once their gradients are known: penalties, decay, the optimizer's rule.

That is a dozen passes over the same flat buffers. They are made stretch by stretch, each small enough to stay in the
second-level cache from the first pass to the last; a stretch is a few rows, or a part of a long one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np

from hpsearch.engine.arrays import Array, aligned, padded, shared
from hpsearch.engine.caches import second_level_cache
from hpsearch.engine.layout import Layout
from hpsearch.engine.optimizers import FLUSHED_EVERY, RULES, flush
from hpsearch.engine.penalties import PENALTIES, column
from hpsearch.spec.hyperparameters import Hyperparameters

BUFFERS: Final = 5
"""Weights, gradients, two moments and scratch: what the longest rule passes over."""

STRETCH: Final = second_level_cache() * 7 // 10 // BUFFERS // 4
"""Numbers of each buffer in a stretch: single precision, all buffers in most of the second-level cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The same k rows and n columns of all flat buffers: (k, n) each, the slots (S, k, n)."""

    parameters: Array
    gradients: Array
    slots: Array
    scratch: Array
    flags: Array
    biases: tuple[Array, ...]
    """Where the biases are, in the scratch."""


class Stretch:
    """Neighbouring rows with the same rule and the same kinds of penalties, in one or several parts."""

    def __init__(self, rows: slice, members: Sequence[Hyperparameters], parts: Sequence[Part]) -> None:
        self._rows, self._members, self._parts = rows, members, parts
        self._dtype = parts[0].parameters.dtype
        self._rule = RULES[members[0].optimizer]
        self._decays = decays(members[0])
        self._penalties = [
            (gradient_of, shared(column([getattr(h, name) for h in members], self._dtype)))
            for name, gradient_of in PENALTIES.items()
            if getattr(members[0], name) > 0
        ]

    def begin(self, rates: Array, first: int) -> None:
        """Compute the coefficients of an epoch: all rows' rates (K, S) at its steps, the number of the first."""
        self._first, rates = first, rates[self._rows]
        table = self._rule.coefficients(self._members, rates, first)
        columns = [by_step(coefficient, rates.shape[1], self._dtype) for coefficient in table]
        self._coefficients = list(zip(*columns, strict=True))
        if self._decays:
            strengths = [[h.weight_decay] for h in self._members]
            self._decay = by_step(rates * strengths, rates.shape[1], self._dtype)

    def penalize(self) -> None:
        """Add the penalties' gradients to those of the data."""
        for part in self._parts:
            self._penalize(part)

    def move(self, step: int) -> None:
        """Move the weights."""
        for part in self._parts:
            self._move(part, step)

    def penalize_and_move(self, step: int) -> None:
        """Both, one part after the other."""
        for part in self._parts:
            self._penalize(part)
            self._move(part, step)

    def _penalize(self, part: Part) -> None:
        for gradient_of, strength in self._penalties:
            gradient_of(part.parameters, strength, part.scratch)
            for bias in part.biases:
                bias.fill(0)
            np.add(part.gradients, part.scratch, part.gradients)

    def _move(self, part: Part, step: int) -> None:
        """Decoupled decay first, then the rule."""
        if (self._first + step) % FLUSHED_EVERY == 0:
            flush([part.parameters, *part.slots], part.scratch, part.flags)
        if self._decays:
            np.multiply(part.parameters, self._decay[step], part.scratch)
            for bias in part.biases:
                bias.fill(0)
            np.subtract(part.parameters, part.scratch, part.parameters)
        self._rule.step(part.parameters, part.gradients, part.slots, part.scratch, self._coefficients[step])


def decays(h: Hyperparameters) -> bool:
    """Whether weights decay on their own, apart from the gradient."""
    return h.optimizer == "adamw" and h.weight_decay > 0


def kind(h: Hyperparameters) -> tuple[object, ...]:
    """What the rows of a stretch agree in."""
    return (h.optimizer, decays(h), *(getattr(h, name) > 0 for name in PENALTIES))


def by_step(values: Array, steps: int, dtype: np.dtype[Any]) -> Sequence[Array]:
    """(k, S), or (k, 1) for all steps -> for each of S steps a column (k, 1), or the number that all rows share."""
    values = values.astype(dtype)
    if values.shape[1] == 1:
        return [shared(values)] * steps
    if (values == values[0]).all():
        return [value.reshape(()) for value in values[0, :, None]]
    return list(np.ascontiguousarray(values.T)[..., None])


def stretches(
    members: Sequence[Hyperparameters], layout: Layout, parameters: Array, gradients: Array, slots: Array
) -> list[Stretch]:
    """All rows, in stretches; they share their scratch memory."""
    tall = max(1, STRETCH // layout.size)
    wide = padded(-(-layout.size // -(-layout.size // STRETCH)), parameters.dtype)
    scratch = aligned((min(tall, len(members)) * wide,), parameters.dtype)
    flags = np.empty(scratch.shape, np.bool_)

    def part(rows: slice, columns: slice) -> Part:
        chosen = parameters[rows, columns]
        room = scratch[: chosen.size].reshape(chosen.shape)
        remembered = slots[: RULES[members[rows.start].optimizer].slots, rows, columns]
        return Part(
            parameters=chosen,
            gradients=gradients[rows, columns],
            slots=remembered,
            scratch=room,
            flags=flags[: chosen.size].reshape(chosen.shape),
            biases=tuple(biases_within(layout, columns, room)),
        )

    pieces = [slice(start, min(start + wide, layout.size)) for start in range(0, layout.size, wide)]
    return [
        Stretch(rows, members[rows], [part(rows, piece) for piece in pieces]) for rows in alike(members, tall)
    ]


def alike(members: Sequence[Hyperparameters], most: int) -> Iterator[slice]:
    """Stretches of rows of one kind, as even as they can be with at most `most` rows each."""
    start = 0
    for _, same in groupby(members, key=kind):
        count = len(list(same))
        stop, tall = start + count, -(-count // -(-count // most))
        for first in range(start, stop, tall):
            yield slice(first, min(first + tall, stop))
        start = stop


def biases_within(layout: Layout, columns: slice, frame: Array) -> Iterator[Array]:
    """The places in `frame` (k, n), which holds these columns of the flat buffer, where biases are."""
    for block in layout.blocks:
        start = max(block.biases.start, columns.start)
        stop = min(block.biases.stop, columns.stop)
        if start < stop:
            yield frame[:, start - columns.start : stop - columns.start]
