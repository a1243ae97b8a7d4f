"""Networks for those who list no layers: fully connected, convolutional, recurrent, of a depth and a width."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, exp, log, prod
from typing import Any, Final

from hpsearch.data.prepared import EmbeddedColumn
from hpsearch.engine.layers.kind import ShapeError, words_of
from hpsearch.engine.layers.ports import Shape
from hpsearch.spec.hyperparameters import Hyperparameters
from hpsearch.spec.layers import LayerSettings

EMBEDDED: Final = 32
"""Numbers in the vector of a token."""

MOST_FILTERS: Final = 512

WIDEST_BY_RULE: Final = 50
"""Numbers in the vector of a category, at most, where nobody says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What comes into a network: (D,), (H, W, C), (T, D), or (T,) token ids.

    `tokens` is the number of different ids, None where the inputs are numbers. `ragged`: sequences differ in
    length. `embedded`: the columns of a table that hold numbers of categories.
    """

    shape: Shape
    tokens: int | None = None
    ragged: bool = False
    embedded: tuple[EmbeddedColumn, ...] = ()


def fully_connected(h: Hyperparameters, inputs: Inputs) -> tuple[LayerSettings, ...]:
    """The layers of `hidden`, with the recipe's dropout behind each; of tokens, on the mean of their vectors."""
    layers: list[LayerSettings] = []
    if inputs.tokens is not None:
        layers += [_embedding(h.initializer), LayerSettings("global_average_pool")]
    elif len(inputs.shape) > 1:
        layers.append(LayerSettings("flatten"))
    for width in h.hidden:
        layers.append(
            LayerSettings.of("dense", units=width, activation=h.activation, initializer=h.initializer)
        )
        layers.append(_dropout(h.dropout))
    return tuple(layers)


def convolutional(network: LayerSettings, inputs: Inputs) -> tuple[LayerSettings, ...]:
    """For images: convolutions and pools that halve them, with twice as many filters each time, and a dense layer.

    For sequences: normalized convolutions, and of each channel the mean (numbers) or the largest value (tokens).
    """
    if len(inputs.shape) == 3:
        return tuple(_on_images(network, inputs.shape))
    layers = _sequence(network, inputs, "convolutional")
    for block in range(network["depth"]):
        layers.append(_convolution(network, block, kernel=5, activation="identity"))
        layers.append(LayerSettings.of("batch_normalization", momentum=0.9, epsilon=1e-5))
        layers.append(LayerSettings.of("activation", function=network["activation"]))
    pool = "global_average_pool" if inputs.tokens is None else "global_max_pool"
    return (*layers, LayerSettings(pool), _dropout(network["rate"]))


def recurrent(network: LayerSettings, inputs: Inputs) -> tuple[LayerSettings, ...]:
    """Gated recurrent units, stacked, and their last state; images are read row by row."""
    if len(inputs.shape) == 3:
        height, *row = inputs.shape
        layers = [LayerSettings.of("reshape", shape=(height, prod(row)))]
    else:
        layers = _sequence(network, inputs, "recurrent")
    if network["depth"]:
        layers.append(
            LayerSettings.of(
                "gru",
                units=network["width"],
                layers=network["depth"],
                bidirectional=False,
                states="last",
                initializer="xavier",
            )
        )
    return (*layers, _dropout(network["rate"]))


def embedding_of_columns(h: Hyperparameters, embedded: Sequence[EmbeddedColumn]) -> LayerSettings:
    """The layer in front of all others, where columns of a table are embedded."""
    widths = dict(h.embedding)
    return LayerSettings.of(
        "column_embedding",
        columns=tuple(column.name for column in embedded),
        places=tuple(column.place for column in embedded),
        categories=tuple(column.categories for column in embedded),
        units=tuple(
            widths.get(column.name, widths.get(None, width_by_rule(column.categories))) for column in embedded
        ),
        initializer=h.initializer,
    )


def width_by_rule(categories: int) -> int:
    """Numbers in the vector of one of so many categories: fast.ai's rule."""
    return min(WIDEST_BY_RULE, ceil(1.6 * exp(0.56 * log(categories))))


NETWORKS: Final[dict[str, Callable[[LayerSettings, Inputs], tuple[LayerSettings, ...]]]] = {
    "convolutional": convolutional,
    "recurrent": recurrent,
}


def _on_images(network: LayerSettings, shape: Shape) -> list[LayerSettings]:
    layers, sides = [], list(shape[:2])
    for block in range(network["depth"]):
        layers.append(_convolution(network, block, kernel=3, activation=network["activation"]))
        if min(sides) > 1:
            layers.append(LayerSettings.of("max_pool", size=2, stride=None, padding="valid"))
            sides = [side // 2 for side in sides]
    units, initializer = 4 * network["width"], network["initializer"]
    dense = LayerSettings.of("dense", units=units, activation=network["activation"], initializer=initializer)
    return [*layers, LayerSettings("flatten"), _dropout(network["rate"]), dense, _dropout(network["rate"])]


def _convolution(network: LayerSettings, block: int, **settings: Any) -> LayerSettings:
    """The convolution of a block; each has twice as many filters as the one before."""
    filters = min(network["width"] << block, max(network["width"], MOST_FILTERS))
    given = {"filters": filters, **settings, "initializer": network["initializer"]}
    return LayerSettings.of("convolution", stride=1, padding="same", dilation=1, groups=1, **given)


def _sequence(network: LayerSettings, inputs: Inputs, kind: str) -> list[LayerSettings]:
    """What makes vectors of the inputs' steps, if anything must."""
    if inputs.tokens is not None:
        return [_embedding(network["initializer"])]
    if len(inputs.shape) == 1:
        raise ShapeError(
            f"a {kind} network takes images or sequences, got a table ({words_of(inputs.shape)} numbers a row)",
            "use `kind: dense`, or list layers that begin with reshape",
        )
    return []


def _embedding(initializer: str) -> LayerSettings:
    return LayerSettings.of("embedding", units=EMBEDDED, initializer=initializer)


def _dropout(rate: float) -> LayerSettings:
    return LayerSettings.of("dropout", rate=rate, spatial=False)
