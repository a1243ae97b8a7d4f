"""Beginning from trained weights: each array is taken from its counterpart, where their shapes agree.

Counterparts are arrays of the same name in layers of the same kind, counted from the inputs: the second convolution's
weights begin as those of the second convolution. Vectors of tokens and categories are left: their numbers follow from
the training rows, and stand for others in other rows.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np

from hpsearch.data.prepared import Start
from hpsearch.engine.arrays import Array
from hpsearch.engine.plan import Plan
from hpsearch.engine.weights import Weights

_NUMBERED: Final = ("embedding ", "column_embedding ")


def start_of(weights: Weights) -> Start:
    """What networks may begin from: all arrays of a trained one, but for vectors of tokens and categories."""
    every = _named(weights.plan, weights.parameters, weights.state)
    named = [(name, array) for name, array in every if not name.startswith(_NUMBERED)]
    return Start(names=tuple(name for name, _ in named), arrays=tuple(array.copy() for _, array in named))


def begin(plan: Plan, parameters: Array, state: Array, start: Start) -> None:
    """Write what agrees into the (P,) parameters and (S,) state of a network of this plan."""
    known = dict(zip(start.names, start.arrays, strict=True))
    for name, array in _named(plan, parameters, state):
        if name in known and known[name].shape == array.shape:
            np.copyto(array, known[name])


def taken(plan: Plan, start: Start) -> str:
    """What a network of this plan takes, in words: `all 4 arrays`, `2 of 4 arrays (dense 1, dense 2)`."""
    known = {name: array.shape for name, array in zip(start.names, start.arrays, strict=True)}
    row = np.empty(plan.layout.size, np.float32), np.empty(plan.state_size, np.float32)
    named = [(name, array.shape) for name, array in _named(plan, *row)]
    agreeing = [name for name, shape in named if known.get(name) == shape]
    if len(agreeing) == len(named):
        return f"all {len(named)} arrays"
    layers = ", ".join(dict.fromkeys(name.rpartition(" ")[0] for name in agreeing))
    return f"{len(agreeing)} of {len(named)} arrays" + (f" ({layers})" if layers else "")


def _named(plan: Plan, parameters: Array, state: Array) -> Iterator[tuple[str, Array]]:
    """All arrays of a network as views, named by kind, number among its kind, and array: `dense 2 weight`."""
    counts: Counter[str] = Counter()
    remembered = iter(plan.remembered)
    for node in plan.all_nodes():
        if not node.blocks and not node.state:
            continue
        counts[node.layer.kind] += 1
        layer = f"{node.layer.kind} {counts[node.layer.kind]}"
        for block in node.blocks:
            yield f"{layer} {block.trained.name}", block.view(parameters)
        for place in node.state:
            yield f"{layer} {next(remembered).name}", state[place]
