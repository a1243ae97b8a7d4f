"""Long short-term memory (Hochreiter and Schmidhuber 1997), with a forget gate (Gers et al. 2000)."""

from typing import Any

import numpy as np

from hpsearch.engine.arrays import Array, constant
from hpsearch.engine.layers.recurrent.recurrence import Recurrence


class LongShortTermMemory(Recurrence):
    """A cell c, entered, forgotten and read through gates i, f and o.

    With z = W x_t + b + U h_{t-1} in blocks g, i, f, o, g for the candidate:
    c_t = sigmoid(z_f) c_{t-1} + sigmoid(z_i) tanh(z_g),  h_t = sigmoid(z_o) tanh(c_t).

    Backwards dz_g, dz_i and dz_f are the gradient of c_t times what is known from the forward pass, so that one product
    serves three gates, and dz_o is that of h_t times such a factor.
    """

    gates = recurrent_gates = slopes = 4
    sigmoids = recurrent_sigmoids = slice(1, 4)

    def __init__(self, *ports: Any, **settings: Any) -> None:
        super().__init__(*ports, **settings)
        self._cells = self.memory(self.steps + 1)
        self._squashed, self._inward = self.memory(self.steps), self.memory(self.steps)
        self._dc = self.memory()
        past, now = (slice(1, None), slice(0, -1)) if self._reverse else (slice(0, -1), slice(1, None))
        self._cells_before, self._cells_after = self._cells[past], self._cells[now]
        blocks = (*self.z.shape[:2], 4, *self.states.shape[2:])
        self._gates, self._slopes = self.z.reshape(blocks), self.delta.reshape(blocks)

    @classmethod
    def first_biases(cls, units: int) -> tuple[float, ...]:
        """One for the forget gate, so that cells remember at the start (Jozefowicz et al. 2015)."""
        return (*(0.0,) * (2 * units), *(1.0,) * units, *(0.0,) * units)

    def _run(self, recurrent: Array) -> None:
        one, sums, scratch, valid = constant(1, self.dtype), self.sums, self.scratch, self.ends.valid
        for t in self.order():
            z, cell, state, squashed = self.z[t], self._cells_after[t], self.after[t], self._squashed[t]
            candidate, enter, forget, leave = self._gates[t].swapaxes(0, 1)
            sigmoids = z[:, self.units :]
            np.matmul(recurrent, self.before[t], out=sums)
            np.add(z, sums, z)
            np.tanh(candidate, candidate)
            np.exp(sigmoids, sigmoids)
            np.add(sigmoids, one, sigmoids)
            np.divide(one, sigmoids, sigmoids)
            np.multiply(enter, candidate, scratch)
            np.multiply(forget, self._cells_before[t], cell)
            np.add(cell, scratch, cell)
            np.tanh(cell, squashed)
            np.multiply(leave, squashed, state)
            if valid is not None:
                np.multiply(cell, valid[t], cell)
                np.multiply(state, valid[t], state)

    def _prepare(self) -> None:
        """Of h by c: o (1 - tanh(c)^2), and through each gate with s' = s - s^2."""
        one, valid = constant(1, self.dtype), self.ends.valid
        candidate, enter, forget, leave = self._gates.transpose(2, 0, 1, 3, 4)
        d_candidate, d_enter, d_forget, d_leave = self._slopes.transpose(2, 0, 1, 3, 4)
        sigmoids, d_sigmoids = self.z[:, :, self.units :], self.delta[:, :, self.units :]
        np.multiply(candidate, candidate, d_candidate)
        np.subtract(one, d_candidate, d_candidate)
        np.multiply(d_candidate, enter, d_candidate)
        np.multiply(sigmoids, sigmoids, d_sigmoids)
        np.subtract(sigmoids, d_sigmoids, d_sigmoids)
        np.multiply(d_enter, candidate, d_enter)
        np.multiply(d_forget, self._cells_before, d_forget)
        np.multiply(d_leave, self._squashed, d_leave)
        np.multiply(self._squashed, self._squashed, self._inward)
        np.subtract(one, self._inward, self._inward)
        np.multiply(self._inward, leave, self._inward)
        if valid is not None:
            for slope in (self.delta, self._inward, forget):
                np.multiply(slope, valid, slope)

    def _return(self, recurrent: Array) -> None:
        dh, dc, scratch = self.dh, self._dc, self.scratch
        dc.fill(0)
        for t in reversed(list(self.order())):
            given, slopes, forget = self.ends.given(t), self._slopes[t], self._gates[t][:, 2]
            if given is not None:
                np.add(dh, given, dh)
            np.multiply(dh, self._inward[t], scratch)
            np.add(dc, scratch, dc)
            np.multiply(dc[:, None], slopes[:, :3], slopes[:, :3])
            np.multiply(dh, slopes[:, 3], slopes[:, 3])
            np.multiply(dc, forget, dc)
            np.matmul(recurrent, self.delta[t], out=dh)
