"""Gated recurrent units (Cho et al. 2014), with the reset gate after the product, as in cuDNN, PyTorch and Keras."""

from typing import Any

import numpy as np

from hpsearch.engine.arrays import Array, constant
from hpsearch.engine.layers.kind import Trained
from hpsearch.engine.layers.recurrent.recurrence import Recurrence


class GatedRecurrence(Recurrence):
    """Reset and update gate r and u, and a candidate n for the new state.

    With W x_t + b in blocks r, u, n, and U h_{t-1} in blocks n, r, u:

    r = sigmoid(.), u = sigmoid(.), n = tanh(W_n x_t + b_n + r (U_n h_{t-1} + b')),  h_t = n + u (h_{t-1} - n).

    b' is the third parameter, (K, 1, H). All gradients of a step are dh_t times what is known from the forward pass.
    """

    gates = recurrent_gates = 3
    slopes = 4
    sigmoids, recurrent_sigmoids = slice(0, 2), slice(1, 3)

    def __init__(self, *ports: Any, **settings: Any) -> None:
        super().__init__(*ports, **settings)
        self._bias = self._parameters[2].swapaxes(1, 2)
        self._mapped, self._from_candidate = self.memory(self.steps), self.memory(self.steps)
        blocks = (*self.z.shape[:2], 3, *self.states.shape[2:])
        self._gates = self.z.reshape(blocks)
        self._slopes = self.delta.reshape(*blocks[:2], 4, *blocks[3:])

    @classmethod
    def arrays(cls, name: str, width: int, units: int) -> tuple[Trained, ...]:
        """The bias b' as well."""
        bias = Trained(name=f"{name} recurrent bias", weights=(0, units), bias=(0.0,) * units)
        return (*super().arrays(name, width, units), bias)

    def _run(self, recurrent: Array) -> None:
        one, sums, scratch, valid = constant(1, self.dtype), self.sums, self.scratch, self.ends.valid
        sum_of_candidate, sums_of_sigmoids = sums[:, : self.units], sums[:, self.units :]
        for t in self.order():
            past, after, mapped, difference = (
                self.before[t],
                self.after[t],
                self._mapped[t],
                self._from_candidate[t],
            )
            reset, update, candidate = self._gates[t].swapaxes(0, 1)
            sigmoids = self.z[t][:, : 2 * self.units]
            np.matmul(recurrent, past, out=sums)
            np.add(sigmoids, sums_of_sigmoids, sigmoids)
            np.exp(sigmoids, sigmoids)
            np.add(sigmoids, one, sigmoids)
            np.divide(one, sigmoids, sigmoids)
            np.add(sum_of_candidate, self._bias, mapped)
            np.multiply(reset, mapped, scratch)
            np.add(candidate, scratch, candidate)
            np.tanh(candidate, candidate)
            np.subtract(past, candidate, difference)
            np.multiply(update, difference, scratch)
            np.add(candidate, scratch, after)
            if valid is not None:
                np.multiply(after, valid[t], after)

    def _prepare(self) -> None:
        """Of z_n (1 - u)(1 - n^2), of its recurrent part that times r, and through r and u with s' = s - s^2."""
        one, valid = constant(1, self.dtype), self.ends.valid
        reset, update, candidate = self._gates.transpose(2, 0, 1, 3, 4)
        d_mapped, d_reset, d_update, d_candidate = self._slopes.transpose(2, 0, 1, 3, 4)
        np.multiply(candidate, candidate, d_candidate)
        np.subtract(one, d_candidate, d_candidate)
        np.multiply(d_candidate, update, d_update)
        np.subtract(d_candidate, d_update, d_candidate)
        np.multiply(d_candidate, reset, d_mapped)
        np.multiply(d_mapped, reset, d_reset)
        np.subtract(d_mapped, d_reset, d_reset)
        np.multiply(d_reset, self._mapped, d_reset)
        np.multiply(update, update, d_update)
        np.subtract(update, d_update, d_update)
        np.multiply(d_update, self._from_candidate, d_update)
        if valid is not None:
            for slope in (self.delta, update):
                np.multiply(slope, valid, slope)

    def _return(self, recurrent: Array) -> None:
        dh, scratch, mapped = self.dh, self.scratch, 3 * self.units
        for t in reversed(list(self.order())):
            given, slopes, update = self.ends.given(t), self._slopes[t], self._gates[t][:, 1]
            if given is not None:
                np.add(dh, given, dh)
            np.multiply(dh[:, None], slopes, slopes)
            np.multiply(dh, update, scratch)
            np.matmul(recurrent, self.delta[t][:, :mapped], out=dh)
            np.add(dh, scratch, dh)

    def backward(self) -> None:
        """Compute the gradients of the parameters."""
        super().backward()
        self.gradient_of_sums(0, self._gradients[2].swapaxes(1, 2))
