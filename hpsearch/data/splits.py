"""Which rows train, which validate, which test: decided once, from the study's seed and from what the data say."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.folds import expanding_folds, random_folds, stratified_folds
from hpsearch.data.groups import assign_groups
from hpsearch.data.holdout import part_size, random_split, stratified_split
from hpsearch.data.raw import Findings
from hpsearch.data.targets import Targets

if TYPE_CHECKING:
    from hpsearch.spec import SplitSpec

FEWEST_ROWS: Final = 2

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldRows:
    """Row numbers of what trains and what validates, each ascending."""

    train: Rows
    validation: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Row numbers, each ascending. Within a fold no row is twice, and none of the test part is there.

    `development` are the rows of the refit: all that train or validate somewhere.
    """

    folds: tuple[FoldRows, ...]
    test: Rows
    development: Rows

    @property
    def train(self) -> Rows:
        """What trains in the first fold."""
        return self.folds[0].train

    @property
    def validation(self) -> Rows:
        """What validates in the first fold."""
        return self.folds[0].validation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What is known of the rows beside their targets, (N,) each or None.

    `part`: "train", "validation", "test", "out" (in no part), or "" where the row's part is still to be decided.
    `groups`: a number for each group whose rows stay together. `times`: numbers that grow with time. `gap`: how
    many rows are left out, in the order of time, before the validation and before the test part.
    """

    part: NDArray[np.str_] | None = None
    groups: Rows | None = None
    times: NDArray[np.float64] | None = None
    gap: int = 0

    def take(self, rows: Rows) -> "Known":
        """What is known of these rows."""
        return Known(
            part=None if self.part is None else self.part[rows],
            groups=None if self.groups is None else self.groups[rows],
            times=None if self.times is None else self.times[rows],
            gap=self.gap,
        )

    def rows(self, part: str) -> Rows:
        """The rows that are known to be in a part."""
        return np.flatnonzero(self.part == part) if self.part is not None else np.empty(0, dtype=np.int64)


def check_split(targets: Targets, settings: "SplitSpec", known: Known, findings: Findings) -> None:
    """Note what keeps these targets from being split: parts of fewer than two rows, classes too small."""
    sizes = _planned_sizes(len(targets), settings, known)
    rows = len(targets)
    for part, size in sizes.items():
        if size < FEWEST_ROWS:
            findings.problem(
                f"the {part} part of {rows} {'row' if rows == 1 else 'rows'} would have {size}, "
                f"and needs at least {FEWEST_ROWS}",
                key="data.split",
                remedy="change the fractions, or bring more rows",
            )
    if settings.stratify and not targets.is_classification:
        findings.problem(
            "stratify needs classes", key="data.split.stratify", remedy="leave it out for a regression"
        )
    elif settings.stratify is not False and targets.is_classification and not _keeps_order(settings, known):
        _check_classes(targets, findings, parts=len(sizes), strict=settings.stratify is True)
    if settings.repeats > 1 and _keeps_order(settings, known):
        findings.problem(
            "folds in the order of time are the same each time they are drawn",
            key="data.split.repeats",
            remedy="leave it out, or repeat by `seeds`",
        )
    if known.groups is not None:
        _check_groups(known.groups, known, settings, findings)


def check_parts(split: Split, findings: Findings) -> None:
    """Note parts that came out too small: groups, moments and gaps are not cut."""
    sizes = {"test": len(split.test)}
    for fold in split.folds:
        for name, rows in (("training", fold.train), ("validation", fold.validation)):
            sizes[name] = min(len(rows), sizes.get(name, len(rows)))
    for name, size in sizes.items():
        if size < FEWEST_ROWS:
            findings.problem(
                f"a {name} part would have {size} {'row' if size == 1 else 'rows'}, and needs at least {FEWEST_ROWS}",
                key="data.split",
                remedy="change the fractions, or bring more rows",
            )


def divide(
    targets: Targets, settings: "SplitSpec", random: np.random.Generator, known: Known | None = None
) -> Split:
    """The split that the settings ask for, of targets that passed `check_split`."""
    known = Known() if known is None else known
    everything = np.arange(len(targets))
    test, validation = known.rows("test"), known.rows("validation")
    rest = np.setdiff1d(everything, np.concatenate([test, validation, known.rows("out")]))
    cut = _Cut(targets, settings, known, random)
    shares = {"validation": 0.0 if len(validation) or settings.folds else _share(settings.validation)}
    shares["test"] = 0.0 if len(test) else _share(settings.test)
    found = cut.holdout(rest, **shares)
    test = found.test if not len(test) else test
    if settings.outer_fold is not None:
        share = shares["validation"] / (1 - shares["test"])
        found = cut.outer(found.development, *settings.outer_fold, validation=share)
        test = found.test
    validation = found.validation if not len(validation) else validation
    if settings.folds:
        folds = [f for _ in range(settings.repeats) for f in cut.folds(found.development, settings.folds)]
    else:
        folds = [FoldRows(train=found.train, validation=validation)]
    development = np.union1d(found.development, validation)
    return Split(folds=tuple(folds), test=test, development=development)


@dataclass(frozen=True, slots=True)
class _Holdout:
    train: Rows
    validation: Rows
    test: Rows
    development: Rows


@dataclass(frozen=True, slots=True)
class _Cut:
    """Cuts some rows into parts, in the way that the settings ask for."""

    targets: Targets
    settings: "SplitSpec"
    known: Known
    random: np.random.Generator

    @property
    def stratified(self) -> bool:
        return self.targets.is_classification and self.settings.stratify is not False

    def classes(self, rows: Rows) -> Rows:
        """The class ids of some rows, all 0 where classes do not matter."""
        return self.targets.class_ids()[rows] if self.stratified else np.zeros(len(rows), dtype=np.int64)

    def holdout(self, rows: Rows, *, validation: float, test: float) -> _Holdout:
        if not validation and not test:
            nothing = rows[:0]
            return _Holdout(rows, nothing, nothing, rows)
        if _keeps_order(self.settings, self.known):
            return _in_order(rows, self.known, validation=validation, test=test)
        if self.known.groups is not None:
            shares = [1 - validation - test, validation, test]
            groups = self.known.groups[rows]
            piece = assign_groups(groups, self.classes(rows), shares, self.random)
            train, held, sealed = (rows[piece == number] for number in range(3))
            return _holdout(train, held, sealed)
        if self.stratified:
            parts = stratified_split(self.classes(rows), validation=validation, test=test, random=self.random)
        else:
            parts = random_split(len(rows), validation=validation, test=test, random=self.random)
        return _holdout(*(rows[part] for part in parts))

    def outer(self, rows: Rows, place: int, count: int, *, validation: float) -> _Holdout:
        """One of `count` folds as the test part, from 1 on; the other rows train and validate. Nested in no other."""
        fold = self.folds(rows, count)[place - 1]
        rest = self.holdout(fold.train, validation=validation, test=0.0)
        return _Holdout(rest.train, rest.validation, fold.validation, rest.development)

    def folds(self, rows: Rows, count: int) -> list[FoldRows]:
        """Every row validates in one fold and trains in all others; in the order of time, in all later ones."""
        if _keeps_order(self.settings, self.known):
            in_turn = expanding_folds(_times(rows, self.known), count, self.known.gap)
            parts = [(np.sort(rows[train]), np.sort(rows[held])) for train, held in in_turn]
            return [FoldRows(train=train, validation=held) for train, held in parts]
        if self.known.groups is not None:
            groups = self.known.groups[rows]
            number = assign_groups(groups, self.classes(rows), [1 / count] * count, self.random)
        elif self.stratified:
            number = stratified_folds(self.classes(rows), count, self.random)
        else:
            number = random_folds(len(rows), count, self.random)
        return [FoldRows(train=rows[number != i], validation=rows[number == i]) for i in range(count)]


def _keeps_order(settings: "SplitSpec", known: Known) -> bool:
    return known.times is not None or not settings.shuffle


def _share(value: float | str) -> float:
    return value if isinstance(value, float) else 0.0


def _holdout(train: Rows, validation: Rows, test: Rows) -> _Holdout:
    train, validation, test = np.sort(train), np.sort(validation), np.sort(test)
    return _Holdout(train, validation, test, np.sort(np.concatenate([train, validation])))


def _in_order(rows: Rows, known: Known, *, validation: float, test: float) -> _Holdout:
    """The earliest rows train, the latest test; rows of one moment stay together, in the later part.

    The rows of the gaps are in no part; the one before the validation part joins the refit, since what follows it
    is known then.
    """
    times = _times(rows, known)
    order = rows[np.argsort(times, kind="stable")]
    times = np.sort(times, kind="stable")
    ends = len(rows) - part_size(test, len(rows)) if test else len(rows)
    begins = ends - part_size(validation, len(rows))
    ends, begins = (int(np.searchsorted(times, times[c])) if c < len(rows) else c for c in (ends, begins))
    trained = begins - (known.gap if validation else 0)
    validated = ends - (known.gap if test else 0)
    return _Holdout(
        train=np.sort(order[: max(trained, 0)]),
        validation=np.sort(order[begins : max(validated, begins)]),
        test=np.sort(order[ends:]),
        development=np.sort(order[: max(validated, 0)]),
    )


def _times(rows: Rows, known: Known) -> NDArray[np.float64]:
    """The times of rows; without any, their order."""
    return rows.astype(np.float64) if known.times is None else known.times[rows]


def _planned_sizes(rows: int, settings: "SplitSpec", known: Known) -> dict[str, int]:
    """How many rows each part is to have, by shares and by what is given; of folds, how many each validates on."""
    given = {part: len(known.rows(part)) for part in ("validation", "test")}
    left = rows - len(known.rows("out")) - sum(given.values())
    test = given["test"] or part_size(_share(settings.test), left)
    if settings.folds:
        pieces = settings.folds + _keeps_order(settings, known)
        return {"validation": (left - (0 if given["test"] else test)) // pieces, "test": test}
    validation = given["validation"] or part_size(_share(settings.validation), left)
    drawn = (0 if given["validation"] else validation) + (0 if given["test"] else test)
    return {"validation": validation, "test": test, "training": left - drawn}


def _check_groups(groups_of_rows: Rows, known: Known, settings: "SplitSpec", findings: Findings) -> None:
    """Every part, or fold, needs a group."""
    free = groups_of_rows if known.part is None else groups_of_rows[np.isin(known.part, ["", "train"])]
    groups = len(np.unique(free))
    needed = 1 + (not len(known.rows("test")))
    needed += (settings.folds - 1) if settings.folds else not len(known.rows("validation"))
    needed = max(needed, settings.outer_fold[1] + 1 if settings.outer_fold else 0)
    if groups < needed:
        findings.problem(
            f"{groups} {'group' if groups == 1 else 'groups'} of rows cannot be shared out to {needed} parts",
            key="data.split.group",
            remedy="bring more groups, or ask for fewer folds" if settings.folds else "bring more groups",
        )


def _check_classes(targets: Targets, findings: Findings, *, parts: int, strict: bool) -> None:
    """A class of one can never be split; one with fewer rows than parts is refused only when `strict`."""
    counts = np.bincount(targets.class_ids())
    small = [(label, int(n)) for label, n in zip(targets.classes, counts, strict=True) if n < parts]
    refused = [(label, n) for label, n in small if strict or n == 1]
    several = len(refused or small) > 1
    told = "classes " if several else "class "
    told += ", ".join(f"{label!r} ({n} {'row' if n == 1 else 'rows'})" for label, n in (refused or small)[:5])
    told += f" and {len(refused or small) - 5} more" if len(refused or small) > 5 else ""
    if refused:
        findings.problem(
            f"too few rows of column {targets.names[0]!r} for a stratified split into {parts} parts in {told}",
            key="data.split.stratify",
            remedy=f"set it to false, or bring more rows of {'them' if several else 'it'}",
        )
    elif small:
        findings.warn(f"too few rows to be in all {parts} parts in {told}")
