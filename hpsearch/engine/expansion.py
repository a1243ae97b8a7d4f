"""From a recipe to the layers that the engine computes: activations, dropout and the output layer on their own."""

from collections.abc import Iterator, Sequence
from typing import Final

from hpsearch.engine.default_networks import NETWORKS, Inputs, embedding_of_columns, fully_connected
from hpsearch.spec.hyperparameters import Hyperparameters
from hpsearch.spec.layers import LayerSettings

OUTPUT: Final = "output"
"""What the layer that every network ends with is called."""

_FLATTEN: Final = LayerSettings("flatten")
_RELU: Final = LayerSettings.of("activation", function="relu")
_ACTIVATED: Final = ("dense", "convolution", "depthwise_convolution", "residual")


def network_of(h: Hyperparameters, inputs: Inputs) -> tuple[LayerSettings, ...]:
    """The layers of a recipe as a study file would list them, for these inputs, without the output layer.

    Where columns are embedded, a layer that no study file lists comes first.
    """
    front = (embedding_of_columns(h, inputs.embedded),) if inputs.embedded else ()
    return (*front, *_listed(h, inputs))


def _listed(h: Hyperparameters, inputs: Inputs) -> tuple[LayerSettings, ...]:
    if h.layers is None:
        return fully_connected(h, inputs)
    if len(h.layers) == 1 and h.layers[0].kind in NETWORKS:
        return NETWORKS[h.layers[0].kind](h.layers[0], inputs)
    return h.layers


def expand(h: Hyperparameters, inputs: Inputs, outputs: int) -> tuple[LayerSettings, ...]:
    """The layers of a recipe as they are computed, with the output layer."""
    return tuple(layer for part in expanded(h, inputs, outputs) for layer in part)


def expanded(h: Hyperparameters, inputs: Inputs, outputs: int) -> list[tuple[LayerSettings, ...]]:
    """The same, those of each listed layer by themselves; the output layer's are the last."""
    computed = [tuple(_computed(layer, inputs)) for layer in network_of(h, inputs)]
    return [*_pooled_first(computed), _output(outputs, h.initializer)]


def dense_network(hidden: Sequence[int], activation: str, outputs: int) -> tuple[LayerSettings, ...]:
    """A whole fully connected network, without what is no part of a plan."""
    layers: list[LayerSettings] = []
    for width in hidden:
        layers.append(LayerSettings.of("dense", units=width, initializer=""))
        layers.append(LayerSettings.of("activation", function=activation))
    return (*layers, *_output(outputs, ""))


def _output(outputs: int, initializer: str) -> tuple[LayerSettings, LayerSettings]:
    return _FLATTEN, LayerSettings.of("dense", units=outputs, initializer=initializer)


def _pooled_first(parts: Sequence[tuple[LayerSettings, ...]]) -> list[tuple[LayerSettings, ...]]:
    """ReLU behind the maximum instead of in front of it: the same values and gradients, on a quarter of the numbers.

    max(0, max x) = max of max(0, x), and where a window has no positive number, nothing goes back either way.
    """
    found = list(parts)
    for place, behind in enumerate(parts[1:]):
        last = found[place][-1:]
        if last == (_RELU,) and [layer.kind for layer in behind] == ["max_pool"]:
            found[place], found[place + 1] = found[place][:-1], (*behind, _RELU)
    return found


def _computed(layer: LayerSettings, inputs: Inputs) -> Iterator[LayerSettings]:
    """One listed layer as those that are computed."""
    settings = {name: value for name, value in layer.settings if name != "activation"}
    if layer.kind == "embedding":
        settings["tokens"] = inputs.tokens
    inner = (each for within in layer.layers for each in _computed(within, inputs))
    yield LayerSettings.of(layer.kind, *inner, **settings)
    if layer.kind in _ACTIVATED:
        yield LayerSettings.of("activation", function=layer["activation"])
