"""What is learned from: the section `data` of the study file."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Annotated, Any, Final, Self

from pydantic import Field, PlainValidator, model_validator

from hpsearch.spec.findings import Finding, error, raise_all, show, suggestion
from hpsearch.spec.rules import Form, Rule
from hpsearch.spec.section import Section

TABLES: Final = (".csv", ".tsv", ".parquet")
SUFFIXES: Final = (*TABLES, ".npz")
BUNDLED: Final = ("digits", "iris", "wine", "breast_cancer", "diabetes", "linnerud")
TASKS: Final = ("auto", "classification", "regression")

_SHARE: Final = Rule(kind="number", above=0, below=1)
_TEXT: Final = Rule(kind="text", pattern=r"\S", pattern_words="text that is not blank")
_SOURCE: Final = Form(
    "a bundled data set or a path",
    {
        "type": "string",
        "anyOf": [
            {"enum": [f"sklearn/{name}" for name in BUNDLED]},
            {"pattern": r"(?i)^(?!.*://).*[^/]\.(csv|tsv|parquet|npz)$"},
        ],
    },
)
_LIST_OF_NAMES: Final = {"type": "array", "items": _TEXT.schema(), "uniqueItems": True}
_NAMES: Final = Form("a name or a list of names", {"anyOf": [_TEXT.schema(), _LIST_OF_NAMES]})
_TARGET: Final = Form(
    "a name or a list of names, or null",
    {"anyOf": [{"type": "null"}, _TEXT.schema(), {**_LIST_OF_NAMES, "minItems": 1}]},
)


def _choice(*choices: str) -> Rule:
    return Rule(kind="choice", choices=choices)


def _source(value: Any) -> str:
    """A data set that comes with scikit-learn, or a path that ends like a table or an array file."""
    wrong = _TEXT.finding(value)
    if wrong:
        raise error(wrong.rule, wrong.remedy)
    text = str(value)
    if "://" in text:
        raise error(f"must be a file on this machine, got {show(text)}", "download it first")
    family, _, name = text.partition("/")
    known = [f"sklearn/{bundled}" for bundled in BUNDLED]
    if family == "sklearn" and "." not in name:
        if name in BUNDLED:
            return text
        raise error(f"must be one of {', '.join(known)}, got {show(text)}", suggestion(text, known))
    if PurePath(text).suffix.lower() not in SUFFIXES:
        remedy = suggestion(text, known, otherwise=f"or one of {', '.join(known)}")
        raise error(f"must be a file that ends in {', '.join(SUFFIXES)}, got {show(text)}", remedy)
    return text


def _names(value: Any) -> tuple[str, ...]:
    """One name or a list of names, none of them twice."""
    listed = value if isinstance(value, list | tuple) else (value,)
    found = [wrong.below(i) for i, name in enumerate(listed) if (wrong := _TEXT.finding(name))]
    found += [
        Finding((i,), f"{show(name)} is listed twice", "leave one out")
        for i, name in enumerate(listed)
        if name in listed[:i]
    ]
    raise_all(found, "names")
    return tuple(listed)


def _target(value: Any) -> str | tuple[str, ...] | None:
    if value is None or isinstance(value, str):
        return None if value is None else _names(value)[0]
    if not isinstance(value, list | tuple) or not value:
        remedy = "put it in quotes" if isinstance(value, int | float) else ""
        raise error(f"must be a column's name or a list of names, got {show(value)}", remedy)
    return _names(value)


class SplitSpec(Section):
    """How rows are shared out. What is neither validation nor test trains."""

    validation: Annotated[float, _SHARE] = Field(
        default=0.2, description="the share of rows that trials are compared on"
    )
    test: Annotated[float, _SHARE] = Field(
        default=0.2, description="the share of rows that is sealed until the winner is scored, once"
    )
    stratify: Annotated[bool | None, Rule(kind="boolean", nullable=True)] = Field(
        default=None,
        description="whether every part has each class in proportion; null: where the task is classification",
    )

    @model_validator(mode="after")
    def _leaves_rows_to_train(self) -> Self:
        if self.validation + self.test >= 1:
            raise error(
                f"validation and test together must be below 1, got {self.validation + self.test:.12g}",
                "the rest of the rows is what trains",
            )
        return self


class PreprocessSpec(Section):
    """How columns become network inputs; fitted on the training part alone."""

    numeric: Annotated[str, _choice("standardize", "min_max", "none")] = Field(
        default="standardize", description="how numeric columns are scaled"
    )
    categorical: Annotated[str, _choice("one_hot")] = Field(
        default="one_hot", description="how text columns become numbers"
    )
    missing: Annotated[str, _choice("median", "mean")] = Field(
        default="median", description="what stands in for missing numbers"
    )
    target: Annotated[str, _choice("standardize", "none")] = Field(
        default="standardize",
        description="how regression targets are scaled in training; scores are in their own units",
    )


class DataSpec(Section):
    """The data set, its target and how it is split and prepared."""

    source: Annotated[str, PlainValidator(_source), _SOURCE] = Field(
        description="`sklearn/` and one of digits, iris, wine, breast_cancer, diabetes, linnerud, or a .csv, "
        ".tsv, .parquet or .npz file, relative to the study file"
    )
    target: Annotated[str | tuple[str, ...] | None, PlainValidator(_target), _TARGET] = Field(
        default=None, description="the column to predict, or a list of them; tables need it"
    )
    task: Annotated[str, _choice(*TASKS)] = Field(
        default="auto", description="what is learned; `auto` looks at the target"
    )
    drop: Annotated[tuple[str, ...], PlainValidator(_names), _NAMES] = Field(
        default=(), description="columns to leave out"
    )
    split: SplitSpec = Field(
        default=SplitSpec(), description="how rows are shared out to training, validation and test"
    )
    preprocess: PreprocessSpec = Field(
        default=PreprocessSpec(), description="how columns become network inputs"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        raise_all(self._misfits(), "data")
        return self

    def _misfits(self) -> Iterator[Finding]:
        targets = (self.target,) if isinstance(self.target, str) else self.target or ()
        if not targets and self.source.lower().endswith(TABLES):
            yield Finding(("target",), "is needed for a table", "name the column to predict")
        for index, name in enumerate(self.drop):
            if name in targets:
                yield Finding(
                    ("drop", index), f"{show(name)} is the target", "leave it out of one of the two"
                )
        if self.split.stratify and self.task == "regression":
            yield Finding(
                ("split", "stratify"), "cannot be true for regression", "leave it out: there are no classes"
            )
