"""Pictures of how networks tell classes apart."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from hpsearch.data.shipped import load_shipped
from studies.expectation import Seen
from studies.pictures.paper import COLORS, figure, finish

_SPECIES: Final = ("setosa", "versicolor", "virginica")
_SIDES: Final = ("petal length (cm)", "petal width (cm)")


def iris(seen: Seen) -> Figure:
    """What the three outputs are asked for, flower by flower, and what they answer."""
    inputs, species = _flowers()
    made = Figure(figsize=(8, 2.6), layout="constrained")
    told = np.eye(len(_SPECIES))[species], seen["iris"][0].model.predict_proba(inputs)
    titles = "asked for: one-hot", "answered: probabilities"
    for axes, shares, title in zip(made.subplots(2, 1, sharex=True), told, titles, strict=True):
        axes.imshow(shares.T, aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        axes.set_yticks(range(len(_SPECIES)), _SPECIES, fontsize=8)
        axes.set_title(title, fontsize=10)
    axes.set_xlabel("flower, by species")
    return made


def iris_tutorial(seen: Seen) -> Figure:
    """The species that the winner tells by two of the measurements, the other two at their mean; and the flowers."""
    inputs, species = _flowers()
    across, up = (np.linspace(inputs[side].min() - 0.3, inputs[side].max() + 0.3, 200) for side in _SIDES)
    places = pd.DataFrame({name: np.full(across.size * up.size, inputs[name].mean()) for name in inputs})
    places[_SIDES[0]], places[_SIDES[1]] = np.tile(across, up.size), np.repeat(up, across.size)
    (run,) = seen["iris-tutorial"]
    answers = run.model.predict_proba(places).argmax(axis=1).reshape(up.size, across.size)
    made, (axes,) = figure(width=6)
    axes.pcolormesh(
        across, up, answers, cmap=ListedColormap(COLORS[:3]), vmin=0, vmax=2, alpha=0.2, linewidth=0
    )
    for number, (name, color) in enumerate(zip(_SPECIES, COLORS, strict=False)):
        chosen = inputs[species == number]
        axes.scatter(chosen[_SIDES[0]], chosen[_SIDES[1]], s=16, color=color, label=name)
    finish(axes, title="areas: what the network answers", x=_SIDES[0], y=_SIDES[1])
    return made


def _flowers() -> tuple[pd.DataFrame, "np.ndarray[tuple[int], np.dtype[np.intp]]"]:
    """The measurements, sorted by species, and each flower's species as a number."""
    table = load_shipped("sklearn/iris").frame.sort_values("target", kind="stable")
    return table.drop(columns="target"), table["target"].to_numpy(np.intp)
