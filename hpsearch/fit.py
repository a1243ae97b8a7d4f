"""Whether a study file fits the data it names: what neither can know alone."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from hpsearch.architecture import unbuildable
from hpsearch.data import PreparedData, prepare
from hpsearch.data.bounds import memory_suffices
from hpsearch.data.cache import Cache
from hpsearch.data.prepared import Part, Task, TrainingData
from hpsearch.errors import DataError, InputError, Problem, SpecError
from hpsearch.judgment.metrics import metrics_of
from hpsearch.spec import Fixed, StudySpec
from hpsearch.spec.augmentation import KINDS as AUGMENTATIONS
from hpsearch.spec.sources import is_code

_INPUTS: Final = {"table": "a table", "sequence": "sequences", "image": "images", "text": "texts"}


def prepare_study(spec: StudySpec, cache: Path | None = None) -> PreparedData:
    """The data that a study names, prepared and known to fit the study.

    What is too large for memory is kept in `cache`, or in a place that is gone when the process ends.

    Raises:
        InputError: code makes the data, which only a run calls.
        DataError: with every problem found in the data; what a key of the study file is to blame for, at its line.
        SpecError: losses or metrics do not fit the task, a metric is not defined on these data, or a network cannot be
            built on them.
    """
    if is_code(spec.data.source):
        rule = f"{spec.data.source} is code that makes the data, which only a run calls"
        raise InputError(spec.problem(("data", "source"), rule, "`hpsearch run` it with --allow-code"))
    try:
        with memory_suffices(spec.data.source):
            data = prepare(
                spec.data, seed=spec.seed, base=spec.base, cache=None if cache is None else Cache(cache)
            )
    except DataError as error:
        raise DataError(_located(problem, spec) for problem in error.problems) from error
    if spec.trainer is not None:  # what its losses and metrics are is its own affair
        return data
    check_fit(spec, data.task)
    problems = [
        *_undefined(spec, data.training),
        *_augmentation(spec, data.training.train),
        *_mixed(spec, data.training),
        *unbuildable(spec, data),
    ]
    if problems:
        raise SpecError(problems)
    return data


def _located(problem: Problem, spec: StudySpec) -> Problem:
    """A problem of the data, at its key's line in the study file if it has such a key."""
    if not problem.key.startswith("data."):
        return problem
    return replace(problem, place=spec.problem(tuple(problem.key.split(".")), "").place)


def check_fit(spec: StudySpec, task: Task) -> None:
    """Refuse losses and metrics that the task has no use for.

    Raises:
        SpecError: every one of them, and what would fit.
    """
    problems = [*_losses(spec, task), *_metrics(spec, task), *_incomparable(spec, task)]
    if problems:
        raise SpecError(problems)


def _losses(spec: StudySpec, task: Task) -> list[Problem]:
    if task.is_classification:
        fitting = {"cross_entropy"} | ({"binary_cross_entropy"} if task.kind == "binary" else set())
    else:
        fitting = {"mse", "mae", "huber"}
    return [
        spec.problem(
            spec.loss_path(),
            f"{loss} does not fit {_named(task)}",
            f"use auto or one of {', '.join(sorted(fitting))}",
        )
        for loss in sorted(spec.losses() - fitting - {"auto"})
    ]


def _metrics(spec: StudySpec, task: Task) -> list[Problem]:
    fitting = {"loss", *metrics_of(task), *spec.metrics}
    return [
        spec.problem(
            ("objectives", index, "metric"),
            f"{objective.metric} is not defined for {_named(task)}",
            f"use validation_ and one of {', '.join(sorted(fitting))}",
        )
        for index, objective in enumerate(spec.objectives)
        if objective.metric != "weights" and objective.metric.partition("_")[2] not in fitting
    ]


def _incomparable(spec: StudySpec, task: Task) -> list[Problem]:
    """Losses of a regression are in units of their own: the smallest of them is not the best."""
    losses = {"mse" if loss == "auto" else loss for loss in spec.losses()}
    delta_is_searched = not isinstance(spec.space.get("huber_delta"), Fixed | None)
    several = len(losses) > 1 or (losses == {"huber"} and delta_is_searched)
    if task.is_classification or not several:
        return []
    return [
        spec.problem(
            ("objectives", index, "metric"),
            f"{objective.metric} cannot compare trials whose losses differ, as in this space",
            "use validation_rmse or validation_mae, direction: minimize",
        )
        for index, objective in enumerate(spec.objectives)
        if objective.metric.endswith("_loss")
    ]


def _undefined(spec: StudySpec, data: TrainingData) -> list[Problem]:
    """ROC AUC on a part that lacks a class: it would be no number in any epoch of any trial."""
    problems = []
    for index, objective in enumerate(spec.objectives):
        part, _, metric = objective.metric.partition("_")
        if metric != "roc_auc":
            continue
        parts = [fold.train if part == "train" else fold.validation for fold in data.folds]
        there = set.intersection(*(set(each.y.tolist()) for each in parts))
        lacking = [repr(label) for i, label in enumerate(data.task.classes) if i not in there]
        if lacking:
            rule = f"{objective.metric} is not defined: the {part} part has no row of class {', '.join(lacking[:5])}"
            remedy = "use another metric, or bring more rows"
            problems.append(spec.problem(("objectives", index, "metric"), rule, remedy))
    return problems


def _augmentation(spec: StudySpec, train: Part) -> list[Problem]:
    """Steps that change nothing of these inputs."""
    kind = "text" if train.x.dtype.kind in "iu" else {2: "table", 3: "sequence", 4: "image"}[train.x.ndim]
    fitting = AUGMENTATIONS.get(kind, ())
    remedy = f"there are {', '.join(fitting)}" if fitting else "leave it out"
    return [
        spec.problem(("data", "augment", name), f"is no augmentation of {_INPUTS[kind]}", remedy)
        for name in spec.data.augment.used()
        if name not in fitting
    ]


def _mixed(spec: StudySpec, data: TrainingData) -> list[Problem]:
    """Half of one category and half of another is none."""
    if not data.embedded or "mixup" not in spec.data.augment.used():
        return []
    names = ", ".join(repr(column.name) for column in data.embedded[:5])
    rule = f"mixes numbers, and columns that are embedded ({names}) have none"
    remedy = "leave it out, or encode them by one_hot or hashing"
    return [spec.problem(("data", "augment", "mixup"), rule, remedy)]


def _named(task: Task) -> str:
    """The task in a person's words."""
    kind = {"binary": "two classes", "multiclass": "classes", "regression": "numbers"}[task.kind]
    return f"a target of {kind} ({', '.join(task.target_names)})"
