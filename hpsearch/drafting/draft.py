"""A first study file for data that nobody has described yet: what to leave out, how to split, what to search."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from hpsearch.data import PreparedData, Task, prepare
from hpsearch.data.arrays import undecided_shape
from hpsearch.data.sources import existing, load
from hpsearch.drafting.columns import Treatment, treatment
from hpsearch.judgment.sentences import counted
from hpsearch.spec import StudySpec, parse_study
from hpsearch.spec.schema import modeline
from hpsearch.spec.sources import is_named, is_table
from hpsearch.spec.yaml_text import dump

DRAFT: Final = "the draft"
"""The place of what is wrong with a study that is still to be written."""

_FEW: Final = 500
_MANY: Final = 100_000
_RARE: Final = 0.1
_PARTS: Final = 6  # five folds, and the test
_FEW_NUMBERS: Final = 5
_SKEWED: Final = 2.0
_MOST_FOR_COUNTING: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A study file as text, the study that it says, and what was seen in the data, a sentence each."""

    text: str
    spec: StudySpec
    notes: tuple[str, ...]
    rows: int
    task: str


def draft(source: str, *, targets: Sequence[str], name: str | None, base: Path, trials: int) -> Draft:
    """A valid study for a data source, with ranges that fit its size.

    `base` is the directory of the file to be; `source` is relative to it.

    Raises:
        DataError: the data cannot be read or used.
        InputError: a table's target is not named, or there is no such column.
    """
    how = _treatment(source, targets, base)
    settings = _data_settings(source, targets, how)
    data = _look(settings, base)
    notes = [*how.notes, *(() if is_named(source) else _on_classes(data.task)), *data.warnings]
    text = "\n".join(_lines(name or _name_of(source), settings, data, notes, trials)) + "\n"
    spec = parse_study(text, name=DRAFT, base=base)
    return Draft(text=text, spec=spec, notes=tuple(notes), rows=data.summary.rows, task=data.task.kind)


