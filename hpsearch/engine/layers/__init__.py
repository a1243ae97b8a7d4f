"""The layers of K networks at once: one kind a name, each with its shape, its parameters and its arithmetic."""

from typing import Final

from hpsearch.engine.layers.convolution import CONVOLUTION, DEPTHWISE_CONVOLUTION
from hpsearch.engine.layers.dense import DENSE
from hpsearch.engine.layers.flatten import FLATTEN, RESHAPE
from hpsearch.engine.layers.kind import Kind
from hpsearch.engine.layers.nonlinear import ACTIVATION, DROPOUT
from hpsearch.engine.layers.pooling import AVERAGE_POOL, MAX_POOL
from hpsearch.engine.layers.recurrent import GRU, LSTM, SIMPLE_RNN

KINDS: Final[dict[str, Kind]] = {
    "dense": DENSE,
    "activation": ACTIVATION,
    "dropout": DROPOUT,
    "flatten": FLATTEN,
    "reshape": RESHAPE,
    "convolution": CONVOLUTION,
    "depthwise_convolution": DEPTHWISE_CONVOLUTION,
    "max_pool": MAX_POOL,
    "average_pool": AVERAGE_POOL,
    "simple_rnn": SIMPLE_RNN,
    "lstm": LSTM,
    "gru": GRU,
}
"""The kinds of layers that networks are built of, by name."""
