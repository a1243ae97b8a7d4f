"""Small functions and classes that the Keras text of a layered network brings along, where it needs them."""

import re
from collections.abc import Iterator
from typing import Final

_HELPERS: Final = {
    "OrthogonalGates": '''\
@keras.saving.register_keras_serializable()
class OrthogonalGates(keras.initializers.Initializer):
    """An orthogonal matrix for each gate, side by side."""

    def __call__(self, shape, dtype=None):
        units, width = shape
        gates = [keras.initializers.Orthogonal()((units, units), dtype) for _ in range(width // units)]
        return keras.ops.concatenate(gates, axis=1)
''',
    "OneBias": '''\
@keras.saving.register_keras_serializable()
class OneBias(keras.constraints.Constraint):
    """Keras' GRU has two biases a gate: the second one stays zero, but for that of the candidate."""

    def __call__(self, bias):
        gates = bias.shape[1] // 3 * 2
        zeros = keras.ops.zeros_like(bias[1:, :gates])
        return keras.ops.concatenate([bias[:1], keras.ops.concatenate([zeros, bias[1:, gates:]], axis=1)], axis=0)
''',
    "BatchNormalization": '''\
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' own, with the unbiased variance among the running statistics."""

    def call(self, inputs, training=None, mask=None):
        before = self.momentum * keras.ops.copy(self.moving_variance)
        outputs = super().call(inputs, training=training, mask=mask)
        if training:
            count = keras.ops.cast(keras.ops.size(inputs), "float32") / inputs.shape[-1]
            seen = self.moving_variance - before
            self.moving_variance.assign(before + seen * count / keras.ops.maximum(count - 1, 1))
        return outputs
''',
    "tokens": '''\
def tokens(count, units, std):
    """A vector for each token; that of padding, token 0, stays zero."""

    def known(vectors):
        return vectors * keras.ops.cast(keras.ops.arange(count)[:, None] > 0, vectors.dtype)

    def initial(shape, dtype=None):
        return known(keras.random.normal(shape, stddev=std, dtype=dtype))

    return keras.layers.Embedding(
        count, units, embeddings_initializer=initial, embeddings_regularizer={penalty}, embeddings_constraint=known
    )
''',
    "DropTokens": '''\
class DropTokens(keras.layers.Layer):
    """Makes tokens unknown ones, number 1, while learning; padding, number 0, stays."""

    def __init__(self, rate):
        super().__init__()
        self.rate, self.seed = rate, keras.random.SeedGenerator()

    def call(self, x, training=False):
        if not training:
            return x
        dropped = keras.random.uniform(keras.ops.shape(x), seed=self.seed) < self.rate
        return keras.ops.where(keras.ops.logical_and(dropped, x > 0), keras.ops.ones_like(x), x)
''',
    "residual": '''\
def residual(shape, block, shortcut=None):
    """What goes in is added to what comes out of the block."""
    x = keras.Input(shape)
    y = keras.Sequential(block)(x)
    return keras.Model(x, keras.layers.Add()([y, x if shortcut is None else shortcut(x)]))
''',
    "drawn": '''\
def drawn(std, axes=(0,)):
    """The spread of a layer's initial weights, and what holds them small; `axes` are all but that of the outputs."""
    return {{
        "kernel_initializer": keras.initializers.RandomNormal(stddev=std),
        "kernel_regularizer": {penalty},
        "kernel_constraint": {bound_axes},
    }}
''',
    "recurrent": '''\
def recurrent(std):
    """The same of a recurrent layer, whose weights on states are orthogonal at first."""
    return drawn(std) | {{
        "recurrent_initializer": OrthogonalGates(),
        "recurrent_regularizer": {penalty},
        "recurrent_constraint": {bound},
    }}
''',
}
"""By name. One that is called in a text, or in a later helper of it, has its definition in front of it."""


def helpers(lines: list[str], penalty: str, max_norm: float | None) -> Iterator[str]:
    """The lines of all that some lines call, each definition two lines apart from what follows."""
    bound = "None" if max_norm is None else f"keras.constraints.MaxNorm({max_norm!r}, axis={{}})"
    terms = {"penalty": penalty, "bound": bound.format("0"), "bound_axes": bound.format("axes")}
    called, found = "\n".join(lines), dict[str, str]()
    for name, text in reversed(_HELPERS.items()):
        if re.search(rf"(?<![\w.]){name}\(", called):
            found[name] = text.format(**terms) if "{penalty}" in text else text
            called += found[name]
    for name in reversed(found):
        yield from found[name].splitlines()
        yield from ("", "")
