"""Where sequences end, and what a recurrent layer hands on: all states, or each sequence's last."""

import numpy as np

from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.layers.ports import Port


class Ends:
    """Between the states (T + 1, K, H, B) of a recurrent layer and the port behind it.

    Forwards, states[t + 1] is the state after step t, and states[0] zero; in reverse, states[t] is, and states[T] zero.
    """

    def __init__(self, states: Array, behind: Port, *, lengths: Array | None, reverse: bool) -> None:
        steps, rows, units, batch = states.shape
        self._lengths, self._states = lengths, states
        self._values, self._slope = behind.values.inner, behind.gradient.inner
        self._every = self._values.ndim == 4
        self._last = 0 if reverse else steps - 1
        self._somewhere = lengths is not None and not reverse and not self._every
        self._outputs = slice(0, -1) if reverse else slice(1, None)
        every = self._every or self._somewhere
        self._given = aligned(states.shape if every else states.shape[1:], states.dtype)
        self.valid: Array | None = None
        if lengths is not None:
            self.valid = aligned((steps - 1, rows, 1, batch), states.dtype)
            self._flags = np.empty(self.valid.shape, np.bool_)
            self._times = np.arange(steps - 1, dtype=lengths.dtype).reshape(-1, 1, 1, 1)
            self._corner = np.arange(rows * units * batch).reshape(rows, units, batch)
            self._places = np.empty_like(self._corner)

    def begin(self) -> None:
        """Note which steps are before the ends."""
        if self.valid is not None and self._lengths is not None:
            np.less(self._times, self._lengths[:, None], out=self._flags)
            np.copyto(self.valid, self._flags)

    def hand_on(self) -> None:
        """Write the port behind."""
        if self._every:
            np.copyto(self._values.transpose(2, 0, 3, 1), self._states[self._outputs])
        elif self._somewhere:
            self._find()
            np.copyto(self._values.swapaxes(1, 2), self._states.reshape(-1)[self._places])
        else:
            np.copyto(self._values.swapaxes(1, 2), self._states[self._last])

    def take_back(self) -> None:
        """Read the gradient behind."""
        if self._every:
            np.copyto(self._given[self._outputs], self._slope.transpose(2, 0, 3, 1))
        elif self._somewhere:
            self._given.fill(0)
            self._given.reshape(-1)[self._places] = self._slope.swapaxes(1, 2)
        else:
            np.copyto(self._given, self._slope.swapaxes(1, 2))

    def given(self, step: int) -> Array | None:
        """(K, H, B): what comes back to the state after a step from behind, if anything does."""
        place = step + (self._outputs.start or 0)
        if self._every or self._somewhere:
            found: Array = self._given[place]
            return found
        return self._given if place == self._last else None

    def _find(self) -> None:
        """Where each sequence's last state is, counted through all states; of an empty one, the zero before it."""
        if self._lengths is not None:
            np.multiply(self._lengths[:, None], self._corner.size, out=self._places)
            np.add(self._places, self._corner, self._places)
