"""One training step of K networks: forward, loss, backward, penalties, clipping, optimizer, bounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from hpsearch.engine.arrays import Array, aligned, runs, total
from hpsearch.engine.batches import Batches
from hpsearch.engine.dropout import Masks
from hpsearch.engine.losses import LOSSES, Work
from hpsearch.engine.network import Layout, Network
from hpsearch.engine.optimizers import RULES, Rule
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
        self._squares = np.empty(len(members), parameters.dtype)
        self._full = self._pass(batches.size)
        self._last = self._pass(batches.rest) if batches.rest else self._full
        self._full_steps = batches.full
        self._penalties = penalty_operations(members, layout, parameters, self._gradients, scratch)
        self._clips = clip_operations(members, self._gradients, self._squares)
        self._bounds = bound_operations(members, layout, parameters)
        self._groups = _groups(members, layout, _Buffers(parameters, self._gradients, slots, scratch))

    def begin(self, rates: Sequence[Array], *, first: int) -> None:
        """Prepare an epoch: K arrays of the learning rate at each step; `first` numbers its first step."""
        steps = len(rates[0])
        self._norms = np.empty((steps, len(rates)), self._squares.dtype)
        numbers = np.arange(first, first + steps, dtype=np.float64)
        for group in self._groups:
            group.begin(self._members, rates, numbers)

    def run(self, step: int, inputs: Array, targets: Array) -> None:
        """Learn from one batch: (K, B, D + 1) inputs with a last column of ones, (K, B, O) targets."""
        if self._hidden_masks is not None:
            self._hidden_masks.refill()
        if self._input_masks is not None:
            self._input_masks.refill()
            kept = inputs[..., :-1]
            np.multiply(kept, self._input_masks.views[0][:, : kept.shape[1]], out=kept)
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

    def mean_gradient_norm(self) -> Array:
        """(K,) mean over the steps since `begin`."""
        return total(np.sqrt(self._norms.T.astype(np.float64))) / len(self._norms)

    def _pass(self, batch: int) -> Callable[[Array, Array], None]:
        """Forward and backward for one batch size."""
        h = self._members[0]
        views = None
        if self._hidden_masks is not None:
            views = [view[:, :batch] for view in self._hidden_masks.views]
        network = Network(
            self._layout, self._parameters, self._gradients, batch=batch, activation=h.activation, masks=views
        )
        gradient = LOSSES[h.loss].gradient
        work = Work.allocate(network.outputs, np.array([member.huber_delta for member in self._members]))

        def learn(inputs: Array, targets: Array) -> None:
            gradient(network.forward(inputs), targets, work, network.delta)
            network.backward()

        return learn


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

    def __init__(
        self, rows: slice, rule: Rule, buffers: _Buffers, decayed: Sequence[tuple[slice, Array]]
    ) -> None:
        self._rows, self._rule, self._decayed = rows, rule, decayed
        self._weights, self._gradients = buffers.parameters, buffers.gradients
        self._slots, self._scratch = buffers.slots, buffers.scratch

    def begin(self, members: Sequence[Hyperparameters], rates: Sequence[Array], numbers: Array) -> None:
        """Compute the coefficients of every step of an epoch, one network at a time."""
        chosen = list(zip(members[self._rows], rates[self._rows], strict=True))
        coefficients = [self._rule.coefficients(h, rate, numbers) for h, rate in chosen]
        dtype = self._weights.dtype
        self._table = np.array(coefficients).transpose(2, 1, 0)[..., None].astype(dtype, order="C")
        self._shrink = (
            np.array([1 - rate * h.weight_decay for h, rate in chosen]).T[..., None].astype(dtype, order="C")
        )

    def step(self, step: int) -> None:
        """Move the weights: decoupled decay first, then the rule."""
        for rows, weight in self._decayed:
            np.multiply(weight, self._shrink[step, rows], out=weight)
        self._rule.step(self._weights, self._gradients, self._slots, self._scratch, self._table[step])


def _groups(members: Sequence[Hyperparameters], layout: Layout, buffers: _Buffers) -> list[_Group]:
    groups = []
    for name, same in groupby(enumerate(members), key=lambda pair: pair[1].optimizer):
        pairs = list(same)
        rows = slice(pairs[0][0], pairs[-1][0] + 1)
        part = buffers.of(rows, RULES[name])
        decayed = [
            (run, part.parameters[run, block.weights])
            for run in runs(name == "adamw" and h.weight_decay > 0 for _, h in pairs)
            for block in layout.blocks
        ]
        groups.append(_Group(rows, RULES[name], part, decayed))
    return groups
