"""Dropout on what comes into networks: of numbers some are silenced, tokens and categories become unknown ones."""

from typing import Any

import numpy as np

from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.dropout import Mask, Masks
from hpsearch.engine.layers.embedding import UNKNOWN
from hpsearch.engine.plan import Plan


class InputDropout:
    """Applies the masks of K networks to their batches. Padding stays, and so does a column of ones."""

    def __init__(self, masks: Masks, plan: Plan, dtype: np.dtype[Any]) -> None:
        rows, batch, width = masks.frames[0].stays.shape
        self._masks, self._width = masks, width
        self._tokens = plan.inputs.tokens is not None
        self._places = [column.place for column in plan.inputs.embedded]
        kind = np.dtype(np.int32) if self._tokens else dtype
        self._factors = aligned((rows, batch, width), dtype)
        self._dropped = aligned((rows, batch, width + plan.flat), kind)
        self._dropped.fill(1)
        self._frames: dict[int, Array] = {}

    def apply(self, inputs: Array) -> Array:
        """(K, B, ...) inputs with the masks of the next step applied, in a buffer that a later step overwrites."""
        rows, count = inputs.shape[:2]
        self._masks.refill(count)
        read = inputs.reshape(rows, count, -1)[..., : self._width]
        dropped = self._dropped[:, :count]
        drop = self._drop_tokens if self._tokens else self._drop_numbers
        drop(read, self._masks.frames[0], dropped[..., : self._width])
        return self._frames.setdefault(count, dropped.reshape(inputs.shape))

    def _drop_tokens(self, inputs: Array, mask: Mask, out: Array) -> None:
        np.copyto(out, inputs)
        np.copyto(out, UNKNOWN, where=~mask.stays & (inputs > 0))

    def _drop_numbers(self, inputs: Array, mask: Mask, out: Array) -> None:
        """What stays is scaled up, but for numbers of categories: 0 is no known one."""
        factors = self._factors[:, : inputs.shape[1]]
        np.copyto(factors, mask.stays)
        np.multiply(factors, mask.scale, factors)
        if self._places:
            factors[..., self._places] = mask.stays[..., self._places]
        np.multiply(inputs, factors, out)
