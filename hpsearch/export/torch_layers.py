"""The PyTorch text of a network of layers: `nn.Sequential`, with the layers that PyTorch has and ours in terms of them.

Inputs are channels last, (N, H, W, C) or (N, T, C), and so are numbers in a row behind `flatten`; between layers that
PyTorch has channels first, they stay so.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from hpsearch.engine.layers import KINDS
from hpsearch.engine.layers.ports import Shape
from hpsearch.export.layer_texts import behind, does_nothing, initial_spread, shortcut, spread
from hpsearch.export.recipe import Recipe, applied_rate
from hpsearch.export.torch_columns import columns_layer, initial_vectors
from hpsearch.export.torch_helpers import helpers
from hpsearch.export.torch_windows import convolution, pool
from hpsearch.spec.layers import LayerSettings

ACTIVATIONS: Final = {
    "relu": "nn.ReLU()",
    "leaky_relu": "nn.LeakyReLU(0.01)",
    "sigmoid": "nn.Sigmoid()",
    "tanh": "nn.Tanh()",
    "gelu": 'nn.GELU(approximate="tanh")',
    "silu": "nn.SiLU()",
}
"""Those that do anything."""

_CHANNELS_FIRST: Final = (
    "convolution",
    "depthwise_convolution",
    "max_pool",
    "average_pool",
    "global_max_pool",
    "global_average_pool",
    "batch_normalization",
)
_CHANNELS_LAST: Final = (
    "layer_normalization",
    "simple_rnn",
    "lstm",
    "gru",
    "flatten",
    "reshape",
)
_RECURRENT: Final = {"simple_rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}


def layered_network(recipe: Recipe) -> Iterator[str]:
    """The definitions that the network needs, and `build()`."""
    layers = list(_LayerTexts(recipe).network())
    yield from helpers(layers)
    if recipe.embedded:
        yield from columns_layer(recipe)
    yield "def build():"
    yield '    """The network with its initial weights."""'
    yield "    network = nn.Sequential("
    yield from (f"        {line}" for line in layers)
    yield "    )"
    if recipe.embedded:
        yield from initial_vectors(spread(recipe, recipe["initializer"], "units", "units"))
    yield "    return network"


class _LayerTexts:
    """Goes through a network and writes each layer as one line or more, the last of which ends in a comma."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._first = False  # whether channels stand in front of steps and pixels

    def network(self) -> Iterator[str]:
        """All layers, with the dropout on what comes in."""
        if (rate := self._recipe.rate("input_dropout")) and not self._recipe.embedded:
            yield f"DropTokens({rate!r})," if self._recipe.tokens is not None else f"nn.Dropout({rate!r}),"
        yield from self._path(self._recipe.layers, self._recipe.shape)

    def _path(self, layers: Sequence[LayerSettings], shape: Shape) -> Iterator[str]:
        for layer in layers:
            if not does_nothing(layer, shape):
                yield from self._turned(shape, first=self._wanted(layer, shape))
                yield from self._layer(layer, shape)
            shape = behind(layer, shape)
            self._first = self._first and len(shape) > 1

    def _wanted(self, layer: LayerSettings, shape: Shape) -> bool:
        """Whether a layer has channels first."""
        if layer.kind in _CHANNELS_LAST:
            return False
        return self._first or _has_channels_first(layer, shape)

    def _turned(self, shape: Shape, *, first: bool) -> Iterator[str]:
        if len(shape) > 1 and first != self._first:
            self._first = first
            yield "ChannelsFirst()," if first else "ChannelsLast(),"

    def _layer(self, layer: LayerSettings, shape: Shape) -> Iterator[str]:
        match layer.kind:
            case "residual":
                yield from self._residual(layer, shape)
            case "reshape":
                if shape[1:]:
                    yield "nn.Flatten(),"
                if layer["shape"][1:]:
                    yield f"nn.Unflatten(1, {layer['shape']!r}),"
            case "max_pool" | "average_pool":
                yield f"{pool(layer, shape)},"
            case "global_max_pool" | "global_average_pool":
                name = "Max" if layer.kind == "global_max_pool" else "Avg"
                yield f"nn.Adaptive{name}Pool{len(shape) - 1}d(1),"
                yield "nn.Flatten(),"
            case "dense" | "embedding":
                yield f"drawn({_plain(layer, shape)}, std={initial_spread(self._recipe, layer, shape)}),"
            case "convolution" | "depthwise_convolution":
                padding, convolved = convolution(layer, shape)
                yield from padding
                yield f"drawn({convolved}, std={initial_spread(self._recipe, layer, shape)}),"
            case "simple_rnn" | "lstm" | "gru":
                yield from self._recurrent(layer, shape)
            case _:
                yield f"{_plain(layer, shape)},"

    def _residual(self, layer: LayerSettings, shape: Shape) -> Iterator[str]:
        first, way = self._first, shortcut(layer, shape)
        block = [*self._path(layer.layers, shape), *self._turned(behind(layer, shape), first=first)]
        beside = ["nn.Identity(),"]
        if way is not None:
            self._first = first
            beside = list(self._layer(way, shape))
        yield "Residual("
        yield "    nn.Sequential("
        yield from (f"        {line}" for line in block)
        yield "    ),"
        yield from (f"    {line}" for line in beside)
        yield "),"

    def _recurrent(self, layer: LayerSettings, shape: Shape) -> Iterator[str]:
        stacked = f", num_layers={layer['layers']}" if layer["layers"] > 1 else ""
        both = ", bidirectional=True" if layer["bidirectional"] else ""
        made = f"nn.{_RECURRENT[layer.kind]}({shape[-1]}, {layer['units']}{stacked}{both}, batch_first=True)"
        arrays = KINDS[layer.kind].arrays(layer, shape)
        fans = [each.fans for each in arrays if each.weights[0] and not each.orthogonal]
        stds = ", ".join(spread(self._recipe, layer.get("initializer"), *each) for each in fans)
        states = "AllStates" if layer["states"] == "all" else "LastState"
        yield f"{states}(recurrent({made}, stds=[{stds}])),"


def _has_channels_first(layer: LayerSettings, shape: Shape) -> bool:
    if layer.kind == "residual":
        needed = any(_has_channels_first(inner, shape) for inner in layer.layers)
        return needed or behind(layer, shape) != shape
    return layer.kind in _CHANNELS_FIRST or (layer.kind == "dropout" and layer["spatial"])


def _plain(layer: LayerSettings, shape: Shape) -> str:
    """Of layers that PyTorch has as ours are."""
    axes = len(shape) - 1
    match layer.kind:
        case "dense":
            text = f"nn.Linear({shape[0]}, {layer['units']})"
        case "embedding":
            text = f"nn.Embedding({layer['tokens']}, {layer['units']}, padding_idx=0)"
        case "activation":
            text = ACTIVATIONS[layer["function"]]
        case "dropout":
            name = f"Dropout{axes}d" if layer["spatial"] and axes else "Dropout"
            text = f"nn.{name}({applied_rate(layer['rate'])!r})"
        case "flatten":
            text = "nn.Flatten()"
        case "column_embedding":
            text = "Columns()"
        case "batch_normalization":
            share = round(1 - layer["momentum"], 12)
            name = f"nn.BatchNorm{axes}d" if axes else "BatchNorm"
            text = f"{name}({shape[-1]}, eps={layer['epsilon']!r}, momentum={share!r})"
        case "layer_normalization":
            text = f"nn.LayerNorm({shape[-1]}, eps={layer['epsilon']!r})"
        case other:
            raise ValueError(f"no text for {other}")
    return text
