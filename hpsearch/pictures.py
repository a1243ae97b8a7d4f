"""Small pictures as SVG, and tables as HTML, for notebooks and MLflow: nothing to install, nothing to load."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate
from math import isfinite, log
from typing import Any, Final

_WIDTH: Final = 440
_HEIGHT: Final = 200
_MARGIN: Final = 54
_SHOWN: Final = {"train_loss": "#1f77b4", "validation_loss": "#d62728"}


def curves_svg(curves: Mapping[str, Sequence[float]]) -> str:
    """The training and the validation loss by epoch, as an SVG; empty where there is no number to draw."""
    drawn = {name: list(curves[name]) for name in _SHOWN if any(map(isfinite, curves.get(name, ())))}
    values = [value for curve in drawn.values() for value in curve if isfinite(value)]
    if not values:
        return ""
    low, high = min(values), max(values)
    span, last = (high - low) or 1.0, max(map(len, drawn.values()))
    lines = []
    for place, (name, curve) in enumerate(drawn.items()):
        points = " ".join(
            f"{_MARGIN + (_WIDTH - 2 * _MARGIN) * epoch / max(1, last - 1):.1f},"
            f"{_HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * (value - low) / span:.1f}"
            for epoch, value in enumerate(curve)
            if isfinite(value)
        )
        colour = _SHOWN[name]
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>')
        lines.append(_text(_MARGIN + 160 * place, 16, name.replace("_", " "), colour))
    return _framed(lines, low, high, ("epoch 1", f"epoch {last}"))


def search_svg(values: Mapping[int, float], *, minimized: bool) -> str:
    """The objective of finished trials by number, and the best so far, as an SVG; empty where there is none.

    The scale is logarithmic where values above zero lie far apart.
    """
    found = {number: value for number, value in sorted(values.items()) if isfinite(value)}
    if not found:
        return ""
    low, high, last = min(found.values()), max(found.values()), max(found)
    scale = log if low > 0 and high > 20 * low else float
    span = (scale(high) - scale(low)) or 1.0

    def across(number: int) -> float:
        return _MARGIN + (_WIDTH - 2 * _MARGIN) * number / max(1, last)

    def up(value: float) -> float:
        return _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * (scale(value) - scale(low)) / span

    dots = [
        f'<circle cx="{across(number):.1f}" cy="{up(value):.1f}" r="2.5" fill="#1f77b4" fill-opacity="0.6"/>'
        for number, value in found.items()
    ]
    best = list(accumulate(found.values(), min if minimized else max))
    path = f"M{across(next(iter(found))):.1f} {up(best[0]):.1f}"
    path += "".join(
        f"H{across(number):.1f}V{up(value):.1f}" for number, value in zip(found, best, strict=True)
    )
    line = f'<path fill="none" stroke="#d62728" stroke-width="1.5" d="{path}"/>'
    legend = _text(_MARGIN, 16, "finished trials", "#1f77b4")
    legend += _text(_MARGIN + 160, 16, "best so far", "#d62728")
    return _framed([*dots, line, legend], low, high, ("trial 0", f"trial {last}"))


def _framed(drawn: Sequence[str], low: float, high: float, ends: tuple[str, str]) -> str:
    """What is drawn, with axes and the numbers at their ends."""
    line = f'd="M{_MARGIN} {_MARGIN}V{_HEIGHT - _MARGIN}H{_WIDTH - _MARGIN}"'
    axis = f'<path {line} fill="none" stroke="currentColor" stroke-opacity="0.5"/>'
    marks = _text(2, _MARGIN, f"{high:.3g}") + _text(2, _HEIGHT - _MARGIN, f"{low:.3g}")
    marks += _text(_MARGIN, _HEIGHT - 20, ends[0]) + _text(_WIDTH - 2 * _MARGIN, _HEIGHT - 20, ends[1])
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{axis}{marks}{"".join(drawn)}</svg>'


def _text(x: float, y: float, text: str, colour: str = "currentColor") -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="11" font-family="sans-serif" fill="{colour}">{escape(text)}</text>'
    )


def table_html(head: str, values: Mapping[str, Any]) -> str:
    """Names and values, a row each; empty where there is none."""
    rows = "".join(
        f"<tr><td>{escape(name.replace('_', ' '))}</td><td>{escape(_shown(value))}</td></tr>"
        for name, value in values.items()
    )
    return f"<table><tr><th>{escape(head)}</th><th>value</th></tr>{rows}</table>" if rows else ""


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
