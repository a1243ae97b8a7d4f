"""What is studied: the sections `data`, `model` and `objective` of the study file."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, PlainValidator, model_validator

from hpsearch.spec.findings import Finding, error, raise_all, show, suggestion
from hpsearch.spec.hyperparameters import CLASSIFICATION_LOSSES, REGISTRY, REGRESSION_LOSSES
from hpsearch.spec.parameters import NAME
from hpsearch.spec.rules import Rule
from hpsearch.spec.section import Section

TABLES: Final = (".csv", ".tsv", ".parquet")
SUFFIXES: Final = (*TABLES, ".npz")
BUNDLED: Final = ("digits", "iris", "wine", "breast_cancer", "diabetes", "linnerud")
TASKS: Final = ("auto", "classification", "regression")
CLASSIFICATION_METRICS: Final = ("accuracy", "macro_f1", "log_loss", "roc_auc")
REGRESSION_METRICS: Final = ("rmse", "mae", "r2")
METRICS: Final = tuple(
    f"{part}_{name}"
    for name in ("loss", *CLASSIFICATION_METRICS, *REGRESSION_METRICS)
    for part in ("validation", "train")
)
WEIGHTS: Final = "weights"

_SHARE: Final = Rule(kind="number", above=0, below=1)
_TEXT: Final = Rule(kind="text", pattern=r"\S", pattern_words="text that is not blank")


def _choice(*choices: str, nullable: bool = False) -> Rule:
    return Rule(kind="choice", choices=choices, nullable=nullable)


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
        default=None, description="whether every part has each class in proportion; null: where the task is classification"
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
        default="standardize", description="how regression targets are scaled in training; scores are in their own units"
    )


class DataSpec(Section):
    """The data set, its target and how it is split and prepared."""

    source: Annotated[str, PlainValidator(_source)] = Field(
        description="the data: `sklearn/` and one of digits, iris, wine, breast_cancer, diabetes, linnerud, "
        "or a .csv, .tsv, .parquet or .npz file, relative to the study file"
    )
    target: Annotated[str | tuple[str, ...] | None, PlainValidator(_target)] = Field(
        default=None, description="the column to predict, or a list of them; tables need it"
    )
    task: Annotated[str, _choice(*TASKS)] = Field(
        default="auto", description="what is learned; `auto` looks at the target"
    )
    drop: Annotated[tuple[str, ...], PlainValidator(_names)] = Field(
        default=(), description="columns to leave out"
    )
    split: SplitSpec = Field(default=SplitSpec(), description="how rows are shared out to training, validation and test")
    preprocess: PreprocessSpec = Field(default=PreprocessSpec(), description="how columns become network inputs")

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
                yield Finding(("drop", index), f"{show(name)} is the target", "leave it out of one of the two")
        if self.split.stratify and self.task == "regression":
            yield Finding(("split", "stratify"), "cannot be true for regression", "leave it out: there are no classes")


def is_reference(value: object) -> bool:
    """Whether a value of the model refers to a parameter of the space: `$name`."""
    return isinstance(value, str) and value.startswith("$")


def _wrong(value: Any, rule: Rule) -> Finding | None:
    """What is wrong with a value that a rule allows, or a reference in its place."""
    if not is_reference(value):
        return rule.finding(value)
    wrong = NAME.finding(value[1:])
    return Finding((), f"after `$`, {wrong.rule}") if wrong else None


def _value_of(name: str) -> PlainValidator:
    """A value that the table of hyperparameters allows, or a reference; null where the section's default is null."""

    def validate(value: Any) -> Any:
        if value is None and name in ("depth", "width"):
            return None
        wrong = _wrong(value, REGISTRY[name].rule)
        if wrong:
            raise error(wrong.rule, wrong.remedy)
        return value

    return PlainValidator(validate)


