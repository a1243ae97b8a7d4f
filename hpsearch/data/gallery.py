"""The picture of data: one HTML page with distributions and examples, that needs nothing beside itself."""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from html import escape
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.description import Column, Description

_MOST: Final = 60
_PIXEL: Final = re.compile(r"(?P<head>.*?)(?P<row>\d{1,4})[_x,](?P<column>\d{1,4})")
_FEWEST_PIXELS: Final = 16
_STYLE: Final = (
    "body{font:15px/1.4 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#222}"
    "h1{font-size:1.5em}h2{font-size:1.1em;margin-top:2em}.grid{display:flex;flex-wrap:wrap;gap:1em}"
    "figure{margin:0;border:1px solid #ddd;border-radius:6px;padding:.6em}figcaption{font-size:.85em;max-width:15em;"
    "overflow-wrap:anywhere}small{color:#666}svg{display:block}img{image-rendering:pixelated;min-width:84px}"
    "td,th{text-align:left;padding:.15em 1em .15em 0}"
)


def page(about: Description) -> str:
    """The description as an HTML page."""
    return "\n".join(_blocks(about)) + "\n"


def _blocks(about: Description) -> Iterator[str]:
    title = escape(f"{about.source}: {about.kind}")
    yield f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
    shape = " x ".join(map(str, about.shape))
    yield f"<h1>{title}</h1><p>{escape(about.task)}; inputs {shape}; "
    yield ", ".join(f"{count:,} {part}" for part, count in about.rows.items()) + " rows</p>"
    if about.warnings:
        yield "<ul>" + "".join(f"<li>{escape(warning)}" for warning in about.warnings) + "</ul>"
    yield "<h2>Targets</h2><div class=grid>" + "".join(map(_figure, about.targets)) + "</div>"
    shown = (*about.columns, *(() if about.lengths is None else (about.lengths,)))
    yield "<h2>Inputs</h2><div class=grid>" + "".join(map(_figure, shown[:_MOST])) + "</div>"
    if len(shown) > _MOST:
        yield f"<p><small>and {len(shown) - _MOST} more</small></p>"
    if about.drift:
        yield "<h2>Drift from the training part</h2><table><tr><th>column<th>part<th>distance<th>shift"
        yield "".join(
            f"<tr><td>{escape(d.column)}<td>{d.part}<td>{d.distance:.2f}<td>{d.shift:+.2f} sd"
            for d in about.drift
        )
        yield "</table>"
    if about.examples:
        yield "<h2>Examples</h2><div class=grid>" + "".join(map(_example, about.examples)) + "</div>"
    yield f"<p><small>fingerprint {about.fingerprint}; training and validation rows only</small></p></html>"


def _figure(column: Column) -> str:
    facts = f"{column.kind}, {column.distinct:,} distinct"
    facts += f", {column.missing:,} missing" if column.missing else ""
    if column.low is not None:
        facts += f"<br>{column.low:.4g} to {column.high:.4g}, mean {column.mean:.4g}"
    drawn = _bars(column.histogram) if column.histogram else _labelled(column)
    return f"<figure>{drawn}<figcaption><b>{escape(column.name)}</b><br><small>{facts}</small></figcaption></figure>"


def _bars(counts: tuple[int, ...]) -> str:
    highest, width = max(*counts, 1), 200 / len(counts)
    bars = "".join(
        f'<rect x="{i * width:.1f}" y="{60 - 60 * count / highest:.1f}" width="{width - 1:.1f}" '
        f'height="{60 * count / highest:.1f}"/>'
        for i, count in enumerate(counts)
    )
    return f'<svg width="200" height="60" fill="#3b6ea8" role="img" aria-label="histogram">{bars}</svg>'


def _labelled(column: Column) -> str:
    if not column.common:
        return ""
    most = max(column.common.values())
    rows = "".join(
        f'<rect y="{i * 18 + 3}" width="{80 * count / most:.1f}" height="12" fill="#3b6ea8"/>'
        f'<text x="86" y="{i * 18 + 13}" font-size="11">{escape(label[:14])} {count:,}</text>'
        for i, (label, count) in enumerate(column.common.items())
    )
    return f'<svg width="200" height="{18 * len(column.common)}" role="img" aria-label="counts">{rows}</svg>'


def _example(example: Any) -> str:
    if isinstance(example, str):
        return f"<figure><figcaption>{escape(example[:200])}</figcaption></figure>"
    return f"<figure>{_image(example) if example.ndim == 3 else _line(example)}</figure>"


def _image(pixels: NDArray[Any]) -> str:
    return f'<img alt="example" src="{picture(pixels)}">'


def picture(pixels: NDArray[Any]) -> str:
    """(H, W, C) pixels as the address of a PNG that holds itself, at most 160 pixels wide and high."""
    from PIL import Image  # noqa: PLC0415 - only where there are pictures

    shown = pixels
    if shown.dtype != np.uint8:
        low, high = float(shown.min()), float(shown.max())
        shown = ((shown - low) * (255 / (high - low if high > low else 1))).astype(np.uint8)
    shown = shown if shown.shape[2] == 3 else shown[:, :, 0]
    image, file = Image.fromarray(shown), BytesIO()
    image.thumbnail((160, 160))
    image.save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


def picture_of_series(series: NDArray[Any]) -> str:
    """(T, V) values by step as the address of an SVG that holds itself."""
    return f"data:image/svg+xml;base64,{b64encode(_line(series).encode()).decode()}"


def grid_of(columns: Sequence[str]) -> tuple[int, int] | None:
    """Height and width of an image whose pixels are these columns, row by row; None where they are no such thing.

    They are called by row and column, counted from 0 or 1: `pixel_0_0`, `pixel_0_1`, ...
    """
    found = [_PIXEL.fullmatch(name) for name in columns]
    if len(found) < _FEWEST_PIXELS or not all(found):
        return None
    heads = {each["head"] for each in found if each}
    places = [(int(each["row"]), int(each["column"])) for each in found if each]
    (top, left), (bottom, right) = places[0], places[-1]
    whole = [(row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)]
    return (bottom - top + 1, right - left + 1) if len(heads) == 1 and places == whole else None


def _line(series: NDArray[Any]) -> str:
    low, high = np.nanmin(series), np.nanmax(series)
    drawn = []
    for values, color in zip(series.T[:4], ("#3b6ea8", "#c0504d", "#6a9a3b", "#8064a2"), strict=False):
        heights = 60 - 56 * (values - low) / (high - low if high > low else 1) - 2
        steps = np.linspace(0, 200, max(2, len(values)))
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(steps, heights, strict=False) if np.isfinite(y))
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{color}"/>')
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="60" role="img" aria-label="series">'
        f"{''.join(drawn)}</svg>"
    )