def _name_of(source: str) -> str:
    stem = source.rsplit("/", 1)[-1] if is_named(source) else Path(source).stem
    plain = unicodedata.normalize("NFKD", stem.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", plain).strip("-._")[:64] or "study"


def _data_settings(source: str, targets: Sequence[str], how: Treatment) -> dict[str, Any]:
    settings: dict[str, Any] = {"source": source}
    if targets:
        settings["target"] = targets[0] if len(targets) == 1 else list(targets)
    if how.kind is not None:
        settings["kind"] = how.kind
    if how.text is not None:
        settings["text"] = {"column": how.text}
    if how.dropped:
        settings["drop"] = how.dropped
    if how.embedded:
        settings["preprocess"] = {"columns": {name: {"encode": "embedding"} for name in how.embedded}}
    return settings


def _look(settings: dict[str, Any], base: Path) -> PreparedData:
    """The data as a study of nothing but these settings has it, whatever classes are rare."""
    data = settings | {"split": {"stratify": False}}
    spec = parse_study(dump({"study": "draft", "data": data}), name=DRAFT, base=base)
    return prepare(spec.data, seed=0, base=base)


def _treatment(source: str, targets: Sequence[str], base: Path) -> Treatment:
    """How to treat the columns of a table in a file; of other data nothing is left out."""
    if is_named(source):
        return Treatment()
    if source.lower().endswith(".npz"):
        return _of_arrays(source, base)
    if not is_table(source):
        return Treatment()
    return treatment(source, load(source, base=base).frame, targets)


def _of_arrays(source: str, base: Path) -> Treatment:
    shape = undecided_shape(existing(base / Path(source).expanduser(), source), source)
    if shape is None:
        return Treatment()
    note = f"x has the shape {shape}: taken for {shape[0]} series of {shape[1]} steps; `kind: image` for pictures"
    return Treatment(kind="sequence", notes=[note])


def _lines(
    name: str, settings: dict[str, Any], data: PreparedData, notes: Sequence[str], trials: int
) -> Iterator[str]:
    summary, task = data.summary, data.task
    yield modeline()
    yield f"# {_described(data)}"
    for note in notes:
        yield f"# Note: {note}"
    yield "#"
    yield "# What is left out has a default: docs/study-file.md has every key. `hpsearch validate` checks this file."
    yield f"study: {_flow(name)}"
    yield "seed: 0"
    yield ""
    yield "data:"
    preprocess = settings.get("preprocess", {})
    for key, value in settings.items():
        if key != "preprocess":
            yield f"  {key}: {_flow(value)}"
    yield from _split_lines(summary.rows, summary.class_counts)
    yield from _preprocess_lines(preprocess, skewed=not task.is_classification and _is_skewed(data))
    yield ""
    yield from _search_lines(data)
    yield ""
    yield from _objective_lines(data)
    yield f"early_stopping: {{patience: {_patience(data)}}}         # epochs without improvement"
    yield f"budget: {{trials: {trials}}}                  # a total: `hpsearch extend` adds to it"


def _on_classes(task: Task) -> Iterator[str]:
    """Whole numbers may be classes or a quantity: it is said for which they are taken."""
    if len(task.classes) > _FEW_NUMBERS and all(type(label) is int for label in task.classes):
        yield (
            f"the {len(task.classes)} whole numbers of {task.target_names[0]!r} are taken for classes; "
            "`task: regression` in data takes them for a quantity"
        )


def _described(data: PreparedData) -> str:
    summary, task = data.summary, data.task
    kind = "regression" if task.kind == "regression" else f"classification into {len(task.classes)} classes"
    size = f"{counted(summary.rows, 'row')}, {counted(summary.inputs, 'column')}"
    return f"{summary.source}: {size}, {kind} of {', '.join(summary.targets)}."


def _split_lines(rows: int, classes: Mapping[str, int]) -> Iterator[str]:
    rare = min(classes.values(), default=_PARTS) < _PARTS
    stratify = ", stratify: false" if rare else ""
    if rare:
        yield "  # a class has too few rows to be in every part: each falls where it falls"
    if rows < _FEW:
        yield f"  split: {{test: 0.2, folds: 5{stratify}}}         # few rows: each trial is the mean of five networks"
    elif rows >= _MANY:
        yield f"  split: {{validation: 0.1, test: 0.1{stratify}}}"
    else:
        yield f"  split: {{validation: 0.2, test: 0.2{stratify or (', stratify: true' if classes else '')}}}"


def _preprocess_lines(settings: Mapping[str, Any], *, skewed: bool) -> Iterator[str]:
    if settings or skewed:
        yield "  preprocess:"
    if skewed:
        yield "    target: log                         # the target has a long tail: errors count in proportion"
    if settings:
        yield "    columns:"
        for name, how in settings["columns"].items():
            yield f"      {_flow(name)}: {{encode: {how['encode']}}}"


def _is_skewed(data: PreparedData) -> bool:
    _, targets = data.development_rows()
    values = targets.astype(np.float64)[:_MOST_FOR_COUNTING]
    spread = values.std(axis=0)
    if (values < 0).any() or (spread == 0).any():
        return False
    skew = (((values - values.mean(axis=0)) / spread) ** 3).mean(axis=0)
    return bool((skew > _SKEWED).all())


_Size = tuple[float, list[int], tuple[int, int], list[int], float]
_SIZES: Final[tuple[_Size, ...]] = (
    # rows up to, batch sizes, epochs, widths of layers, greatest L2
    (500, [8, 16, 32], (20, 200), [8, 16, 32], 1e-1),
    (5_000, [16, 32, 64], (10, 100), [16, 32, 64, 128], 1e-1),
    (50_000, [32, 64, 128], (5, 50), [32, 64, 128, 256], 1e-2),
    (np.inf, [64, 128, 256, 512], (3, 30), [64, 128, 256, 512], 1e-2),
)


def _patience(data: PreparedData) -> int:
    """A tenth of the epochs at most."""
    _, _, (_, most), _, _ = _size(data)
    return max(5, most // 10)


def _size(data: PreparedData) -> _Size:
    return next(size for size in _SIZES if data.summary.train_rows <= size[0])


def _search_lines(data: PreparedData) -> Iterator[str]:
    axes = data.training.train.x.ndim
    _, batches, (least, most), widths, l2 = _size(data)
    kinds = {2: "dense", 3: ["convolutional", "recurrent"], 4: "convolutional"}
    kind = "convolutional" if data.tokens is not None else kinds[axes]
    yield "model: {activation: relu, initializer: he}"
    yield ""
    yield "# A list is a choice, a bare value is fixed, {min, max, log} a range; `when` makes a parameter conditional."
    yield "space:"
    if kind != "dense":
        yield f"  kind: {_flow(kind)}"
        widths = [8, 16, 32]
    yield "  depth: [1, 2, 3]"
    yield f"  width: {_flow(widths)}"
    yield f"  epochs: {{min: {least}, max: {most}}}             # a trial that has learned what it can stops before"
    yield f"  batch_size: {_flow(batches)}"
    yield "  learning_rate: {min: 1e-4, max: 1e-1, log: true}"
    yield "  optimizer: [momentum, adam]"
    yield "  momentum: {min: 0.8, max: 0.99, when: {optimizer: momentum}}"
    yield "  schedule: [constant, cosine]          # the learning rate by epoch"
    yield f"  dropout: {{min: 0.0, max: {0.5 if data.task.is_classification else 0.2}}}"
    yield f"  l2: {{min: 1e-6, max: {l2:g}, log: true}}"


def _objective_lines(data: PreparedData) -> Iterator[str]:
    counts = data.summary.class_counts
    if counts and min(counts.values()) < _RARE * max(counts.values()):
        rare = min(counts, key=lambda label: counts[label])
        yield f"# class {_flow(rare)} is rare: what counts is the mean over classes, not over rows"
        yield "objective: {metric: validation_macro_f1, direction: maximize}"
    else:
        yield "objective: {metric: validation_loss, direction: minimize}"


def _flow(value: Any) -> str:
    """A value on one line, as the study file's reader reads it back."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_flow(key)}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str):
        plain = dump(value).removesuffix("...\n").strip()
        return plain if "\n" not in plain and not set(plain) & set("{}[],#") else json.dumps(value)
    return dump(value).removesuffix("...\n").strip()
