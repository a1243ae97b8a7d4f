"""What the texts of layers in all libraries need to know of a layer."""

from hpsearch.engine.layers import KINDS
from hpsearch.engine.layers.ports import Shape
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
