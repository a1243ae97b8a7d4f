"""Which rows train, which validate, which test: decided once, from the study's seed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.raw import Findings
from hpsearch.data.targets import Targets

if TYPE_CHECKING:
    from hpsearch.spec import SplitSpec

FEWEST_ROWS: Final = 2

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Row numbers of the three parts, each ascending; together they are all rows, each once."""

    train: Rows
    validation: Rows
    test: Rows

    @property
    def development(self) -> Rows:
        """All rows but the test part, ascending."""
        return np.sort(np.concatenate([self.train, self.validation]))


def part_size(fraction: float, rows: int) -> int:
    """How many rows a fraction of the whole is, halves rounded up."""
    return int(np.floor(fraction * rows + 0.5))


def check_split(targets: Targets, settings: "SplitSpec", findings: Findings) -> None:
    """Note what keeps these targets from being split: parts of fewer than two rows, classes too small."""
    rows = len(targets)
    sizes = {"validation": part_size(settings.validation, rows), "test": part_size(settings.test, rows)}
    sizes["training"] = rows - sum(sizes.values())
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
    elif settings.stratify is not False and targets.is_classification:
        _check_classes(targets, findings, parts=len(sizes), strict=settings.stratify is True)


def divide(targets: Targets, settings: "SplitSpec", random: np.random.Generator) -> Split:
    """The split that the settings ask for, of targets that passed `check_split`."""
    if targets.is_classification and settings.stratify is not False:
        return stratified_split(
            targets.class_ids(), validation=settings.validation, test=settings.test, random=random
        )
    return random_split(len(targets), validation=settings.validation, test=settings.test, random=random)


def random_split(rows: int, *, validation: float, test: float, random: np.random.Generator) -> Split:
    """A split at random, by fractions of the whole."""
    order = random.permutation(rows)
    first, second = part_size(test, rows), part_size(test, rows) + part_size(validation, rows)
    return _split(test=order[:first], validation=order[first:second], train=order[second:])


def stratified_split(classes: Rows, *, validation: float, test: float, random: np.random.Generator) -> Split:
    """A split that keeps the classes' shares. `classes`: (N,) class ids 0 to C-1.

    Test and validation part hold each class within one row of its proportional share (largest remainders,
    classes that would otherwise be left out first), and training keeps at least one row of every class: the
    parts are smaller than asked where classes are too small for that.
    """
    counts = np.bincount(classes)
    wanted = counts * validation, counts * test
    in_test = _apportion(
        wanted[1], part_size(test, len(classes)), counts - 1 - np.floor(wanted[0]).astype(np.int64)
    )
    in_validation = _apportion(wanted[0], part_size(validation, len(classes)), counts - 1 - in_test)
    pieces: tuple[list[Rows], ...] = ([], [], [])
    for label in range(len(counts)):
        members = random.permutation(np.flatnonzero(classes == label))
        cuts = np.cumsum([in_test[label], in_validation[label]])
        for piece, chosen in zip(pieces, np.split(members, cuts), strict=True):
            piece.append(chosen)
    chosen_test, chosen_validation, chosen_train = (np.concatenate(piece) for piece in pieces)
    return _split(test=chosen_test, validation=chosen_validation, train=chosen_train)


def _apportion(quotas: NDArray[np.floating], seats: int, room: Rows) -> Rows:
    """Whole numbers near `quotas` that sum to `seats`, none above `room` nor negative."""
    given = np.clip(np.floor(quotas).astype(np.int64), 0, np.maximum(room, 0))
    fractions = quotas - np.floor(quotas)
    order = np.lexsort((np.arange(len(quotas)), -fractions, given > 0))
    takers = [label for label in order if given[label] < room[label] and fractions[label] > 0]
    given[takers[: max(0, seats - int(given.sum()))]] += 1
    return np.asarray(given, dtype=np.int64)


def _split(*, test: Rows, validation: Rows, train: Rows) -> Split:
    return Split(test=np.sort(test), validation=np.sort(validation), train=np.sort(train))


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
