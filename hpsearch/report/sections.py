"""The page's figures, in the order of reading, each with what to look for in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from hpsearch.report import curves, figures, inspection, landscape, variations
from hpsearch.report.material import Material
from hpsearch.report.style import Table


@dataclass(frozen=True, slots=True)
class Section:
    """A figure with its heading; `figure` is Plotly's JSON, safe inside a script element.

    `numbers` are its values as a table, the head first, where the page has them in no other: for who cannot see it.
    """

    id: str
    title: str
    caption: str
    figure: str
    numbers: Table


@dataclass(frozen=True, slots=True)
class _Kind:
    id: str
    title: str
    caption: str
    draw: Callable[[Material], go.Figure | None]
    count: Callable[[Material], Table] = lambda _material: ()


def sections(material: Material) -> Iterator[Section]:
    """Those for which there is enough to show."""
    for kind in _KINDS:
        figure = kind.draw(material)
        if figure is not None:
            # no `</script>` in a name ends the element
            text = str(figure.to_json()).replace("<", "\\u003c")
            yield Section(kind.id, kind.title, kind.caption, text, kind.count(material))


_KINDS: Final = (
    _Kind(
        "history",
        "The search",
        """Each point is a trial that finished; the line is the best so far. Where it has long been flat, more trials
        are worth little.""",
        figures.history,
    ),
    _Kind(
        "curves",
        "Learning curves",
        """Every trial's curve, coloured by what it says. The menu changes the curve; a click in the legend hides a
        verdict, a double click leaves it alone.""",
        curves.learning_curves,
    ),
    _Kind(
        "variations",
        "One thing changed",
        f"""Trials that were trained again with one thing changed at a time (hpsearch why); of more than
        {variations.MOST_EXAMINED} the best. The thick line is the trial as it was, dotted ones are other seeds: changes
        that matter lie farther from it than these do. What is not to be seen lies far above.""",
        variations.variations,
    ),
    _Kind(
        "generalization",
        "Generalization",
        """Training against validation loss at each trial's best epoch. Above the dotted line a network does better on
        what it has seen; far above it has learned by heart.""",
        figures.generalization,
    ),
    _Kind(
        "pruning",
        "Epochs and pruning",
        """How far each trial was trained, before the epochs that it was meant to have: what pruning and early
        stopping saved.""",
        figures.pruning_timeline,
    ),
    _Kind(
        "importance",
        "What mattered",
        """The share of the variance of the finished trials' ranks that each parameter explains by itself (epsilon
        squared), with its 95% interval. What a parameter does only together with another is not seen.""",
        landscape.importance,
        landscape.importance_in_numbers,
    ),
    _Kind(
        "parallel",
        "Parameters of all finished trials",
        """A line a trial, from orange for the worst to blue for the best; the pointer tells a point's value.""",
        landscape.parallel_coordinates,
    ),
    _Kind(
        "slices",
        "Each parameter by itself",
        """The objective over each parameter, later trials bluer. A best region at an end of a range asks for a wider
        range.""",
        landscape.slices,
    ),
    _Kind(
        "contour",
        "The two that mattered most",
        """The objective over both, between the trials that finished: the bluer, the better.""",
        landscape.contour,
    ),
    _Kind(
        "test",
        "On the sealed test part",
        """The refitted winner with 95% bootstrap intervals over the test rows, and the baselines.""",
        figures.test_scores,
    ),
    _Kind(
        "confusion",
        "What is taken for what",
        """Rows of the test part by their true class and the class that the network gave them.""",
        inspection.confusion,
    ),
    _Kind(
        "calibration",
        "Is it as right as it is sure?",
        """Accuracy on the test part by the probability that the network gave its answer; larger points hold more rows.
        Below the dotted line it is surer than it should be.""",
        inspection.calibration,
        inspection.calibration_in_numbers,
    ),
    _Kind(
        "residuals",
        "Predicted against true",
        """The test part, in the target's unit. A bend means that the network has missed a curve, a fan that large
        values are harder.""",
        inspection.residuals,
    ),
    _Kind(
        "inputs",
        "Which inputs it uses",
        """How much worse the test score gets when one input is shuffled among the rows (Breiman 2001). Inputs that say
        the same share their importance.""",
        inspection.importance,
        inspection.importance_in_numbers,
    ),
)
