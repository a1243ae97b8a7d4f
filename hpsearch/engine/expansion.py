"""From a recipe to the layers that the engine computes: activations, dropout and the output layer on their own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hpsearch.engine.layers.ports import Shape
from hpsearch.spec.hyperparameters import Hyperparameters
from hpsearch.spec.layers import LayerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What comes into a network: (D,), (H, W, C), (T, D), or (T,) token ids.

    `tokens` is the number of different ids, None where the inputs are numbers. `ragged`: sequences differ in
    length.
    """

    shape: Shape
    tokens: int | None = None
    ragged: bool = False


FLATTEN = LayerSettings("flatten")


def expand(h: Hyperparameters, inputs: Inputs, outputs: int) -> tuple[LayerSettings, ...]:
    """The layers of a recipe as they are computed, with the output layer."""
    del inputs
    return (
        *fully_connected(h.hidden, h.activation, h.dropout, h.initializer),
        *_output(outputs, h.initializer),
    )


def fully_connected(
    hidden: Sequence[int], activation: str, dropout: float = 0.0, initializer: str = ""
) -> Iterator[LayerSettings]:
    """Hidden layers of these widths, with the activation and dropout behind each."""
    if hidden:
        yield FLATTEN
    for width in hidden:
        yield LayerSettings.of("dense", units=width, initializer=initializer)
        yield LayerSettings.of("activation", function=activation)
        yield LayerSettings.of("dropout", rate=dropout, spatial=False)


def _output(outputs: int, initializer: str = "") -> tuple[LayerSettings, LayerSettings]:
    """The layer that every network ends with."""
    return FLATTEN, LayerSettings.of("dense", units=outputs, initializer=initializer)


def dense_network(hidden: Sequence[int], activation: str, outputs: int) -> tuple[LayerSettings, ...]:
    """A whole fully connected network, without what is no part of a plan."""
    return (*fully_connected(hidden, activation), *_output(outputs))


def flattened(layers: Sequence[LayerSettings]) -> list[LayerSettings]:
    """The layers and those within them, in the order of a plan's indices."""
    return [inner for layer in layers for inner in layer.within()]