def _hidden(value: Any) -> Any:
    """A list of widths, each a number or a reference; or one reference to a parameter that chooses among lists."""
    if value is None:
        return None
    if is_reference(value):
        raise_all([wrong] if (wrong := _wrong(value, REGISTRY["hidden"].rule)) else [], "hidden")
        return value
    if not isinstance(value, list | tuple):
        raise error(f"must be a list of layer widths, got {show(value)}", "for example [64, 64], or `$name`")
    rule = REGISTRY["width"].rule
    found = []
    for index, width in enumerate(value):
        wrong = _wrong(width, rule)
        found += [wrong.below(index)] if wrong else []
    if len(value) > (most := int(REGISTRY["depth"].rule.maximum or 0)):
        found.append(Finding((), f"must have at most {most} layers, got {len(value)}"))
    raise_all(found, "hidden")
    return tuple(value)


class ModelSpec(Section):
    """The network. `$name` in place of a value refers to a parameter of the space."""

    hidden: Annotated[tuple[int | str, ...] | str | None, PlainValidator(_hidden)] = Field(
        default=None, description="the widths of the hidden layers, from the inputs on; an empty list is a linear model"
    )
    depth: Annotated[int | str | None, _value_of("depth")] = Field(
        default=None, description="in place of `hidden`: the number of hidden layers of the same width"
    )
    width: Annotated[int | str | None, _value_of("width")] = Field(
        default=None, description="in place of `hidden`: the number of units of each hidden layer"
    )
    activation: Annotated[str, _value_of("activation")] = Field(
        default="relu", description="the activation of the hidden layers"
    )
    initializer: Annotated[str, _value_of("initializer")] = Field(
        default="he", description="how weights are drawn before training; biases start at zero"
    )
    loss: Annotated[str, _value_of("loss")] = Field(
        default="auto", description=f"what training minimizes: {REGISTRY['loss'].description}"
    )

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        """Every `$name` as (its path in the model, the parameter's name, the hyperparameter whose rule it must obey)."""
        for key in type(self).model_fields:
            value = getattr(self, key)
            if is_reference(value):
                yield (key,), value[1:], key
            elif isinstance(value, tuple):
                for index, width in enumerate(value):
                    if is_reference(width):
                        yield (key, index), width[1:], "width"


def _known_metric(value: Any) -> Any:
    rule = Rule(kind="choice", choices=(*METRICS, WEIGHTS))
    wrong = rule.finding(value)
    if wrong is None:
        return value
    bare = suggestion(value, [*CLASSIFICATION_METRICS, *REGRESSION_METRICS, "loss"])
    remedy = wrong.remedy or (f"for example validation_{value}" if bare else "")
    parts = "validation_ or train_ with " + ", ".join(("loss", *CLASSIFICATION_METRICS, *REGRESSION_METRICS))
    raise error(f"must be {parts}; got {show(value)}", remedy)


class Objective(Section):
    """What makes a trial good. A direction is declared, never guessed from a metric's name."""

    metric: Annotated[str, PlainValidator(_known_metric)] = Field(
        default="validation_loss",
        description="the number that is compared: `validation_` or `train_` with loss, accuracy, macro_f1, log_loss, roc_auc "
        "(classification), rmse, mae, r2 (regression); in `objectives` also `weights`, the number of trainable numbers",
    )
    direction: Annotated[Literal["minimize", "maximize"], _choice("minimize", "maximize")] = Field(
        default="minimize", description="which way is better; needed where a metric is given"
    )
    value: Annotated[Literal["best", "last"], _choice("best", "last")] = Field(
        default="best", description="which epoch's value counts: the best one or the last"
    )

    @model_validator(mode="after")
    def _declares_its_direction(self) -> Self:
        if "metric" in self.model_fields_set and "direction" not in self.model_fields_set:
            finding = Finding(
                ("direction",), "is needed where a metric is given", "say `direction: minimize` or `direction: maximize`"
            )
            raise_all([finding], "objective")
        return self


def fits_task(name: str, task: str) -> bool:
    """Whether a loss or a metric (without `validation_`) makes sense for a declared task."""
    if task == "classification":
        return name not in (*REGRESSION_LOSSES, *REGRESSION_METRICS)
    if task == "regression":
        return name not in (*CLASSIFICATION_LOSSES, *CLASSIFICATION_METRICS)
    return True

