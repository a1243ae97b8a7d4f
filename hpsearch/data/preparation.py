"""From a study's data section to arrays that networks learn from: load, check, split, preprocess."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.balance import check_balance, class_weights, oversampled
from hpsearch.data.cache import Cache
from hpsearch.data.checks import check_duplicates
from hpsearch.data.fingerprint import with_split
from hpsearch.data.given import known_rows, with_files, with_rows
from hpsearch.data.kinds import Inputs, Preparer, as_inputs
from hpsearch.data.loading import load_special, of_kind
from hpsearch.data.parts import cache_for, prepared_arrays
from hpsearch.data.prepared import (
    DataSummary,
    EmbeddedColumn,
    Fold,
    Part,
    RefitData,
    Task,
    TrainingData,
    frozen,
)
from hpsearch.data.raw import Findings, RawData
from hpsearch.data.sealed import SealedTest
from hpsearch.data.sources import load, select
from hpsearch.data.splits import Split, check_parts, check_split, divide
from hpsearch.data.tables import TableInputs
from hpsearch.data.targets import Targets, read_targets, scaled_task
from hpsearch.randomness import Address

if TYPE_CHECKING:
    import pandas as pd

    from hpsearch.spec import DataSpec

_COLUMNS: Final = ("group", "time", "column")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedData:
    """Everything that a study needs of its data.

    `training` is what workers get; `preprocessor` and `task` are fitted on its training part alone; the test
    rows are in `sealed` and nowhere else.
    """

    training: TrainingData = field(repr=False)
    task: Task
    preprocessor: Preparer
    summary: DataSummary
    warnings: tuple[str, ...]
    fingerprint: str
    sealed: SealedTest = field(repr=False)
    _development: "_Rows" = field(repr=False)
    _example: "pd.DataFrame" = field(repr=False)

    def refit(self) -> RefitData:
        """Training and validation rows as one part, with preprocessing and scaling fitted anew on both."""
        preprocessor, task = self._development.fit()
        return RefitData(
            part=self._development.training_part(preprocessor, task), preprocessor=preprocessor, task=task
        )

    @property
    def tokens(self) -> int | None:
        """How many token numbers there are; None where inputs are no tokens."""
        return self.preprocessor.tokens

    def development_rows(self) -> tuple[Inputs, NDArray[Any]]:
        """The raw inputs and targets (N, T) of all rows but the test part, for their description."""
        rows = self._development
        return rows.inputs, rows.targets.reshape(len(rows.targets), -1)

    def ranges(self) -> dict[str, tuple[float, float]]:
        """The least and the greatest number of each column of a table, over all rows but the test part."""
        frame = getattr(self._development.inputs, "frame", None)
        if frame is None:
            return {}
        numeric = [
            name for name in frame.columns if frame[name].dtype.kind == "f" and frame[name].notna().any()
        ]
        return {str(name): (float(frame[name].min()), float(frame[name].max())) for name in numeric}

    def raw_example(self) -> "pd.DataFrame":
        """The first five training rows as they came in: inputs, in the types of the source."""
        return self._example.copy()


def prepare(spec: "DataSpec", *, seed: int, base: Path, cache: Cache | None = None) -> PreparedData:
    """Load what `spec.source` names (relative to `base`), and prepare it.

    What is too large for memory goes to files of the cache; without one, to files that go with the process.

    Raises:
        DataError: with every problem found in the data.
    """
    special = load_special(spec, base=base, cache=cache)
    if special is not None:
        raw, warnings = special
        raw = with_rows(raw, spec.split, base=base)
        return prepare_raw(raw, spec, seed=seed, warnings=warnings, cache=cache)
    table = load(spec.source, base=base)
    table, part = with_files(table, spec.source, spec.split, base=base)
    about = {f"data.split.{key}": name for key in _COLUMNS if (name := getattr(spec.split, key)) is not None}
    raw = select(table, spec.source, target=spec.target, drop=spec.drop, about=about)
    raw = of_kind(raw if part is None else replace(raw, part=part), spec, base=base, cache=cache)
    raw = with_rows(raw, spec.split, base=base)
    return prepare_raw(raw, spec, seed=seed, warnings=table.warnings, cache=cache)


def prepare_raw(
    raw: RawData,
    spec: "DataSpec",
    *,
    seed: int,
    warnings: Sequence[str] = (),
    cache: Cache | None = None,
) -> PreparedData:
    """Check, split and preprocess data in memory; source, target and drop of the settings are not looked at.

    `warnings` from reading the data come first among the result's.

    Raises:
        DataError: with every problem found in the data.
    """
    findings = Findings(name=raw.name, line=raw.line, warnings=list(warnings))
    inputs = as_inputs(raw.inputs)
    identity = with_split(inputs.identity(raw.targets), raw)
    inputs = inputs.tidy(spec.preprocess) if isinstance(inputs, TableInputs) else inputs
    inputs.check(findings)
    targets = read_targets(raw.targets.reset_index(drop=True), spec.task, findings)
    inputs = inputs.take(targets.rows)
    known = known_rows(raw, spec.split, findings).take(targets.rows)
    check_balance(targets, spec, findings)
    check_split(targets, spec.split, known, findings)
    findings.stop_if_any()
    split = divide(targets, spec.split, Address(seed=seed).stream("split"), known)
    check_parts(split, findings)
    findings.stop_if_any()
    inputs.check_parts(split, findings)
    findings.stop_if_any()
    check_duplicates(inputs.row_codes(), targets.content, split, findings)
    return assemble(
        raw,
        inputs,
        targets,
        split,
        spec,
        fingerprint=identity,
        warnings=findings.warnings,
        cache=cache_for(inputs, spec, cache),
    )


def assemble(
    raw: RawData,
    inputs: Inputs,
    targets: Targets,
    split: Split,
    settings: "DataSpec",
    *,
    fingerprint: str,
    warnings: Sequence[str],
    cache: Cache | None = None,
) -> PreparedData:
    """Fit preprocessing and scaling on the training rows, apply them to both parts, seal the rest."""
    every = _Rows(
        inputs=inputs,
        targets=targets.content,
        question=targets.question(),
        settings=settings,
        identity=fingerprint,
        cache=cache,
    )
    fitted = _in_step([every.take(fold.train).fit() for fold in split.folds])
    folds = [
        Fold(
            train=every.take(fold.train).training_part(preprocessor, task),
            validation=every.take(fold.validation).part(preprocessor, task),
            task=task,
        )
        for fold, (preprocessor, task) in zip(split.folds, fitted, strict=True)
    ]
    tokens = [preprocessor.tokens for preprocessor, _ in fitted if preprocessor.tokens is not None]
    training = TrainingData(
        folds=tuple(folds),
        seeds=settings.split.seeds,
        tokens=max(tokens, default=None),
        embedded=_widest([preprocessor.embedded for preprocessor, _ in fitted]),
    )
    preprocessor, task = fitted[0]
    test = every.take(split.test)
    return PreparedData(
        training=training,
        task=task,
        preprocessor=preprocessor,
        summary=_summary(
            raw,
            targets,
            split,
            features=int(np.prod(training.train.shape)),
            seeds=training.seeds,
            fingerprint=fingerprint,
        ),
        warnings=tuple(warnings),
        fingerprint=fingerprint,
        sealed=SealedTest(_inputs=test.inputs, _targets=test.targets, _cache=cache, _identity=fingerprint),
        _development=every.take(split.development),
        _example=as_inputs(raw.inputs).example(targets.rows[split.train[:5]]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """Some rows, ready to be fitted to or to be made a part of."""

    inputs: Inputs
    targets: NDArray[Any]
    question: Task
    settings: "DataSpec"
    identity: str
    cache: Cache | None

    def take(self, rows: NDArray[np.int64]) -> "_Rows":
        return replace(self, inputs=self.inputs.take(rows), targets=self.targets[rows])

    def fit(self) -> tuple[Preparer, Task]:
        how = self.settings.target_scale
        return self.inputs.fit(self.settings), scaled_task(self.question, self.targets, how=how)

    def part(self, preprocessor: Preparer, task: Task) -> Part:
        x, lengths = prepared_arrays(self.inputs, preprocessor, self.cache, self.identity)
        return frozen(x, task.encode(self.targets), lengths)

    def training_part(self, preprocessor: Preparer, task: Task) -> Part:
        """The part with the weights, or the rows come again, that balance its classes."""
        part = self.part(preprocessor, task)
        if not task.is_classification:
            return part
        ids = part.y.astype(np.int64)
        if self.settings.class_weight is not None:
            return replace(part, weights=class_weights(ids, task, self.settings.class_weight))
        return replace(part, epoch=oversampled(ids)) if self.settings.oversample else part


def _in_step(fitted: Sequence[tuple[Preparer, Task]]) -> list[tuple[Preparer, Task]]:
    """Folds whose inputs have one shape, so that their networks may learn side by side."""
    preparers = [preparer for preparer, _ in fitted]
    return [(preparer.in_step(preparers), task) for preparer, task in fitted]


def _widest(folds: Sequence[tuple[EmbeddedColumn, ...]]) -> tuple[EmbeddedColumn, ...]:
    """The embedded columns of all folds: of each as many categories as the fold with the most has."""
    return tuple(max(column, key=lambda each: each.categories) for column in zip(*folds, strict=True))


def _summary(
    raw: RawData, targets: Targets, split: Split, *, features: int, seeds: int, fingerprint: str
) -> DataSummary:
    counts = np.bincount(targets.class_ids()).tolist() if targets.is_classification else []
    return DataSummary(
        source=raw.name,
        rows=len(targets),
        inputs=as_inputs(raw.inputs).columns,
        features=features,
        targets=targets.names,
        train_rows=len(split.train),
        validation_rows=len(split.validation),
        test_rows=len(split.test),
        fingerprint=fingerprint,
        folds=len(split.folds),
        seeds=seeds,
        class_counts={str(label): count for label, count in zip(targets.classes, counts, strict=True)}
        if counts
        else {},
    )
