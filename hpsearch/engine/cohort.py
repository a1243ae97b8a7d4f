"""K networks of one shape that learn at the same time, each exactly as if it learned alone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from hpsearch.data.prepared import Part
from hpsearch.engine.arrays import Array, aligned, quiet
from hpsearch.engine.batches import Batches, Samples
from hpsearch.engine.dropout import Masks
from hpsearch.engine.initializers import initial
from hpsearch.engine.losses import LOSSES
from hpsearch.engine.member import Member, check_shapes, place
from hpsearch.engine.network import Layout, Scratch, Weights, predict
from hpsearch.engine.optimizers import RULES
from hpsearch.engine.schedules import Plateau, learning_rates
from hpsearch.engine.training import Steps
from hpsearch.spec.hyperparameters import Hyperparameters


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochStatistics:
    """One epoch of every network, (K,) float64 each, in the order of the cohort's rows.

    `learning_rate` is that of the epoch's last step. `gradient_norm` is the mean over every fourth step of
    the epoch, from its first, of the L2 norm of the gradient with its penalties, before clipping.
    `weight_norm` is the L2 norm of all weights, without biases, at the epoch's end. `plateau_factor` is what
    the plateau schedule multiplied the learning rate by, 1 without one.
    """

    learning_rate: Array
    gradient_norm: Array
    weight_norm: Array
    plateau_factor: Array


class Cohort:
    """Networks that learn together; those that are done leave, the rest goes on.

    They learn from one part of the data, or each from its own (`part` then lists one a member).

    All members agree in `hidden`, `activation`, `loss` and `batch_size`. A member's results have the same
    bits whoever its neighbours are (with one BLAS thread). Rows are sorted by optimizer and by penalties,
    not as the members were given: `rows` says which member stands where.

    Raises:
        ValueError: The members do not agree in shape, or there are none.
    """

    def __init__(
        self,
        members: Sequence[Member],
        part: Part | Sequence[Part],
        *,
        outputs: int,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check_shapes(members)
        parts = [part] * len(members) if isinstance(part, Part) else list(part)
        order = sorted(range(len(members)), key=lambda position: place(members[position].hyperparameters))
        self.rows: tuple[int, ...] = tuple(order)
        self._members = [members[position] for position in order]
        self._dtype: np.dtype[Any] = np.dtype(dtype)
        self._outputs = outputs
        self._inputs = parts[0].x.shape[1]
        shape = self._members[0].hyperparameters
        self._layout = Layout.of((self._inputs, *shape.hidden, outputs), self._dtype)
        self._epoch = 0
        self._plateaus = [Plateau(m.hyperparameters, m.plateau_factors) for m in self._members]
        self._parameters = aligned((len(members), self._layout.size), self._dtype)
        for row, member in zip(self._parameters, self._members, strict=True):
            _draw_initial(row, self._layout, member)
        self._kept: Array | None = None
        self._count = len(members)
        self._batches = self._make_batches([parts[position] for position in order], shape)
        self._hidden_masks, self._input_masks = self._make_masks(shape)
        slots = max(RULES[m.hyperparameters.optimizer].slots for m in self._members)
        self._slots = aligned((slots, len(members), self._layout.size), self._dtype)
        self._predicted: dict[int, Array] = {}
        self._bind()

    def train_epoch(self) -> EpochStatistics:
        """Show every network all samples once. One that overflows spoils only itself, without a warning."""
        batches, steps = self._batches, self._batches.steps
        factors = [plateau.factor(self._epoch) for plateau in self._plateaus]
        recipes = [m.hyperparameters for m in self._members]
        rates = learning_rates(recipes, epoch=self._epoch, steps=steps, plateau_factors=factors)
        with quiet():
            batches.shuffle()
            self._steps.begin(rates, first=self._epoch * steps + 1)
            for step in range(batches.steps):
                self._steps.run(step, batches.take(step))
            gradient_norm = self._steps.mean_gradient_norm()
            weight_norm = self._weight_norm()
        self._epoch += 1
        return EpochStatistics(
            learning_rate=rates[:, -1].copy(),
            gradient_norm=gradient_norm,
            weight_norm=weight_norm,
            plateau_factor=np.array(factors),
        )

    def predict(self, x: Array) -> Array:
        """(N, D) inputs -> (K, N, O) outputs before softmax or sigmoid, without dropout.

        The result is a buffer that the next call for as many inputs overwrites.
        """
        out = self._predicted.get(len(x))
        if out is None:
            out = aligned((len(self.rows), len(x), self._outputs), self._dtype)
            self._predicted[len(x)] = out
        inputs = np.ascontiguousarray(x, self._dtype)
        with quiet():
            activation = self._members[0].hyperparameters.activation
            predict(
                self._layout,
                self._parameters,
                inputs,
                activation=activation,
                scratch=self._scratch,
                out=out,
            )
        return out

    def observe(self, monitored: Array) -> None:
        """Take in this epoch's monitored values, (K,) in the order of `rows`, lower being better."""
        for plateau, value in zip(self._plateaus, monitored, strict=True):
            plateau.observe(float(value))

    def leave(self, positions: Collection[int]) -> None:
        """Let members stop learning; the others go on bit by bit as if these had never been there."""
        gone = set(positions)
        unknown = gone.difference(self.rows)
        if unknown:
            raise ValueError(
                f"members {sorted(unknown)} are not learning; those that are: {sorted(self.rows)}"
            )
        keep = [row for row, position in enumerate(self.rows) if position not in gone]
        if not gone:
            return
        self.rows = tuple(self.rows[row] for row in keep)
        self._members = [self._members[row] for row in keep]
        self._plateaus = [self._plateaus[row] for row in keep]
        self._predicted.clear()
        if not keep:
            return
        self._parameters = _only(self._parameters, keep)
        self._slots = _only_slots(self._slots, keep)
        self._batches.keep(keep)
        for masks in (self._hidden_masks, self._input_masks):
            if masks is not None:
                masks.keep(keep)
        self._bind()

    def weights(self, position: int) -> Weights:
        """A copy of the parameters that a learning member has now."""
        return Weights.from_flat(self._parameters[self._row(position)], self._layout)

    def remember(self, positions: Collection[int]) -> None:
        """Keep the parameters that learning members have now, in place of what was kept of them before."""
        if self._kept is None:
            self._kept = aligned((self._count, self._layout.size), self._dtype)
        for position in positions:
            self._kept[position] = self._parameters[self._row(position)]

    def remembered(self, position: int) -> Weights:
        """A copy of what was last kept of a member, whether it still learns or has left.

        Of a member that was never kept while others were: zeros.
        """
        if self._kept is None:
            raise ValueError(f"nothing was remembered of member {position}; call remember() first")
        return Weights.from_flat(self._kept[position], self._layout)

    def _row(self, position: int) -> int:
        if position not in self.rows:
            raise ValueError(f"member {position} is not learning; those that are: {sorted(self.rows)}")
        return self.rows.index(position)

    def _make_batches(self, parts: Sequence[Part], shape: Hyperparameters) -> Batches:
        loss = LOSSES[shape.loss]
        samples = {
            id(part): Samples.of(part, loss, outputs=self._outputs, dtype=self._dtype) for part in parts
        }
        return Batches(
            [samples[id(part)] for part in parts],
            [m.address.stream("order") for m in self._members],
            batch=shape.batch_size,
            smoothing=np.array([m.hyperparameters.label_smoothing for m in self._members]),
            classes=max(self._outputs, 2) if loss.classifies else None,
            ones=True,
            dtype=self._dtype,
        )

    def _make_masks(self, shape: Hyperparameters) -> tuple[Masks | None, Masks | None]:
        hidden = [m.address.stream("dropout") for m in self._members]
        inputs = [generator.spawn(1)[0] for generator in hidden]
        rates = [m.hyperparameters.dropout for m in self._members]
        input_rates = [m.hyperparameters.input_dropout for m in self._members]
        batch, dtype = self._batches.size, self._dtype
        widths = [width + 1 for width in shape.hidden]
        return (
            Masks(hidden, rates, batch=batch, widths=widths, dtype=dtype) if any(rates) and widths else None,
            Masks(inputs, input_rates, batch=batch, widths=[self._inputs], dtype=dtype)
            if any(input_rates)
            else None,
        )

    def _bind(self) -> None:
        """Make the step's views for the rows that there are."""
        self._scratch = Scratch(self._layout, len(self._members), self._dtype)
        self._steps = Steps(
            [m.hyperparameters for m in self._members],
            self._layout,
            self._parameters,
            self._slots,
            batches=self._batches,
            hidden_masks=self._hidden_masks,
            input_masks=self._input_masks,
        )

    def _weight_norm(self) -> Array:
        parts = [self._parameters[:, block.weights] for block in self._layout.blocks]
        squares = sum(np.vecdot(part, part).astype(np.float64) for part in parts)
        result: Array = np.sqrt(squares)
        return result


def _draw_initial(row: Array, layout: Layout, member: Member) -> None:
    generator = member.address.stream("initial")
    h = member.hyperparameters
    for block in layout.blocks:
        shape = (block.inputs, block.outputs)
        block.view(row)[:-1] = initial(h.initializer, shape, scale=h.initial_scale, generator=generator)


def _only(buffer: Array, rows: Sequence[int]) -> Array:
    result = aligned((len(rows), buffer.shape[1]), buffer.dtype)
    np.take(buffer, rows, axis=0, out=result)
    return result


def _only_slots(slots: Array, rows: Sequence[int]) -> Array:
    result = aligned((len(slots), len(rows), slots.shape[2]), slots.dtype)
    np.take(slots, rows, axis=1, out=result)
    return result
