"""Whole networks against PyTorch's: outputs in training and in prediction, running statistics, all parameters' gradients.

Prints, for each network, the largest difference relative to the largest number of its kind, in float64.

    python -m benchmarks.networks_against_torch
"""

import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.layers_against_torch import convolve, pool, recur
from hpsearch.data.prepared import Part
from hpsearch.engine import Buffers, Network, Plan, inputs_of, plan_of
from hpsearch.engine.planner import Node
from hpsearch.spec import parse_study

BOUND: Final = 1e-10
ROWS, BATCH, OUTPUTS = 2, 6, 3

NETWORKS: Final = {
    "rows, normalized": ((9,), None, "[{dense: {units: 8, activation: identity}}, batch_normalization, activation, layer_normalization]"),
    "images": ((9, 8, 3), None, "[{convolution: {filters: 6, activation: identity}}, batch_normalization, activation, {max_pool: 2}, "
               "layer_normalization, global_average_pool, {dense: 5}]"),
    "residual": ((8, 8, 3), None, "[{convolution: 6}, {residual: [{convolution: {filters: 8, stride: 2, activation: identity}}, "
                 "batch_normalization, activation, {convolution: {filters: 8, activation: identity}}]}, {residual: [{convolution: 8}]}, "
                 "global_max_pool]"),
    "sequences": ((12, 4), None, "[{convolution: {filters: 6, kernel: 5}}, batch_normalization, {average_pool: 2}, "
                  "{lstm: {units: 5, bidirectional: true, states: all}}, {gru: 4}]"),
    "tokens": ((10,), 17, "[{embedding: 6}, {convolution: {filters: 5, kernel: 3}}, global_max_pool]"),
    "tokens, recurrent": ((10,), 17, "[{embedding: 6}, {simple_rnn: {units: 5, states: all}}, global_average_pool]"),
}  # fmt: skip

FUNCTIONS: Final = {"relu": F.relu, "identity": lambda z: z, "tanh": torch.tanh}


class Theirs:
    """One network of a plan, by PyTorch's functions."""

    def __init__(self, plan: Plan, parameters: np.ndarray, state: np.ndarray) -> None:
        self._plan, blocks = plan, plan.layout.blocks
        self.arrays = [torch.from_numpy(b.view(parameters).copy()).requires_grad_() for b in blocks]
        self._of = {id(block): array for block, array in zip(blocks, self.arrays, strict=True)}
        self.state = torch.from_numpy(state.copy())

    def __call__(self, x: np.ndarray, *, training: bool) -> Tensor:
        return self._path(self._plan.nodes, torch.from_numpy(x), training)

    def _path(self, nodes: Sequence[Node], x: Tensor, training: bool) -> Tensor:
        for node in nodes:
            x = self._node(node, x, training)
        return x

    def _node(self, node: Node, x: Tensor, training: bool) -> Tensor:
        layer, parameters = node.layer, [self._of[id(block)] for block in node.blocks]
        places = tuple(range(1, x.dim() - 1))
        match layer.kind:
            case "dense":
                return x @ parameters[0][:-1] + parameters[0][-1]
            case "activation":
                return FUNCTIONS[layer["function"]](x)
            case "flatten":
                return x.flatten(1)
            case "batch_normalization":
                mean, variance = (self.state[place] for place in node.state)
                y = F.batch_norm(
                    x.movedim(-1, 1), mean, variance, parameters[0][0], parameters[1][0],
                    training=training, momentum=1 - layer["momentum"], eps=layer["epsilon"],
                )  # fmt: skip
                return y.movedim(1, -1)
            case "layer_normalization":
                return F.layer_norm(x, x.shape[-1:], parameters[0][0], parameters[1][0], layer["epsilon"])
            case "global_average_pool":
                return x.mean(dim=places)
            case "global_max_pool":
                return x.amax(dim=places)
            case "embedding":
                return F.embedding(x.long(), parameters[0], padding_idx=0)
            case "residual":
                main, shortcut = node.paths
                return self._path(main, x, training) + self._path(shortcut, x, training)
            case "dropout":
                return x
            case "max_pool" | "average_pool":
                return pool(layer, x, parameters, None)
            case "simple_rnn" | "lstm" | "gru":
                return recur(layer, x, parameters, None)
            case _:
                return convolve(layer, x, parameters, None)


def largest_difference(shape: tuple[int, ...], tokens: int | None, layers: str) -> float:
    """Over outputs, statistics and gradients: the largest difference by the largest number."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, BATCH, *shape)) if tokens is None else rng.integers(0, tokens, (ROWS, BATCH, *shape)).astype(np.int32)
    plan = plan_of(recipe(layers), inputs_of(Part(x=x[0], y=np.zeros(BATCH)), tokens), OUTPUTS, np.dtype(np.float64))
    parameters = rng.standard_normal((ROWS, plan.layout.size)) * 0.5
    state = np.array([[number for each in plan.remembered for number in each.initial]] * ROWS).reshape(ROWS, -1)
    theirs = [Theirs(plan, *row) for row in zip(parameters, state, strict=True)]
    buffers = Buffers(parameters=parameters, gradients=np.zeros_like(parameters), state=state)
    network = Network(plan, buffers, batch=BATCH)
    read = np.concatenate([x, np.ones((ROWS, BATCH, 1))], axis=2) if plan.flat else x
    delta = rng.standard_normal((ROWS, BATCH, OUTPUTS))
    pairs: list[tuple[Any, Any]] = []
    outputs = network.forward(read).copy()
    network.delta[:] = delta
    network.backward()
    for row, their in enumerate(theirs):
        y = their(x[row], training=True)
        y.backward(torch.from_numpy(delta[row]))
        pairs.append((outputs[row], y.detach()))
        pairs += [(state[row], their.state)] if plan.state_size else []
        for block, array in zip(plan.layout.blocks, their.arrays, strict=True):
            pairs.append((block.view(buffers.gradients)[row], array.grad))
    evaluated = network.evaluate(read)
    pairs += [(evaluated[row], their(x[row], training=False).detach()) for row, their in enumerate(theirs)]
    largest = [(ours - np.asarray(other), np.asarray(other)) for ours, other in pairs]
    return max(float(np.abs(difference).max() / np.abs(other).max()) for difference, other in largest)


def recipe(layers: str) -> Any:
    """A trial with these layers."""
    study = parse_study(f"study: check\ndata: {{source: sklearn/digits}}\nmodel: {{layers: {layers}}}\nspace: {{batch_size: 6}}")
    return study.resolve({}, default_loss="cross_entropy")


def main() -> int:
    """Print the table; fails when a difference is larger than rounding explains."""
    torch.set_num_threads(1)
    found = {name: largest_difference(*network) for name, network in NETWORKS.items()}
    for name, difference in found.items():
        print(f"{name:20} {difference:9.1e}")
    return int(not max(found.values()) <= BOUND)


if __name__ == "__main__":
    sys.exit(main())
