"""Whether a study file fits the data it names: what neither can know alone."""

from hpsearch.data.prepared import Task
from hpsearch.errors import Problem, SpecError
from hpsearch.judgment.metrics import metrics_of
from hpsearch.spec import StudySpec


def check_fit(spec: StudySpec, task: Task) -> None:
    """Refuse losses and metrics that the task has no use for.

    Raises:
        SpecError: every one of them, and what would fit.
    """
    problems = [*_losses(spec, task), *_metrics(spec, task)]
    if problems:
        raise SpecError(problems)


def _losses(spec: StudySpec, task: Task) -> list[Problem]:
    if task.is_classification:
        fitting = {"cross_entropy"} | ({"binary_cross_entropy"} if task.kind == "binary" else set())
    else:
        fitting = {"mse", "mae", "huber"}
    return [
        Problem(
            place=spec.study,
            key="loss",
            rule=f"{loss} does not fit {_named(task)}",
            remedy=f"use auto or one of {', '.join(sorted(fitting))}",
        )
        for loss in sorted(spec.losses() - fitting - {"auto"})
    ]


def _metrics(spec: StudySpec, task: Task) -> list[Problem]:
    fitting = {"loss", *metrics_of(task)}
    return [
        Problem(
            place=spec.study,
            key="objective.metric",
            rule=f"{objective.metric} is not defined for {_named(task)}",
            remedy=f"use validation_ and one of {', '.join(sorted(fitting))}",
        )
        for objective in spec.objectives
        if objective.metric != "weights" and objective.metric.partition("_")[2] not in fitting
    ]


def _named(task: Task) -> str:
    return f"a {task.kind} task (target {', '.join(task.target_names)})"
