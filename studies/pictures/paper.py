"""Figures and axes in one manner."""

from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLORS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Of Okabe and Ito: told apart by colour-blind readers as well."""


def figure(panels: int = 1, *, width: float = 4.6, height: float = 3.4) -> tuple[Figure, list[Axes]]:
    """A figure of panels side by side."""
    made = Figure(figsize=(width * panels, height), layout="constrained")
    axes: Any = made.subplots(1, panels, squeeze=False)
    return made, [*axes[0]]


def finish(axes: Axes, *, title: str = "", x: str, y: str, legend: bool = True) -> None:
    """Names of a panel and its axes."""
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if legend:
        axes.legend(fontsize=8, frameon=False)


def curve(axes: Axes, values: Sequence[float], **style: Any) -> None:
    """A curve over epochs, from 1."""
    axes.plot(range(1, len(values) + 1), values, **style)
