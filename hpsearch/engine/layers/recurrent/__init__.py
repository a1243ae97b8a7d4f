"""Recurrent layers: simple recurrent networks, LSTM and GRU; stacked, in both directions, last state or all."""

from typing import Final

from hpsearch.engine.layers.kind import Kind, Site, Trained, needs
from hpsearch.engine.layers.ports import Layer, Port, Shape
from hpsearch.engine.layers.recurrent.gru import GatedRecurrence
from hpsearch.engine.layers.recurrent.lstm import LongShortTermMemory
from hpsearch.engine.layers.recurrent.recurrence import Recurrence
from hpsearch.engine.layers.recurrent.simple import SimpleRecurrence
from hpsearch.engine.layers.recurrent.stack import stack
from hpsearch.spec.layers import LayerSettings

CELLS: Final[dict[str, type[Recurrence]]] = {
    "simple_rnn": SimpleRecurrence,
    "lstm": LongShortTermMemory,
    "gru": GatedRecurrence,
}
"""What a step of a layer computes, by its kind."""


def _directions(layer: LayerSettings) -> int:
    return 2 if layer["bidirectional"] else 1


def _shape(layer: LayerSettings, shape: Shape) -> Shape:
    needs(2, layer, shape)
    width = layer["units"] * _directions(layer)
    return (shape[0], width) if layer["states"] == "all" else (width,)


def _arrays(layer: LayerSettings, shape: Shape) -> tuple[Trained, ...]:
    units, directions = layer["units"], _directions(layer)
    widths = [shape[1], *[units * directions] * (layer["layers"] - 1)]
    return tuple(
        trained
        for level, width in enumerate(widths, 1)
        for name in (f"layer {level}", f"layer {level} reverse")[:directions]
        for trained in CELLS[layer.kind].arrays(name, width, units)
    )


def _build(site: Site) -> tuple[Port, Layer]:
    cell, layer = CELLS[site.layer.kind], site.layer
    size = len(cell.arrays("", 1, 1))
    starts = range(0, len(site.parameters), size)
    return stack(
        cell,
        site.behind,
        shape=site.before,
        directions=_directions(layer),
        parameters=[site.parameters[start : start + size] for start in starts],
        gradients=[site.gradients[start : start + size] for start in starts],
        lengths=site.lengths,
        deepest=site.deepest,
    )


SIMPLE_RNN: Final = Kind(shape=_shape, arrays=_arrays, build=_build)
LSTM: Final = SIMPLE_RNN
GRU: Final = SIMPLE_RNN
