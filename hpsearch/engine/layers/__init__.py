"""The layers of K networks at once: one kind a name, each with its shape, its parameters and its arithmetic."""

from typing import Final

from hpsearch.engine.layers.column_embedding import COLUMN_EMBEDDING
from hpsearch.engine.layers.convolution import CONVOLUTION, DEPTHWISE_CONVOLUTION
from hpsearch.engine.layers.dense import DENSE
from hpsearch.engine.layers.embedding import EMBEDDING, TRIM
from hpsearch.engine.layers.flatten import FLATTEN, RESHAPE
from hpsearch.engine.layers.global_pooling import GLOBAL_AVERAGE_POOL, GLOBAL_MAX_POOL
from hpsearch.engine.layers.kind import Kind
from hpsearch.engine.layers.nonlinear import ACTIVATION, DROPOUT
from hpsearch.engine.layers.normalization import BATCH_NORMALIZATION, LAYER_NORMALIZATION
from hpsearch.engine.layers.pooling import AVERAGE_POOL, MAX_POOL
from hpsearch.engine.layers.recurrent import GRU, LSTM, SIMPLE_RNN
from hpsearch.engine.layers.residual import RESIDUAL

KINDS: Final[dict[str, Kind]] = {
    "dense": DENSE,
    "global_max_pool": GLOBAL_MAX_POOL,
    "global_average_pool": GLOBAL_AVERAGE_POOL,
    "flatten": FLATTEN,
    "reshape": RESHAPE,
    "convolution": CONVOLUTION,
    "depthwise_convolution": DEPTHWISE_CONVOLUTION,
    "max_pool": MAX_POOL,
    "average_pool": AVERAGE_POOL,
    "simple_rnn": SIMPLE_RNN,
    "lstm": LSTM,
    "gru": GRU,
    "batch_normalization": BATCH_NORMALIZATION,
    "layer_normalization": LAYER_NORMALIZATION,
    "dropout": DROPOUT,
    "activation": ACTIVATION,
    "embedding": EMBEDDING,
    "residual": RESIDUAL,
    "column_embedding": COLUMN_EMBEDDING,
    "trim": TRIM,
}
"""The kinds of layers that networks are built of, by name.

`trim` stands in front of layers that need it, `column_embedding` in front of all layers where columns are embedded.
"""
