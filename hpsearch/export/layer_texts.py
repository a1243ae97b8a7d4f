"""What the texts of layers in all libraries need to know of a layer."""

from hpsearch.engine.layers import KINDS
from hpsearch.engine.layers.ports import Shape
from hpsearch.engine.planner import projection
from hpsearch.export.recipe import Recipe, applied_rate
from hpsearch.spec.layers import LayerSettings


def behind(layer: LayerSettings, shape: Shape) -> Shape:
    """The shape of what comes out of a layer."""
    if layer.kind != "residual":
        return KINDS[layer.kind].shape(layer, shape)
    for inner in layer.layers:
        shape = behind(inner, shape)
    return shape


def spread(recipe: Recipe, initializer: str | None, inputs: object, outputs: object) -> str:
    """The standard deviation of initial weights, in numbers or names; of a layer without a word on it, the recipe's."""
    name = initializer or recipe["initializer"]
    spreads = {
        "zeros": "0.0",
        "xavier": f"(2 / ({inputs} + {outputs})) ** 0.5",
        "he": f"(2 / {inputs}) ** 0.5",
        "lecun": f"(1 / {inputs}) ** 0.5",
    }
    return spreads.get(name, repr(recipe["initial_scale"]))


def initial_spread(recipe: Recipe, layer: LayerSettings, shape: Shape) -> str:
    """That of a layer with one array of weights."""
    [trained] = KINDS[layer.kind].arrays(layer, shape)
    return spread(recipe, layer.get("initializer"), *trained.fans)


def shortcut(layer: LayerSettings, shape: Shape) -> LayerSettings | None:
    """The projection beside a residual block; None where what comes in is added as it is."""
    after = behind(layer, shape)
    if after == shape:
        return None
    return projection(shape, after).having(initializer=layer.get("initializer"))


def does_nothing(layer: LayerSettings, shape: Shape) -> bool:
    """Whether a layer needs no text."""
    match layer.kind:
        case "activation":
            return bool(layer["function"] == "identity")
        case "dropout":
            return applied_rate(layer["rate"]) == 0
        case "flatten":
            return len(shape) == 1
        case _:
            return False
