"""One training step of K networks: forward, loss, backward, penalties, clipping, optimizer, bounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

import numpy as np

from hpsearch.engine.arrays import Array, aligned, runs, total
from hpsearch.engine.batches import Batches
from hpsearch.engine.dropout import Mask, Masks
from hpsearch.engine.losses import LOSSES, Work
from hpsearch.engine.network import Layout, Network
from hpsearch.engine.optimizers import FLUSHED_EVERY, RULES, Rule, flush
from hpsearch.engine.penalties import bound_operations, clip_operations, penalty_operations
from hpsearch.spec.hyperparameters import Hyperparameters


class Steps:
    """The steps on (K, P) parameters and (S, K, P) optimizer slots; all their memory is allocated here."""

    def __init__(
        self,
        members: Sequence[Hyperparameters],
        layout: Layout,
        parameters: Array,
        slots: Array,
        *,
        batches: Batches,
        hidden_masks: Masks | None,
        input_masks: Masks | None,
    ) -> None:
        self._members, self._layout, self._parameters = members, layout, parameters
        self._gradients, scratch = (aligned(parameters.shape, parameters.dtype) for _ in range(2))
        self._hidden_masks, self._input_masks = hidden_masks, input_masks
        if input_masks is not None:
            rows, batch, width = input_masks.frames[0].stays.shape
            self._factors = aligned((rows, batch, width), parameters.dtype)
            self._dropped = aligned((rows, batch, width + 1), parameters.dtype)
            self._dropped.fill(1)
        self._squares = np.empty(len(members), parameters.dtype)
        self._full = self._pass(batches.size)
        self._last = self._pass(batches.rest) if batches.rest else self._full
        self._full_steps = batches.full
        self._penalties = penalty_operations(members, layout, parameters, self._gradients, scratch)
        self._clips = clip_operations(members, self._gradients, self._squares)
        self._bounds = bound_operations(members, layout, parameters)
        self._groups = _groups(members, layout, _Buffers(parameters, self._gradients, slots, scratch))

    def begin(self, rates: Array, *, first: int) -> None:
        """Prepare an epoch: (K, S) learning rates of its steps; `first` numbers its first step, from 1."""
        self._norms = np.empty(rates.shape[::-1], self._squares.dtype)
        for group in self._groups:
            group.begin(self._members, rates, first)

    def run(self, step: int, inputs: Array, targets: Array) -> None:
        """Learn from one batch: (K, B, D + 1) inputs with a last column of ones, (K, B, O) targets."""
        if self._hidden_masks is not None:
            self._hidden_masks.refill(inputs.shape[1])
        if self._input_masks is not None:
            self._input_masks.refill(inputs.shape[1])
            inputs = self._drop(inputs, self._input_masks.frames[0])
        learn = self._full if step < self._full_steps else self._last
        learn(inputs, targets)
        for operation in self._penalties:
            operation()
        np.vecdot(self._gradients, self._gradients, out=self._squares)
        self._norms[step] = self._squares
        for operation in self._clips:
            operation()
        for group in self._groups:
            group.step(step)
        for operation in self._bounds:
            operation()

    def _drop(self, inputs: Array, mask: Mask) -> Array:
        """Inputs with their mask applied, and the column of ones as it was."""
        count = inputs.shape[1]
        factors, dropped = self._factors[:, :count], self._dropped[:, :count]
        np.copyto(factors, mask.stays)
        np.multiply(factors, mask.scale, factors)
        np.multiply(inputs[..., :-1], factors, dropped[..., :-1])
        return dropped

    def mean_gradient_norm(self) -> Array:
        """(K,) mean over the steps since `begin`."""
        return total(np.sqrt(self._norms.T.astype(np.float64))) / len(self._norms)

    def _pass(self, batch: int) -> Callable[[Array, Array], None]:
        """Forward and backward for one batch size."""
        h = self._members[0]
        masks = None if self._hidden_masks is None else self._hidden_masks.frames
        network = Network(
            self._layout, self._parameters, self._gradients, batch=batch, activation=h.activation, masks=masks
        )
        gradient = LOSSES[h.loss].gradient
        work = Work.allocate(network.outputs, np.array([member.huber_delta for member in self._members]))

        def learn(inputs: Array, targets: Array) -> None:
            gradient(network.forward(inputs), targets, work, network.delta)
            network.backward()

        return learn


_Decayed: TypeAlias = tuple[slice, Array, Array, Sequence[Array]]
"""Rows, their weights, scratch for them, and the places of the biases in the scratch."""


@dataclass(frozen=True, slots=True)
class _Buffers:
    """Flat buffers of some rows: (K, P) each, the slots (S, K, P)."""

    parameters: Array
    gradients: Array
    slots: Array
    scratch: Array

    def of(self, rows: slice, rule: Rule) -> "_Buffers":
        """The part that one rule works on."""
        slots = self.slots[: rule.slots, rows]
        return _Buffers(self.parameters[rows], self.gradients[rows], slots, self.scratch[rows])


class _Group:
    """Neighbouring rows that follow one rule."""

    def __init__(self, rows: slice, rule: Rule, buffers: _Buffers, decayed: Sequence[_Decayed]) -> None:
        self._rows, self._rule, self._decayed = rows, rule, decayed
        self._buffers = (buffers.parameters, buffers.gradients, buffers.slots, buffers.scratch)
        self._dtype = buffers.parameters.dtype
        self._flags = np.empty(buffers.parameters.shape, np.bool_)

    def begin(self, members: Sequence[Hyperparameters], rates: Array, first: int) -> None:
        """Compute the coefficients of every step of an epoch."""
        self._first = first
        chosen, rates = members[self._rows], rates[self._rows]
        dtype = self._dtype
        table = np.stack(self._rule.coefficients(chosen, rates, first))
        self._table = table.transpose(2, 0, 1)[..., None].astype(dtype, order="C")
        decay = np.array([[h.weight_decay] for h in chosen])
        self._decay = (rates * decay).T[..., None].astype(dtype, order="C")

    def step(self, step: int) -> None:
        """Move the weights: decoupled decay first, then the rule."""
        if (self._first + step) % FLUSHED_EVERY == 0:
            flush(*self._buffers[2:], self._flags)
        for rows, weights, scratch, biases in self._decayed:
            np.multiply(weights, self._decay[step, rows], out=scratch)
            for bias in biases:
                bias.fill(0)
            np.subtract(weights, scratch, out=weights)
        self._rule.step(*self._buffers, self._table[step])


def _groups(members: Sequence[Hyperparameters], layout: Layout, buffers: _Buffers) -> list[_Group]:
    groups = []
    for name, same in groupby(enumerate(members), key=lambda pair: pair[1].optimizer):
        pairs = list(same)
        rows = slice(pairs[0][0], pairs[-1][0] + 1)
        part = buffers.of(rows, RULES[name])
        decayed: list[_Decayed] = []
        for run in runs(name == "adamw" and h.weight_decay > 0 for _, h in pairs):
            scratch = part.scratch[run]
            biases = [scratch[:, block.biases] for block in layout.blocks]
            decayed.append((run, part.parameters[run], scratch, biases))
        groups.append(_Group(rows, RULES[name], part, decayed))
    return groups
