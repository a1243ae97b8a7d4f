"""How rows are shared out to training, validation and test: the section `data.split` of the study file."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Self

from pydantic import Field, PlainValidator, SerializerFunctionWrapHandler, model_serializer, model_validator

from hpsearch.spec.findings import Finding, error, raise_all, show
from hpsearch.spec.rules import Form, Rule, any_case
from hpsearch.spec.section import Section

_TABLES: Final = (".csv", ".tsv", ".parquet")
_FRACTION: Final = Rule(kind="number", above=0, below=1)
_TABLE_FILE: Final = rf"^(?!.*://).*[^/]\.{any_case('csv', 'tsv', 'parquet')}$"
_SHARE: Final = Form(
    "a number, above 0, below 1; or a .csv, .tsv or .parquet file",
    {"anyOf": [_FRACTION.schema(), {"type": "string", "pattern": _TABLE_FILE}]},
)
_OPTIONAL_TEXT: Final = Rule(
    kind="text", pattern=r"\S", pattern_words="a column's name", nullable=True, remedy="put it in quotes"
)
_ROWS_NAME: Final = rf"^(?!.*://).*[^/]\.{any_case('npz', 'json')}$"
_ROWS_FILE: Final = Form(
    "a .npz or .json file, or null",
    {"anyOf": [{"type": "string", "pattern": _ROWS_NAME}, {"type": "null"}]},
)
_OUTER: Final = Rule(
    kind="text",
    pattern=r"^[1-9][0-9]{0,2}/[1-9][0-9]{0,2}$",
    pattern_words="which of how many folds, as 2/5",
    nullable=True,
    remedy="`hpsearch nested` writes it; leave it out otherwise",
)
_EXCLUSIVE: Final = (
    ("validation", "folds"),
    ("repeats", "time"),
    ("repeats", "shuffle"),
    ("group", "time"),
    ("group", "shuffle"),
    ("time", "shuffle"),
    ("stratify", "time"),
    ("stratify", "shuffle"),
    ("column", "rows"),
)
_SAID: Final = {"shuffle": "`shuffle: false`"}
_REMEDIES: Final = {
    "validation": "each fold validates on its own share: leave it out",
    "repeats": "folds in order are the same each time they are drawn: leave it out, or repeat by `seeds`",
    "group": "leave one of the two out",
    "time": "a column of time orders the rows already: leave one of the two out",
    "stratify": "the order decides who is in which part: leave it out",
    "column": "leave one of the two out",
}


def _rows_file(value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and re.search(_ROWS_NAME, value)):
        raise error(f"must be a file that ends in .npz, .json, got {show(value)}")
    return value


def _share_or_file(value: Any) -> float | str:
    """A share of the rows, or a file with rows of its own."""
    if isinstance(value, str) and re.search(_TABLE_FILE, value):
        return value
    if isinstance(value, str):
        raise error(
            f"must be {_FRACTION.plain}, or a file that ends in {', '.join(_TABLES)}, got {show(value)}"
        )
    if wrong := _FRACTION.finding(value):
        raise error(wrong.rule, wrong.remedy)
    return float(value)


class SplitSpec(Section):
    """How rows are shared out. What is neither validation nor test trains."""

    validation: Annotated[float | str, PlainValidator(_share_or_file), _SHARE] = Field(
        default=0.2,
        description="what trials are compared on: a share of the rows, or a file with rows of their own, relative "
        "to the study file",
    )
    test: Annotated[float | str, PlainValidator(_share_or_file), _SHARE] = Field(
        default=0.2,
        description="what is sealed until the winner is scored, once: a share of the rows, or a file with rows of "
        "their own",
    )
    stratify: Annotated[bool | None, Rule(kind="boolean", nullable=True)] = Field(
        default=None,
        description="whether every part has each class in proportion; null: where the task is classification",
    )
    group: Annotated[str | None, _OPTIONAL_TEXT] = Field(
        default=None,
        description="a column; rows in which it is equal (a patient, a household) are all in one part. It is no input",
    )
    time: Annotated[str | None, _OPTIONAL_TEXT] = Field(
        default=None,
        description="a column of numbers or dates; the earliest rows train, later ones validate, the latest test. "
        "It is no input",
    )
    shuffle: Annotated[bool, Rule(kind="boolean")] = Field(
        default=True,
        description="whether rows are drawn at random; false: the first rows of the data train, the last ones test",
    )
    column: Annotated[str | None, _OPTIONAL_TEXT] = Field(
        default=None,
        description="a column that says train, validation or test; where no row says validation (or test), that "
        "part is drawn from the rest. It is no input",
    )
    rows: Annotated[str | None, PlainValidator(_rows_file), _ROWS_FILE] = Field(
        default=None,
        description="an .npz or .json file of row numbers, from 0: lists `train`, `validation`, `test`; where the last "
        "two are missing they are drawn from the rest, and with `train` there, rows in no list are left out",
    )
    folds: Annotated[int | None, Rule(kind="integer", minimum=2, maximum=1000, nullable=True)] = Field(
        default=None,
        description="k: each trial trains k networks, each of which validates on another k-th of what is no test, and "
        "is judged by their mean; with `time`, `shuffle: false` or windows over one series they follow one another, "
        "and each trains on what comes before; null: one validation part",
    )
    repeats: Annotated[int, Rule(kind="integer", minimum=1, maximum=1000)] = Field(
        default=1, description="how often the folds are drawn anew"
    )
    seeds: Annotated[int, Rule(kind="integer", minimum=1, maximum=1000)] = Field(
        default=1,
        description="how many networks each trial trains on each fold, from other random numbers; it is judged by "
        "their mean",
    )

    outer: Annotated[str | None, _OUTER] = Field(
        default=None,
        description="i/k: the i-th of k folds of the rows that train and validate is the test part, and the rows of "
        "`test` are in no part; what `hpsearch nested` sets for each of its searches",
    )

    @property
    def outer_fold(self) -> tuple[int, int] | None:
        """`outer` as numbers: which fold, from 1, and of how many."""
        if self.outer is None:
            return None
        place, count = map(int, self.outer.split("/"))
        return place, count

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that say how rows are split."""
        return tuple(name for name in (self.group, self.time, self.column) if name is not None)

    @property
    def ordered(self) -> bool:
        """Whether parts follow one another."""
        return self.time is not None or not self.shuffle

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        raise_all(split_misfits(self), "split")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Folds take the place of a validation part; few studies are an outer fold of another."""
        form: dict[str, Any] = handler(self)
        unused = {"validation"} if self.folds else set()
        unused |= {"outer"} if self.outer is None else set()
        return {key: value for key, value in form.items() if key not in unused}


def split_misfits(split: SplitSpec) -> Iterator[Finding]:
    """What excludes each other among the ways to split."""
    shares = [share for share in (split.validation, split.test) if isinstance(share, float)]
    if not split.folds and sum(shares) >= 1:
        yield Finding(
            (),
            f"validation and test together must be below 1, got {sum(shares):.12g}",
            "the rest of the rows is what trains",
        )
    for first, second in _EXCLUSIVE:
        if _is_set(split, first) and _is_set(split, second):
            yield Finding((first,), f"cannot go with {_SAID.get(second, second)}", _REMEDIES.get(first, ""))
    if split.repeats > 1 and not split.folds:
        yield Finding(("repeats",), "needs folds", "say how many: `folds: 5`; or repeat by `seeds`")
    if split.outer_fold is not None and not 1 < split.outer_fold[1] >= split.outer_fold[0]:
        yield Finding(
            ("outer",), f"must be one of at least two folds, got {split.outer}", "such as 1/5 to 5/5"
        )


def _is_set(split: SplitSpec, key: str) -> bool:
    """Whether a key says something: `validation` where it was written, `shuffle` where it is off, `repeats` above 1."""
    if key == "validation":
        return "validation" in split.model_fields_set
    if key == "shuffle":
        return not split.shuffle
    return split.repeats > 1 if key == "repeats" else bool(getattr(split, key))
