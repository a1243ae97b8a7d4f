"""K networks of one shape that learn at the same time, each exactly as if it learned alone."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from hpsearch.data.prepared import EmbeddedColumn, Part, Start
from hpsearch.engine.arrays import Array, aligned, chosen_columns, chosen_rows, copied_rows, quiet
from hpsearch.engine.augmentation import Augmentation
from hpsearch.engine.batches import Batch, Batches, Samples
from hpsearch.engine.dropout import Masks
from hpsearch.engine.epoch import EpochStatistics
from hpsearch.engine.initial import draw_initial
from hpsearch.engine.losses import LOSSES, Loss
from hpsearch.engine.member import Member, check_shapes, place
from hpsearch.engine.network import mask_widths
from hpsearch.engine.optimizers import RULES
from hpsearch.engine.plan import columns, inputs_of, plan_of
from hpsearch.engine.prediction import Predictor, as_inputs
from hpsearch.engine.probes import is_sampled, learning_layers, weight_norm
from hpsearch.engine.schedules import Plateau, learning_rates
from hpsearch.engine.training import Steps
from hpsearch.engine.warm_start import begin
from hpsearch.engine.weights import Weights
from hpsearch.spec.hyperparameters import Hyperparameters


class Cohort:
    """Networks that learn together; those that are done leave, the rest goes on.

    They learn from one part of the data, or each from its own (`part` then lists one a member).

    All members agree in their network, `loss` and `batch_size`. A member's results have the same bits whoever its
    neighbours are (with one BLAS thread). Rows are sorted by optimizer and by penalties, not as the members
    were given: `rows` says which member stands where. `tokens` is the number of different ids where inputs are
    tokens, `embedded` are the columns of a table that number categories. Networks begin from `start` as far as it
    has their arrays.

    Raises:
        ValueError: The members do not agree in shape, or there are none.
    """

    def __init__(
        self,
        members: Sequence[Member],
        part: Part | Sequence[Part],
        *,
        outputs: int,
        tokens: int | None = None,
        embedded: tuple[EmbeddedColumn, ...] = (),
        start: Start | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check_shapes(members)
        parts = [part] * len(members) if isinstance(part, Part) else list(part)
        number = {part_id: n for n, part_id in enumerate(dict.fromkeys(map(id, parts)))}
        order = sorted(
            range(len(members)),
            key=lambda position: (*place(members[position].hyperparameters), number[id(parts[position])]),
        )
        self.rows: tuple[int, ...] = tuple(order)
        self._members = [members[position] for position in order]
        self._dtype: np.dtype[Any] = np.dtype(dtype)
        inputs = inputs_of(parts[0], tokens, embedded)
        shape = self._members[0].hyperparameters
        self._plan = plan_of(shape, inputs, outputs, self._dtype)
        self._layers = learning_layers(self._plan)
        self._settings = [columns(m.hyperparameters, inputs, outputs) for m in self._members]
        self._epoch = 0
        self._plateaus = [Plateau(m.hyperparameters, m.plateau_factors) for m in self._members]
        self._parameters = aligned((len(members), self._plan.layout.size), self._dtype)
        self._state = aligned((len(members), self._plan.state_size), self._dtype)
        self._draw_initial(start)
        self._initial = copied_rows(self._parameters, range(len(members)))
        self._kept: tuple[Array, Array] | None = None
        self._count = len(members)
        self._augmentation = self._make_augmentation(parts[0].shape)
        self._batches = self._make_batches([parts[position] for position in order], shape)
        self._hidden_masks, self._input_masks = self._make_masks()
        slots = max(RULES[m.hyperparameters.optimizer].slots for m in self._members)
        self._slots = aligned((slots, len(members), self._plan.layout.size), self._dtype)
        self._predicted: dict[tuple[int, int], Array] = {}
        self._bind()

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The layers with weights, from the inputs to the outputs."""
        return tuple(layer.name for layer in self._layers)

    def train_epoch(self) -> EpochStatistics:
        """Show every network all samples once. One that overflows spoils only itself, without a warning."""
        batches, steps = self._batches, self._batches.steps
        factors = [plateau.factor(self._epoch) for plateau in self._plateaus]
        recipes = [m.hyperparameters for m in self._members]
        rates = learning_rates(recipes, epoch=self._epoch, steps=steps, plateau_factors=factors)
        with quiet():
            batches.shuffle()
            probe = self._steps.probe(self._layers) if is_sampled(self._epoch + 1) else None
            self._steps.begin(rates, first=self._epoch * steps + 1, probe=probe)
            for step in range(batches.steps):
                self._steps.run(step, batches.take(step))
            gradient_norm = self._steps.mean_gradient_norm()
            weights = weight_norm(self._parameters, self._plan.layout)
            layers = None if probe is None else probe.seen(self._initial)
        self._epoch += 1
        return EpochStatistics(
            learning_rate=rates[:, -1].copy(),
            gradient_norm=gradient_norm,
            weight_norm=weights,
            plateau_factor=np.array(factors),
            layers=layers,
        )

    def predict(
        self,
        x: Array,
        lengths: Array | None = None,
        *,
        rows: Sequence[int] | Array | None = None,
        idle: Array | None = None,
    ) -> Array:
        """(N, ...) inputs -> (K, N, O) outputs before softmax or sigmoid, without dropout, of all rows or some.

        The result is a buffer that the next call for as many inputs and rows overwrites. `idle`, (K, layers of
        `layer_names`), is filled with the share of units that pass no gradient; see `idle_share`.
        """
        parameters = self._parameters if rows is None else chosen_rows(self._parameters, rows)
        shape = len(parameters), len(x)
        out = self._predicted.get(shape)
        if out is None:
            out = aligned((*shape, self._plan.outputs), self._dtype)
            self._predicted[shape] = out
        inputs = as_inputs(x, self._plan, self._dtype)
        state = self._state if rows is None else chosen_rows(self._state, rows)
        predictor = self._predictor_of(len(parameters))
        with quiet():
            predictor.predict(parameters, state, inputs, lengths=lengths, out=out, idle=idle)
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
        self._settings = [self._settings[row] for row in keep]
        self._plateaus = [self._plateaus[row] for row in keep]
        self._predicted.clear()
        if not keep:
            return
        self._parameters = copied_rows(self._parameters, keep)
        self._initial = copied_rows(self._initial, keep)
        self._state = copied_rows(self._state, keep)
        self._slots = chosen_columns(self._slots, keep)
        self._batches.keep(keep)
        if self._augmentation is not None:
            self._augmentation.keep(keep)
        for masks in (self._hidden_masks, self._input_masks):
            if masks is not None:
                masks.keep(keep)
        self._bind()

    def weights(self, position: int) -> Weights:
        """A copy of the numbers that a learning member has now."""
        row = self._row(position)
        return Weights(self._plan, self._parameters[row].copy(), self._state[row].copy())

    def remember(self, positions: Collection[int]) -> None:
        """Keep the numbers that learning members have now, in place of what was kept of them before."""
        if self._kept is None:
            parameters, state = self._plan.layout.size, self._plan.state_size
            self._kept = (
                aligned((self._count, parameters), self._dtype),
                aligned((self._count, state), self._dtype),
            )
        for position in positions:
            row = self._row(position)
            self._kept[0][position] = self._parameters[row]
            self._kept[1][position] = self._state[row]

    def remembered(self, position: int) -> Weights:
        """A copy of what was last kept of a member, whether it still learns or has left.

        Of a member that was never kept while others were: zeros.
        """
        if self._kept is None:
            raise ValueError(f"nothing was remembered of member {position}; call remember() first")
        parameters, state = self._kept
        return Weights(self._plan, parameters[position].copy(), state[position].copy())

    def _draw_initial(self, start: Start | None) -> None:
        self._state[:] = [number for each in self._plan.remembered for number in each.initial]
        for row, member, settings in zip(self._parameters, self._members, self._settings, strict=True):
            draw_initial(row, self._plan, member, settings)
        if start is not None:
            for row, state in zip(self._parameters, self._state, strict=True):
                begin(self._plan, row, state, start)

    def _row(self, position: int) -> int:
        if position not in self.rows:
            raise ValueError(f"member {position} is not learning; those that are: {sorted(self.rows)}")
        return self.rows.index(position)

    def _make_batches(self, parts: Sequence[Part], shape: Hyperparameters) -> Batches:
        loss = LOSSES[shape.loss]
        samples = {id(part): self._samples(part, loss) for part in parts}
        return Batches(
            [samples[id(part)] for part in parts],
            [m.address.stream("order") for m in self._members],
            batch=shape.batch_size,
            smoothing=np.array([m.hyperparameters.label_smoothing for m in self._members]),
            classes=max(self._plan.outputs, 2) if loss.classifies else None,
            ones=self._plan.flat,
            dtype=self._dtype,
            change=None if self._augmentation is None else self._augment,
        )

    def _make_augmentation(self, shape: tuple[int, ...]) -> Augmentation | None:
        strengths = [dict(m.hyperparameters.augment) for m in self._members]
        if not any(value for each in strengths for value in each.values()):
            return None
        still = tuple(column.place for column in self._plan.inputs.embedded)
        return Augmentation(strengths, [m.address for m in self._members], shape=shape, still=still)

    def _augment(self, batch: Batch) -> None:
        if self._augmentation is not None:
            self._augmentation.apply(batch, ones=self._plan.flat)

    def _samples(self, part: Part, loss: Loss) -> Samples:
        """A part's samples; a dense layer reads images and sequences as flat rows."""
        samples = Samples.of(part, loss, outputs=self._plan.outputs, dtype=self._dtype)
        if self._plan.flat and part.x.ndim > 2:
            return replace(samples, inputs=part.x.reshape(len(part.x), -1))
        return samples

    def _make_masks(self) -> tuple[Masks | None, Masks | None]:
        hidden = [m.address.stream("dropout") for m in self._members]
        inputs = [generator.spawn(1)[0] for generator in hidden]
        rates = [
            [layer["rate"] for layer in settings if layer.kind == "dropout"] for settings in self._settings
        ]
        input_rates = [[m.hyperparameters.input_dropout] for m in self._members]
        batch, dtype = self._batches.size, self._dtype
        widths = mask_widths(self._plan) if any(map(any, rates)) else []
        return (
            Masks(hidden, rates, batch=batch, widths=widths, dtype=dtype) if widths else None,
            Masks(inputs, input_rates, batch=batch, widths=[prod(self._plan.inputs.shape)], dtype=dtype)
            if any(map(any, input_rates))
            else None,
        )

    def _bind(self) -> None:
        """Make the step's views for the rows that there are."""
        self._predictors: dict[int, Predictor] = {}
        self._steps = Steps(
            [m.hyperparameters for m in self._members],
            self._plan,
            self._parameters,
            self._slots,
            self._state,
            batches=self._batches,
            hidden_masks=self._hidden_masks,
            input_masks=self._input_masks,
        )

    def _predictor_of(self, rows: int) -> Predictor:
        if rows not in self._predictors:
            self._predictors[rows] = Predictor(self._plan, rows, self._dtype)
        return self._predictors[rows]
