"""The simple recurrent network (Elman 1990)."""

import numpy as np

from hpsearch.engine.arrays import Array, constant
from hpsearch.engine.layers.recurrent.recurrence import Recurrence


class SimpleRecurrence(Recurrence):
    """h_t = tanh(W x_t + b + U h_{t-1})."""

    gates = recurrent_gates = slopes = 1
    sigmoids = recurrent_sigmoids = slice(0)

    def _run(self, recurrent: Array) -> None:
        sums, valid = self.sums, self.ends.valid
        for t in self.order():
            after = self.after[t]
            np.matmul(recurrent, self.before[t], out=sums)
            np.add(sums, self.z[t], sums)
            np.tanh(sums, after)
            if valid is not None:
                np.multiply(after, valid[t], after)

    def _prepare(self) -> None:
        """Of tanh: 1 - h^2."""
        np.multiply(self.after, self.after, self.delta)
        np.subtract(constant(1, self.dtype), self.delta, self.delta)
        if self.ends.valid is not None:
            np.multiply(self.delta, self.ends.valid, self.delta)

    def _return(self, recurrent: Array) -> None:
        dh = self.dh
        for t in reversed(list(self.order())):
            given, delta = self.ends.given(t), self.delta[t]
            if given is not None:
                np.add(dh, given, dh)
            np.multiply(dh, delta, delta)
            np.matmul(recurrent, delta, out=dh)
