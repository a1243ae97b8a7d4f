"""The layers of K networks at once: one kind a name, each with its shape, its parameters and its arithmetic."""

from typing import Final

from hpsearch.engine.layers.dense import DENSE
from hpsearch.engine.layers.flatten import FLATTEN, RESHAPE
from hpsearch.engine.layers.kind import Kind
from hpsearch.engine.layers.nonlinear import ACTIVATION, DROPOUT

KINDS: Final[dict[str, Kind]] = {
    "dense": DENSE,
    "activation": ACTIVATION,
    "dropout": DROPOUT,
    "flatten": FLATTEN,
    "reshape": RESHAPE,
}
"""The kinds of layers that networks are built of, by name."""
