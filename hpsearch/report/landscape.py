"""The objective over the space: Optuna's own figures, in the report's style."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from hpsearch.report.material import Material
from hpsearch.report.style import COLOURS, figure, ranking, styled, words
from hpsearch.search.quiet import quiet

if TYPE_CHECKING:
    import optuna

_FEWEST: Final = 4
"""Finished trials from which the space has a shape."""


def importance(material: Material) -> go.Figure | None:
    """A bar a parameter, with its 95% interval."""
    found = material.importances
    if not any(each.share > 0 for each in found.values()):
        return None
    bars = ranking({name: max(each.share, 0.0) for name, each in found.items()}, form=".0%")
    ends = [found[name] for name in bars.y]
    bars.error_x = {
        "type": "data",
        "symmetric": False,
        "array": [min(each.high, 1.0) - max(each.share, 0.0) for each in ends],
        "arrayminus": [max(each.share, 0.0) - each.low for each in ends],
        "color": COLOURS[7],
    }
    return figure(
        [bars],
        height=120 + 32 * len(found),
        xaxis={"tickformat": ".0%", "rangemode": "tozero"},
        showlegend=False,
    )


def parallel_coordinates(material: Material) -> go.Figure | None:
    """A line a trial through all its parameters; drag along an axis to keep a range."""
    from optuna.visualization import plot_parallel_coordinate  # noqa: PLC0415

    shared = _shared(material)
    return _of_optuna(
        material,
        lambda study: plot_parallel_coordinate(
            study, params=shared, target=_objective, target_name=words(material.metric)
        ),
        wanted=len(shared) >= 1,
        height=480,
        margin={"l": 90, "r": 60, "t": 50, "b": 40},
    )


def slices(material: Material) -> go.Figure | None:
    """The objective over each parameter by itself."""
    from optuna.visualization import plot_slice  # noqa: PLC0415

    return _of_optuna(
        material,
        lambda study: plot_slice(
            study, params=list(material.searched), target=_objective, target_name=words(material.metric)
        ),
        wanted=bool(material.searched),
        height=420,
    )


def contour(material: Material) -> go.Figure | None:
    """The objective over the two parameters that matter most."""
    from optuna.visualization import plot_contour  # noqa: PLC0415

    shared = _shared(material)
    pair = [name for name in material.importances if name in shared][:2]
    return _of_optuna(
        material,
        lambda study: plot_contour(study, params=pair, target=_objective, target_name=words(material.metric)),
        wanted=len(pair) == 2,
        height=500,
    )


def _of_optuna(
    material: Material,
    make: "Callable[[optuna.Study], go.Figure]",
    *,
    wanted: bool,
    **layout: object,
) -> go.Figure | None:
    if not wanted or len(material.best) < _FEWEST:
        return None
    with _calm():
        return styled(make(material.optuna_study), **layout)  # type: ignore[arg-type]


def _shared(material: Material) -> list[str]:
    """The parameters that all finished trials have: a conditional one has no place on some lines."""
    return [name for name in material.searched if all(name in fact.params for fact in material.best)]


def _objective(trial: "optuna.trial.FrozenTrial") -> float:
    """The first objective of a finished trial."""
    return float(trial.values[0])


@contextmanager
def _calm() -> Iterator[None]:
    """Without what Optuna says of its figures' trials: those without values are left out on purpose."""
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
