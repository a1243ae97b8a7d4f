"""The numbers of one trained network as a value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from hpsearch.engine.arrays import Array
from hpsearch.engine.default_networks import Inputs
from hpsearch.engine.expansion import dense_network
from hpsearch.engine.plan import Plan, stored_plan


@dataclass(frozen=True, slots=True)
class Weights:
    """One trained network: its plan, its (P,) parameters, and the (S,) state that it keeps beside them."""

    plan: Plan
    parameters: Array
    state: Array

    @property
    def count(self) -> int:
        """How many numbers were trained."""
        return self.plan.layout.count

    @property
    def layers(self) -> tuple[tuple[Array, Array], ...]:
        """The weight and the biases of everything trained, from the inputs on; either may be empty."""
        flat = self.parameters
        return tuple((block.weights_of(flat), flat[block.biases]) for block in self.plan.layout.blocks)

    @property
    def is_finite(self) -> bool:
        """Whether all of it are numbers."""
        return bool(np.isfinite(self.parameters).all() and np.isfinite(self.state).all())

    def arrays(self) -> dict[str, Array]:
        """All arrays by name, `layer.array`, with the layer's number: what is saved."""
        arrays: dict[str, Array] = {}
        remembered = iter(self.plan.remembered)
        for number, node in enumerate(self.plan.all_nodes()):
            for block in node.blocks:
                arrays[f"{number}.{block.trained.name}"] = block.view(self.parameters)
            for place in node.state:
                arrays[f"{number}.{next(remembered).name}"] = self.state[place]
        return arrays

    @classmethod
    def dense(cls, layers: Sequence[tuple[Array, Array]], activation: str) -> Self:
        """A fully connected network from a (D, H) weight and an (H,) bias for every layer."""
        dtype = layers[0][0].dtype
        *hidden, outputs = (len(bias) for _, bias in layers)
        inputs = Inputs(shape=layers[0][0].shape[:1])
        plan = stored_plan(dense_network(hidden, activation, outputs), inputs, outputs, dtype)
        flat = np.zeros(plan.layout.size, dtype)
        for block, (weight, bias) in zip(plan.layout.blocks, layers, strict=True):
            block.weights_of(flat)[:] = weight
            flat[block.biases] = bias
        return cls(plan, flat, np.zeros(0, dtype))

    @classmethod
    def from_arrays(cls, plan: Plan, arrays: Mapping[str, Array]) -> Self:
        """The inverse of `arrays`.

        Raises:
            KeyError: an array is missing.
            ValueError: an array has another shape.
        """
        some = next(iter(arrays.values()))
        weights = cls(plan, np.zeros(plan.layout.size, some.dtype), np.zeros(plan.state_size, some.dtype))
        for name, place in weights.arrays().items():
            given = arrays[name]
            if given.shape != place.shape:
                raise ValueError(f"{name} is {given.shape}, where the network has {place.shape}")
            np.copyto(place, given)
        return weights
