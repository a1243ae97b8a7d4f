"""Metrics of one's own: the section `metrics` of the study file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field

from hpsearch.spec.code import CODE
from hpsearch.spec.findings import Finding
from hpsearch.spec.model import METRICS, Objective
from hpsearch.spec.rules import NAME, Rule
from hpsearch.spec.section import Section

_WAYS: Final = ("minimize", "maximize")
_PREDICTIONS: Final = ("labels", "probabilities")


class MetricSpec(Section):
    """A metric of your own, by its name: it is followed by epoch, and scored on the test part, beside hpsearch's."""

    function: Annotated[str, CODE] = Field(
        description="a function `(targets, predictions) -> number`, as `module:function` or an entry point's name"
    )
    direction: Annotated[Literal["minimize", "maximize"], Rule(kind="choice", choices=_WAYS)] = Field(
        description="which way is better"
    )
    predictions: Annotated[Literal["labels", "probabilities"], Rule(kind="choice", choices=_PREDICTIONS)] = (
        Field(
            default="labels",
            description="what it is given of classes: the predicted labels, or a column of probabilities for each; of "
            "numbers it is given the numbers",
        )
    )


def misfits_of_metrics(
    metrics: Mapping[str, MetricSpec | None], objectives: Sequence[Objective], *, trainer: bool
) -> Iterator[Finding]:
    """Names that will not do, directions that contradict one another, and a trainer, which has metrics of its own.

    None stands for a metric that could not be read.
    """
    if metrics and trainer:
        yield Finding(
            ("metrics",), "cannot go with a trainer", "leave it out: the trainer gives its own metrics"
        )
    known = {metric.partition("_")[2] for metric in METRICS}
    for name, metric in metrics.items():
        if wrong := NAME.finding(name):
            yield Finding(("metrics", name), wrong.rule)
        if name in known:
            yield Finding(("metrics", name), "is a metric of hpsearch's", "give it another name")
        for index, objective in enumerate(objectives):
            if metric is None or objective.metric.partition("_")[2] != name:
                continue
            if objective.direction != metric.direction:
                rule = f"must be {metric.direction}, as metrics.{name} says, got {objective.direction}"
                yield Finding(("objectives", index, "direction"), rule)
