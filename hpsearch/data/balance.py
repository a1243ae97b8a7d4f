"""Classes of different size: weights, and rows that come more often."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import Task
from hpsearch.data.raw import Findings
from hpsearch.data.targets import Targets

if TYPE_CHECKING:
    from hpsearch.spec import DataSpec


def check_balance(targets: Targets, settings: "DataSpec", findings: Findings) -> None:
    """Note what has no classes to balance, and weights of labels that are none."""
    for key in ("class_weight", "oversample"):
        if getattr(settings, key) and not targets.is_classification:
            findings.problem("is for classes", key=f"data.{key}", remedy="leave it out for a regression")
            return
    if isinstance(settings.class_weight, Mapping):
        labels = list(map(str, targets.classes))
        for label in settings.class_weight:
            if label not in labels:
                findings.problem(
                    f"{label!r} is not a class",
                    key="data.class_weight",
                    remedy=f"classes: {', '.join(labels[:20])}",
                )


def class_weights(
    ids: NDArray[np.integer], task: Task, how: str | Mapping[str, float]
) -> NDArray[np.float32]:
    """(N,) what each sample's loss is multiplied by, 1 on average.

    `how`: "balanced" (every class counts alike: N / (classes that are there * rows of the class)), or a weight for
    each label, 1 where none is given; they are brought to a mean of 1.
    """
    counts = np.bincount(ids, minlength=len(task.classes))
    if how == "balanced":
        of_class = len(ids) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    else:
        given = dict(how) if isinstance(how, Mapping) else {}
        of_class = np.array([given.get(str(label), 1.0) for label in task.classes])
        of_class = of_class * len(ids) / (of_class * counts).sum()
    weights: NDArray[np.float32] = of_class[ids].astype(np.float32)
    return weights


def oversampled(ids: NDArray[np.integer]) -> NDArray[np.int64]:
    """The rows of an epoch in which every class comes as often as the largest: smaller ones again and again."""
    counts = np.bincount(ids)
    rows = [np.resize(np.flatnonzero(ids == label), counts.max()) for label in np.flatnonzero(counts)]
    return np.concatenate(rows).astype(np.int64)
