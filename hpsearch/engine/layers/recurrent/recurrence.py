"""What all recurrent layers share: the way of a sequence through time, and of its gradient back.

A step's numbers are (K, features, B), batch innermost, so that gates are blocks of long rows. The inputs of all steps
are multiplied by their weights before the loop; what the chain rule needs of the forward pass alone is computed for
all steps at once before the loop back; and the gradients of all weights are products over all steps after it
(Appleyard et al. 2016 do the same on other hardware).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.layers.kind import Trained
from hpsearch.engine.layers.ports import Frame, Port
from hpsearch.engine.layers.recurrent.ends import Ends


def time_port(rows: int, batch: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Port:
    """What a recurrent layer reads: sequences (T, D) in memory (K, D + 1, T, B), the last row ones for the biases."""
    steps, width = shape

    def frame() -> Frame:
        whole = aligned((rows, width + 1, steps, batch), dtype)
        return Frame(whole, whole[:, :width].transpose(0, 3, 2, 1), by_sample=False)

    return Port(frame(), frame())


class Recurrence(ABC):
    """One recurrent layer in one direction: h_t = step(x_t, h_{t-1}), with h_0 = 0.

    It writes all states, (K, B, T, H), or the last one of each sequence, (K, B, H). The first two parameters are
    the weights of the inputs, (K, D + 1, G H), their last row the biases, and those of the state before, (K, H, R H).
    With lengths, (K, B), the state past the end of a sequence is zero: nothing there enters an output or a
    gradient. In reverse, a sequence starts at its end, and its last state is that of its first step.
    """

    gates: ClassVar[int]
    """G, the blocks of H numbers that inputs are mapped to"""
    sigmoids: ClassVar[slice]
    """Those of them that pass through a sigmoid; mapped with the opposite sign, for 1 / (1 + exp(-z))."""
    recurrent_gates: ClassVar[int]
    """R, the blocks that the state before is mapped to"""
    recurrent_sigmoids: ClassVar[slice]
    slopes: ClassVar[int]
    """Blocks of gradients in each step: those of the recurrent product first, those of the inputs' last."""

    def __init__(
        self,
        before: Port,
        behind: Port,
        *,
        parameters: Sequence[Array],
        gradients: Sequence[Array],
        lengths: Array | None = None,
        reverse: bool = False,
    ) -> None:
        self._parameters, self._gradients = parameters, gradients
        self._reverse = reverse
        self._x, self._dx = before.values.whole, before.gradient.whole
        self.rows, self._width, self.steps, self.batch = self._x.shape
        self.units, self.dtype = parameters[1].shape[1], parameters[1].dtype
        self._signed = self._turned(parameters[0], self.sigmoids)
        self._signed_recurrent = self._turned(parameters[1], self.recurrent_sigmoids)
        self.z = self.memory(self.steps, blocks=self.gates)
        self.states = self.memory(self.steps + 1)
        self.delta = self.memory(self.steps, blocks=self.slopes)
        self.sums = self.memory(blocks=self.recurrent_gates)
        self.scratch, self.dh = self.memory(), self.memory()
        self._gathered = aligned((self.rows, self.delta.shape[2], self.steps, self.batch), self.dtype)
        self._states_before = aligned((self.rows, self.units, self.steps, self.batch), self.dtype)
        self.ends = Ends(self.states, behind, lengths=lengths, reverse=reverse)

    @classmethod
    def arrays(cls, name: str, width: int, units: int) -> tuple[Trained, ...]:
        """What one recurrence learns: the weights of its inputs with biases, and those of the state before."""
        return (
            Trained(
                name=f"{name} weight",
                weights=(width, cls.gates * units),
                fans=(width, units),
                bias=cls.first_biases(units),
            ),
            Trained(
                name=f"{name} recurrent",
                weights=(units, cls.recurrent_gates * units),
                fans=(units, units),
                orthogonal=True,
            ),
        )

    @classmethod
    def first_biases(cls, units: int) -> tuple[float, ...]:
        """The biases at the start."""
        return (0.0,) * (cls.gates * units)

    @abstractmethod
    def _run(self, recurrent: Array) -> None:
        """All steps in turn, with the turned and signed weights of the state before."""

    @abstractmethod
    def _prepare(self) -> None:
        """For all steps at once: what `delta` must be multiplied with; zero past the ends."""

    @abstractmethod
    def _return(self, recurrent: Array) -> None:
        """All steps in the opposite order: the gradients of the products' results into `delta`."""

    def forward(self) -> None:
        """Compute the states."""
        self._x[:, -1].fill(1)
        self.ends.begin()
        for turned, weight, sign in (self._signed, self._signed_recurrent):
            np.multiply(weight, sign, turned)
        np.matmul(self._signed[0], self._x.transpose(2, 0, 1, 3), out=self.z)
        self._run(self._signed_recurrent[0])
        self.ends.hand_on()

    evaluate = forward

    def backward(self) -> None:
        """Compute the gradients of the parameters."""
        self.ends.take_back()
        self._prepare()
        self.dh.fill(0)
        self._return(self._parameters[1])
        np.copyto(self._gathered, self.delta.transpose(1, 2, 0, 3))
        np.copyto(self._states_before, self.before.transpose(1, 2, 0, 3))
        inputs, recurrent = self.gates * self.units, self.recurrent_gates * self.units
        self._learn(self._x, self._gathered[:, -inputs:], self._gradients[0])
        self._learn(self._states_before, self._gathered[:, :recurrent], self._gradients[1])

    def backward_to_inputs(self, out: Array) -> None:
        """Compute the gradient of the inputs, (K, D, T B), after `backward`."""
        delta = self._gathered[:, -self.gates * self.units :]
        np.matmul(self._parameters[0][:, :-1], _flat(delta), out=out)

    @property
    def before(self) -> Array:
        """(T, K, H, B) the states before each step."""
        return self.states[1:] if self._reverse else self.states[:-1]

    @property
    def after(self) -> Array:
        """(T, K, H, B) the states after each step."""
        return self.states[:-1] if self._reverse else self.states[1:]

    def order(self) -> Iterator[int]:
        """The steps in the order in which they are computed."""
        return reversed(range(self.steps)) if self._reverse else iter(range(self.steps))

    def memory(self, *lead: int, blocks: int = 1) -> Array:
        """(..., K, blocks H, B)."""
        return aligned((*lead, self.rows, blocks * self.units, self.batch), self.dtype)

    def gradient_of_sums(self, block: int, out: Array) -> None:
        """(K, H, 1): one block of gradients, added up over steps and samples."""
        delta = _flat(self._gathered[:, block * self.units : (block + 1) * self.units])
        np.matmul(delta, np.ones((delta.shape[2], 1), self.dtype), out=out)

    def _turned(self, weight: Array, sigmoids: slice) -> tuple[Array, Array, Array]:
        """Memory for (K, O, I) weights, the weights so, and the sign of each output."""
        turned = weight.swapaxes(1, 2)
        signs = np.ones((turned.shape[1] // self.units, self.units), self.dtype)
        signs[sigmoids] = -1
        return aligned(turned.shape, self.dtype), turned, signs.reshape(-1, 1)

    @staticmethod
    def _learn(inputs: Array, delta: Array, gradient: Array) -> None:
        np.matmul(_flat(inputs), _flat(delta).swapaxes(1, 2), out=gradient)


def _flat(values: Array) -> Array:
    """(K, n, T, B) -> (K, n, T B)."""
    rows, count = values.shape[:2]
    return values.reshape(rows, count, -1)
