"""The objective over the space: Optuna's own figures, in the report's style."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from hpsearch.report.material import Material
from hpsearch.report.style import COLOURS, OBJECTIVE_SCALE, TIME_SCALE, Table, figure, ranking, styled, words
from hpsearch.search.quiet import quiet

if TYPE_CHECKING:
    import optuna

_FEWEST: Final = 4
"""Finished trials from which the space has a shape."""
_AXIS: Final = 95
"""Pixels that an axis of parallel coordinates needs; a narrower page is scrolled."""
_PANEL: Final = 160
"""Pixels that a slice needs."""
_COLUMNS: Final = 4
"""Slices side by side."""


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


def importance_in_numbers(material: Material) -> Table:
    """Each parameter's share and the ends of its interval."""
    rows = [
        (name, f"{max(each.share, 0.0):.0%}", f"{each.low:.0%} to {min(each.high, 1.0):.0%}")
        for name, each in material.importances.items()
    ]
    return (("parameter", "share", "95% interval"), *rows)


def parallel_coordinates(material: Material) -> go.Figure | None:
    """A line a trial through all its parameters, the better ones bluer."""
    from optuna.visualization import plot_parallel_coordinate  # noqa: PLC0415

    shared = _shared(material)
    made = _of_optuna(
        material,
        lambda study: plot_parallel_coordinate(
            study, params=shared, target=_objective, target_name=words(material.metric)
        ),
        wanted=len(shared) >= 1,
        height=480,
        margin={"l": 90, "r": 60, "t": 50, "b": 40},
        meta={"least": _AXIS * (len(shared) + 2)},
    )
    if made is not None:
        _recolour(made, minimized=material.minimized)
    return made


def slices(material: Material) -> go.Figure | None:
    """The objective over each parameter by itself."""
    from optuna.visualization import plot_slice  # noqa: PLC0415

    columns = min(_COLUMNS, len(material.searched))
    rows = -(-len(material.searched) // _COLUMNS)
    made = _of_optuna(
        material,
        lambda study: plot_slice(
            study, params=list(material.searched), target=_objective, target_name=words(material.metric)
        ),
        wanted=bool(material.searched),
        height=120 + _PANEL * 3 // 2 * rows,
        width=None,
        meta={"least": _PANEL * columns},
    )
    if made is not None:
        made.update_traces(marker={"colorscale": TIME_SCALE})
        _arrange(made, rows, columns, words(material.metric))
    return made


def contour(material: Material) -> go.Figure | None:
    """The objective over the two parameters that matter most."""
    from optuna.visualization import plot_contour  # noqa: PLC0415

    shared = _shared(material)
    pair = [name for name in material.importances if name in shared][:2]
    made = _of_optuna(
        material,
        lambda study: plot_contour(study, params=pair, target=_objective, target_name=words(material.metric)),
        wanted=len(pair) == 2,
        height=500,
    )
    if made is not None:
        made.update_traces(colorscale=OBJECTIVE_SCALE, selector={"type": "contour"})
    return made


def _arrange(made: go.Figure, rows: int, columns: int, metric: str) -> None:
    """Put the panels of a single row into several, each row with the objective's axis at its left."""
    wide, high = 1 / columns, 1 / rows
    for place, (across, up) in enumerate(zip(made.select_xaxes(), made.select_yaxes(), strict=True)):
        row, column = divmod(place, columns)
        across.domain = [column * wide, (column + 0.85) * wide]
        up.domain = [1 - (row + 0.7) * high, 1 - row * high]
        up.update(showticklabels=column == 0, title=metric if column == 0 else None)
        if across.type == "log" and _is_wide(made.data, f"x{place + 1}" if place else "x"):
            across.update(dtick=1, exponentformat="power")


def _is_wide(traces: Sequence[go.Scatter], axis: str) -> bool:
    """Whether the values on an axis reach over tenfold, so that ticks at powers of ten are enough."""
    values = [x for trace in traces if (trace.xaxis or "x") == axis for x in trace.x]
    return bool(max(values) >= 10 * min(values))


def _recolour(made: go.Figure, *, minimized: bool) -> None:
    """Colours for the lines of parallel coordinates and their bar that are seen on any page, and numbers in its ink."""
    for trace in made.data:
        if trace.mode == "lines":
            # the first axis is the objective's, from its least to its greatest value
            height = float(trace.y[0])
            place = 1 - height if minimized else height
            trace.opacity = 0.7
            trace.line.color = sample_colorscale(OBJECTIVE_SCALE, [place])[0]
        else:
            trace.marker.colorscale = OBJECTIVE_SCALE
    for number in made.layout.annotations:
        number.font.color = None


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
