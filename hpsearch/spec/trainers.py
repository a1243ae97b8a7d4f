"""What a study with a trainer of one's own has no use for, and what it needs."""

from collections.abc import Iterator, Sequence

from hpsearch.spec.augmentation import AugmentSpec
from hpsearch.spec.dataset import DataSpec
from hpsearch.spec.findings import Finding
from hpsearch.spec.model import WEIGHTS, Objective

_RULE = "is for hpsearch's own networks, and this study has a trainer"


def misfits_of_trainer(
    sections: frozenset[str], data: DataSpec | None, objectives: Sequence[Objective]
) -> Iterator[Finding]:
    """All that does not go with a trainer; `sections` are those that the study file has."""
    if "model" in sections:
        yield Finding(("model",), _RULE, "leave it out: what it says goes into the trainer, or into `space`")
    if "space" not in sections:
        yield Finding(("space",), "is needed with a trainer", "list the parameters that it takes")
    for key in ("augment", "class_weight", "oversample") if data is not None else ():
        if getattr(data, key) not in (AugmentSpec(), None, False):
            yield Finding(("data", key), _RULE, "leave it out: the trainer can do it")
    for path, _, _ in data.preprocess.references() if data is not None else ():
        yield Finding(
            ("data", "preprocess", *path), _RULE, "leave it out: a trainer gets numbers of categories"
        )
    for index, objective in enumerate(objectives):
        if objective.metric == WEIGHTS:
            yield Finding(("objectives", index, "metric"), _RULE, "use a metric that the trainer gives")
