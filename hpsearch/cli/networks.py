"""Networks as tables, for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.table import Table

from hpsearch.cli.describe import plain_table
from hpsearch.engine.table import Row
from hpsearch.spec import ParameterValue
from hpsearch.spec.layer_table import LAYERS
from hpsearch.spec.layers import LayerSettings

_SILENT: Final = ("initializer", "rate")
"""Settings that may differ from trial to trial in the same network."""


def network_table(
    params: Mapping[str, ParameterValue], rows: Sequence[Row], *, name: str = "the network"
) -> Table:
    """The layers of a network, what comes out of each, and how many numbers each learns."""
    table = plain_table("layer", "output shape", "parameters")
    table.title = name + (f" with {_named(params)}" if params else "")
    table.title_justify, table.title_style = "left", ""
    for row in rows:
        count = f"{row.parameters:,}" if row.parameters else ""
        table.add_row(label(row.layer), " x ".join(map(str, row.shape)), count)
    table.add_row("all", "", f"{sum(row.parameters for row in rows):,}")
    return table


def label(layer: LayerSettings) -> str:
    """A layer in a few words: its name, its main setting, and what else is not as usual."""
    if layer.kind == "column_embedding":
        columns = zip(layer["columns"], layer["categories"], layer["units"], strict=True)
        return "; ".join(f"embedding of {name}, {count} -> {units}" for name, count, units in columns)
    row = LAYERS.get(layer.kind)
    if row is None:
        return layer.kind
    words = [layer.kind]
    if row.main in row.settings and row.main not in _SILENT:
        words.append(_value(layer[row.main]))
    others = [
        f"{name} {_value(value)}"
        for name, value in layer.settings
        if name not in (row.main, *_SILENT) and value != row.settings[name].default
    ]
    inner = f" [{'; '.join(map(label, layer.layers))}]" if layer.layers else ""
    return " ".join(words) + inner + (f", {', '.join(others)}" if others else "")


def _named(params: Mapping[str, ParameterValue]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in params.items())


def _value(value: Any) -> str:
    return " x ".join(map(str, value)) if isinstance(value, tuple) else str(value)
