"""The learning problem that both sides of a step row are given: shape, data and recipe; NumPy only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """A dense classifier trained by Adam with L2 and dropout on the hidden layers.

    `widths` are inputs, hidden layers, outputs. `samples` is a multiple of `batch`: no batch is cut short, which not
    every peer could do in one compiled function.
    """

    widths: Sequence[int]
    batch: int
    samples: int
    learning_rate: float = 1e-3
    l2: float = 1e-4
    dropout: float = 0.2

    @property
    def steps(self) -> int:
        """Training steps in an epoch."""
        return self.samples // self.batch

    @property
    def classes(self) -> int:
        """Outputs."""
        return self.widths[-1]

    @property
    def model(self) -> str:
        """The network as a study file says it."""
        return f"hidden: {list(self.widths[1:-1])}"

    @property
    def layers(self) -> list[tuple[int, int]]:
        """(inputs, outputs) of each layer."""
        return list(zip(self.widths[:-1], self.widths[1:], strict=True))

    @property
    def flops(self) -> int:
        """Floating-point operations of one step's matrix products: forward, weight gradients, input gradients.

        The first layer needs no gradient of its inputs.
        """
        products = [inputs * outputs for inputs, outputs in self.layers]
        return 2 * self.batch * (3 * sum(products) - products[0])

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (samples, D) float32 and classes (samples,) int64 that a network can learn."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.samples, self.widths[0])).astype(np.float32)
        teacher = rng.standard_normal((self.widths[0], self.widths[-1]))
        return x, (x @ teacher).argmax(axis=1)

    def initial(self, networks: int, seed: int = 0) -> list[np.ndarray]:
        """(networks, inputs, outputs) float32 weights of each layer (He et al. 2015); biases start at zero."""
        rng = np.random.default_rng(seed)
        return [
            (rng.standard_normal((networks, d, h)) * np.sqrt(2 / d)).astype(np.float32)
            for d, h in self.layers
        ]


@dataclass(frozen=True)
class Folds:
    """Cross-validation of one recipe with several seeds; float32 inputs, standardized on all rows."""

    data: str = "iris"
    hidden: Sequence[int] = (32, 32)
    folds_count: int = 5
    seeds: int = 3
    batch: int = 16
    epochs: int = 50
    learning_rate: float = 3e-3
    l2: float = 1e-4

    def folds(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """(training inputs, classes, test inputs, classes) of each fold."""
        from sklearn import datasets
        from sklearn.model_selection import StratifiedKFold

        x, y = getattr(datasets, f"load_{self.data}")(return_X_y=True)
        x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)
        split = StratifiedKFold(self.folds_count, shuffle=True, random_state=0).split(x, y)
        return [(x[train], y[train], x[test], y[test]) for train, test in split]


@dataclass(frozen=True)
class Layered:
    """A classifier of images (H, W, C) or sequences (T, D) into ten classes, by layers as a study file lists them."""

    layers: Sequence[Any]
    shape: Sequence[int]
    batch: int = 32
    samples: int = 320
    classes: int = 10
    learning_rate: float = 1e-3
    l2: float = 1e-4
    dropout: float = 0.0

    @property
    def model(self) -> str:
        """The network as a study file says it."""
        return f"layers: {json.dumps(self.layers)}"

    @property
    def steps(self) -> int:
        """Training steps in an epoch."""
        return self.samples // self.batch

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (samples, ...) float32 and classes (samples,) int64."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.samples, *self.shape)).astype(np.float32)
        teacher = rng.standard_normal((x[0].size, self.classes))
        return x, (x.reshape(self.samples, -1) @ teacher).argmax(axis=1)


def problem_of(case: dict[str, Any]) -> Case | Layered:
    """The case whose fields these are."""
    return Case(**case) if "widths" in case else Layered(**case)
