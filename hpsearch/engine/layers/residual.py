"""Residual blocks: what goes in is added to what comes out (He et al. 2015)."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from hpsearch.engine.layers.kind import Kind, Site
from hpsearch.engine.layers.ports import Layer, Port, open_port

Path = tuple[Port, Sequence[Layer], Port]
"""The port in front of layers, they, and the port behind them."""


class Residual:
    """y = main(x) + shortcut(x); a shortcut without layers is x itself."""

    def __init__(self, before: Port, behind: Port, main: Path, shortcut: Path) -> None:
        self._x, self._dx = before.values.inner, before.gradient.inner
        self._y, self._dy = behind.values.inner, behind.gradient.inner
        self._main, self._shortcut = main, shortcut

    def forward(self) -> None:
        """Go both ways and add."""
        self._enter()
        for _, layers, _ in (self._main, self._shortcut):
            for layer in layers:
                layer.forward()
        self._leave()

    def backward(self) -> None:
        """Go back both ways and add."""
        for _, layers, end in (self._main, self._shortcut):
            np.copyto(end.gradient.inner, self._dy)
            for layer in reversed(layers):
                layer.backward()
        np.add(self._main[0].gradient.inner, self._shortcut[0].gradient.inner, out=self._dx)

    def evaluate(self) -> None:
        """Go both ways and add."""
        self._enter()
        for _, layers, _ in (self._main, self._shortcut):
            for layer in layers:
                layer.evaluate()
        self._leave()

    def _enter(self) -> None:
        for front, _, _ in (self._main, self._shortcut):
            np.copyto(front.values.inner, self._x)

    def _leave(self) -> None:
        np.add(self._main[2].values.inner, self._shortcut[2].values.inner, out=self._y)


def _build(site: Site) -> tuple[Port, Layer]:
    like = site.behind.values.inner
    paths: list[Path] = []
    for path in site.paths:
        end = open_port(site.rows, site.batch, like.shape[2:], like)
        front, layers = path(end)
        paths.append((front, layers, end))
    before = open_port(site.rows, site.batch, site.before, like)
    return before, Residual(before, site.behind, *paths)


RESIDUAL: Final = Kind(build=_build)
