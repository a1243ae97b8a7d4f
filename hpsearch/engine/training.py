"""One training step of K networks: forward, loss, backward, penalties, clipping, optimizer, bounds."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from hpsearch.engine.arrays import Array, aligned, total
from hpsearch.engine.batches import Batch, Batches
from hpsearch.engine.dropout import Masks
from hpsearch.engine.input_dropout import InputDropout
from hpsearch.engine.losses import LOSSES, Work
from hpsearch.engine.movement import stretches
from hpsearch.engine.network import Buffers, Network
from hpsearch.engine.penalties import bound_operations, clip_operations
from hpsearch.engine.plan import Plan
from hpsearch.engine.probes import LearningLayer, StepProbe
from hpsearch.spec.hyperparameters import Hyperparameters

MEASURED_EVERY: Final = 4
"""Steps from one gradient whose norm is taken to the next; the first of an epoch is one of them."""


class Steps:
    """The steps on (K, P) parameters and (S, K, P) optimizer slots; all their memory is allocated here."""

    def __init__(
        self,
        members: Sequence[Hyperparameters],
        plan: Plan,
        parameters: Array,
        slots: Array,
        state: Array,
        *,
        batches: Batches,
        hidden_masks: Masks | None,
        input_masks: Masks | None,
    ) -> None:
        self._members, self._plan = members, plan
        self._gradients = aligned(parameters.shape, parameters.dtype)
        self._buffers = Buffers(
            parameters=parameters,
            gradients=self._gradients,
            state=state,
            masks=None if hidden_masks is None else hidden_masks.frames,
        )
        self._hidden_masks = hidden_masks
        self._input_dropout = (
            None if input_masks is None else InputDropout(input_masks, plan, parameters.dtype)
        )
        self._squares = np.empty(len(members), parameters.dtype)
        self._full = self._pass(batches.size)
        self._last = self._pass(batches.rest) if batches.rest else self._full
        self._full_steps = batches.full
        self._clips = clip_operations(members, self._gradients, self._squares)
        self._bounds = bound_operations(members, plan.layout, parameters)
        self._stretches = stretches(members, plan.layout, parameters, self._gradients, slots)

    def begin(self, rates: Array, *, first: int, probe: StepProbe | None = None) -> None:
        """Prepare an epoch: (K, S) learning rates of its steps; `first` numbers its first step, from 1.

        `probe` looks at the first step.
        """
        self._probe = probe
        measured = -(-rates.shape[1] // MEASURED_EVERY)
        self._norms = np.empty((measured, len(rates)), self._squares.dtype)
        for stretch in self._stretches:
            stretch.begin(rates, first)

    def run(self, step: int, batch: Batch) -> None:
        """Learn from one batch, whose inputs are as the network reads them."""
        inputs = batch.inputs
        if self._hidden_masks is not None:
            self._hidden_masks.refill(inputs.shape[1])
        if self._input_dropout is not None:
            inputs = self._input_dropout.apply(inputs)
        learn = self._full if step < self._full_steps else self._last
        learn(inputs, batch)
        if step == 0 and self._probe is not None:
            self._probe.before()
        if step % MEASURED_EVERY == 0 or self._clips:
            self._move_by_measure(step)
        else:
            for stretch in self._stretches:
                stretch.penalize_and_move(step)
        for operation in self._bounds:
            operation()
        if step == 0 and self._probe is not None:
            self._probe.after()
            self._probe = None  # its memory is as large as the networks

    def probe(self, layers: Sequence[LearningLayer]) -> StepProbe:
        """What looks at a step of these networks."""
        return StepProbe(layers, self._buffers.parameters, self._gradients)

    def _move_by_measure(self, step: int) -> None:
        """Penalties first and the rules last, with the norm of the whole gradient taken in between."""
        for stretch in self._stretches:
            stretch.penalize()
        np.vecdot(self._gradients, self._gradients, out=self._squares)
        if step % MEASURED_EVERY == 0:
            self._norms[step // MEASURED_EVERY] = self._squares
        for operation in self._clips:
            operation()
        for stretch in self._stretches:
            stretch.move(step)

    def mean_gradient_norm(self) -> Array:
        """(K,) mean over the steps since `begin` that were measured."""
        return total(np.sqrt(self._norms.T.astype(np.float64))) / len(self._norms)

    def _pass(self, batch: int) -> Callable[[Array, Batch], None]:
        """Forward and backward for one batch size."""
        network = Network(self._plan, self._buffers, batch=batch)
        gradient = LOSSES[self._members[0].loss].gradient
        work = Work.allocate(network.outputs, np.array([member.huber_delta for member in self._members]))

        def learn(inputs: Array, batch: Batch) -> None:
            there = None if batch.weights is None else batch.weights[..., 0] > 0
            gradient(network.forward(inputs, batch.lengths, there), batch.targets, work, network.delta)
            if batch.weights is not None:
                np.multiply(network.delta, batch.weights, network.delta)
            network.backward()

        return learn
