"""The Keras text of a network of layers. Keras has channels last, as we have, and pads as we do."""

from collections.abc import Iterator, Sequence
from typing import Final

from hpsearch.engine.layers import KINDS
from hpsearch.engine.layers.ports import Shape
from hpsearch.errors import InputError
from hpsearch.export.keras_columns import column_parts
from hpsearch.export.keras_helpers import helpers
from hpsearch.export.layer_texts import behind, does_nothing, initial_spread, shortcut, spread
from hpsearch.export.recipe import Recipe, applied_rate
from hpsearch.spec.layers import LayerSettings

_ACTIVATIONS: Final = {
    "identity": "keras.layers.Activation('linear')",
    "leaky_relu": "keras.layers.LeakyReLU(negative_slope=0.01)",
    "gelu": "keras.layers.Activation(lambda z: keras.activations.gelu(z, approximate=True))",
}
_RECURRENT: Final = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
_POOLS: Final = {"max_pool": "MaxPooling", "average_pool": "AveragePooling"}
_GLOBAL_POOLS: Final = {"global_max_pool": "GlobalMaxPooling", "global_average_pool": "GlobalAveragePooling"}


def activation_text(name: str) -> str:
    """The layer of an activation."""
    return _ACTIVATIONS.get(name, f"keras.layers.Activation({name!r})")


def layered_network(recipe: Recipe) -> Iterator[str]:
    """The definitions that the network needs, and `build()`.

    Raises:
        InputError: Keras has no layer that does what one of ours does.
    """
    regularizer = f"keras.regularizers.L1L2(l1={recipe['l1']!r}, l2={recipe['l2'] / 2!r})"
    penalty = regularizer if recipe["l1"] or recipe["l2"] else "None"
    texts = _LayerTexts(recipe)
    layers = list(texts.network())
    yield from helpers(layers, penalty, recipe["max_norm"])
    yield "def build():"
    yield '    """The network with its initial weights."""'
    if recipe.embedded:
        yield from column_parts(
            recipe, spread(recipe, recipe["initializer"], "inputs", "outputs"), regularizer
        )
    yield "    return keras.Sequential(["
    yield from (f"        {line}" for line in layers)
    yield "    ])"


class _LayerTexts:
    """Goes through a network and writes each layer as one line or more, the last of which ends in a comma."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe

    def network(self) -> Iterator[str]:
        """All layers, with the inputs and the dropout on them."""
        recipe = self._recipe
        kind = "" if recipe.tokens is None else ', dtype="int32"'
        yield f"keras.Input({recipe.shape!r}{kind}),"
        if (rate := recipe.rate("input_dropout")) and not recipe.embedded:
            yield (
                f"DropTokens({rate!r})," if recipe.tokens is not None else f"keras.layers.Dropout({rate!r}),"
            )
        yield from self._path(recipe.layers, recipe.shape)

    def _path(self, layers: Sequence[LayerSettings], shape: Shape) -> Iterator[str]:
        for layer in layers:
            if not does_nothing(layer, shape):
                yield from self._layer(layer, shape)
            shape = behind(layer, shape)

    def _layer(self, layer: LayerSettings, shape: Shape) -> Iterator[str]:
        match layer.kind:
            case "residual":
                yield from self._residual(layer, shape)
            case "dense":
                yield f"keras.layers.Dense({layer['units']}, **drawn({initial_spread(self._recipe, layer, shape)})),"
            case "convolution" | "depthwise_convolution":
                yield f"{self._convolution(layer, shape)},"
            case "embedding":
                self._refuse_clipping("padding has a gradient, which is not applied")
                yield f"tokens({layer['tokens']}, {layer['units']}, {initial_spread(self._recipe, layer, shape)}),"
            case "simple_rnn" | "lstm" | "gru":
                yield from self._recurrent(layer, shape)
            case _:
                yield f"{_plain(layer, shape)},"

    def _residual(self, layer: LayerSettings, shape: Shape) -> Iterator[str]:
        yield "residual("
        yield f"    {shape!r},"
        yield "    ["
        yield from (f"        {line}" for line in self._path(layer.layers, shape))
        yield "    ],"
        if (way := shortcut(layer, shape)) is not None:
            yield from (f"    {line}" for line in self._layer(way, shape))
        yield "),"

    def _convolution(self, layer: LayerSettings, shape: Shape) -> str:
        axes = len(shape) - 1
        if _most(layer.get("stride")) > 1 and _most(layer.get("dilation", 1)) > 1:
            raise InputError(
                f"{self._recipe.of}: Keras has no convolution with a stride and a dilation; PyTorch has"
            )
        groups = shape[-1] if layer.kind == "depthwise_convolution" else layer.get("groups", 1)
        settings = "".join(
            f", {name}={value!r}"
            for name, value in (
                ("strides", layer["stride"]),
                ("dilation_rate", layer.get("dilation", 1)),
                ("groups", groups),
            )
            if value != 1
        )
        filters, kernel = behind(layer, shape)[-1], layer["kernel"]
        drawn = f"**drawn({initial_spread(self._recipe, layer, shape)}, axes={tuple(range(axes + 1))!r})"
        return f"keras.layers.Conv{axes}D({filters}, {kernel!r}, padding={layer['padding']!r}{settings}, {drawn})"

    def _recurrent(self, layer: LayerSettings, shape: Shape) -> Iterator[str]:
        if layer.kind == "gru":
            self._refuse_clipping("its GRU has two biases a gate, one of which is not learned")
        arrays = KINDS[layer.kind].arrays(layer, shape)
        both = 1 + layer["bidirectional"]
        fans = [each.fans for each in arrays if each.weights[0] and not each.orthogonal][::both]
        for level, each in enumerate(fans, 1):
            states = ", return_sequences=True" if level < len(fans) or layer["states"] == "all" else ""
            bias = ", bias_constraint=OneBias()" if layer.kind == "gru" else ""
            drawn = f"**recurrent({spread(self._recipe, layer.get('initializer'), *each)})"
            text = f"keras.layers.{_RECURRENT[layer.kind]}({layer['units']}{states}{bias}, {drawn})"
            yield f"keras.layers.Bidirectional({text})," if layer["bidirectional"] else f"{text},"

    def _refuse_clipping(self, reason: str) -> None:
        if self._recipe["clip_norm"] is not None:
            raise InputError(f"{self._recipe.of}: Keras clips the gradient by another norm: {reason}")


def _plain(layer: LayerSettings, shape: Shape) -> str:
    """Of layers without weights to draw."""
    axes = len(shape) - 1
    match layer.kind:
        case "activation":
            text = activation_text(layer["function"])
        case "dropout":
            name = f"SpatialDropout{axes}D" if layer["spatial"] and axes else "Dropout"
            text = f"keras.layers.{name}({applied_rate(layer['rate'])!r})"
        case "flatten":
            text = "keras.layers.Flatten()"
        case "reshape":
            text = f"keras.layers.Reshape({layer['shape']!r})"
        case "column_embedding":
            text = "keras.Model(x, keras.layers.Concatenate()(parts))"
        case "batch_normalization":
            text = f"BatchNormalization(momentum={layer['momentum']!r}, epsilon={layer['epsilon']!r})"
        case "layer_normalization":
            text = f"keras.layers.LayerNormalization(epsilon={layer['epsilon']!r})"
        case "max_pool" | "average_pool":
            stride = "" if layer["stride"] is None else f", strides={layer['stride']!r}"
            size = f"{layer['size']!r}{stride}, padding={layer['padding']!r}"
            text = f"keras.layers.{_POOLS[layer.kind]}{axes}D({size})"
        case "global_max_pool" | "global_average_pool":
            text = f"keras.layers.{_GLOBAL_POOLS[layer.kind]}{axes}D()"
        case other:
            raise ValueError(f"no text for {other}")
    return text


def _most(value: int | tuple[int, ...]) -> int:
    return value if isinstance(value, int) else max(value)
