"""What is trained and what makes it good: the sections `model` and `objective` of the study file."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, PlainSerializer, PlainValidator, model_validator

from hpsearch.spec.findings import Finding, KeyPath, error, nearest, raise_all, show, suggestion
from hpsearch.spec.goal import Goal
from hpsearch.spec.layer_forms import layers_form, read_layers, references, write_layers
from hpsearch.spec.layers import LayerSettings
from hpsearch.spec.references import REFERENCE, is_reference, wrong_value
from hpsearch.spec.registry import CLASSIFICATION_LOSSES, REGISTRY, REGRESSION_LOSSES
from hpsearch.spec.rules import Form, Rule
from hpsearch.spec.section import Section

CLASSIFICATION_METRICS: Final = ("accuracy", "macro_f1", "log_loss", "roc_auc")
REGRESSION_METRICS: Final = ("rmse", "mae", "r2")
METRICS: Final = tuple(
    f"{part}_{name}"
    for name in ("loss", *CLASSIFICATION_METRICS, *REGRESSION_METRICS)
    for part in ("validation", "train")
)
WEIGHTS: Final = "weights"
_HIDDEN: Final = Form(
    "a list of widths, each a number or `$name`; or `$name`",
    {
        "anyOf": [
            {
                "type": "array",
                "items": {"anyOf": [REGISTRY["width"].rule.schema(), REFERENCE]},
                "maxItems": REGISTRY["depth"].rule.maximum,
            },
            REFERENCE,
            {"type": "null"},
        ]
    },
)
INITIALIZE_FROM: Final = Rule(
    kind="text",
    nullable=True,
    pattern=r"^[^\s$](.*\S)?$",
    pattern_words="the name of a study, or the directory of a model",
)
_METRIC_NAME: Final = rf"^((validation|train)_[A-Za-z]\w*|{WEIGHTS})$"
_METRIC: Final = Form("a metric", {"type": "string", "pattern": _METRIC_NAME})


def _value_of(name: str) -> PlainValidator:
    """A value that the table of hyperparameters allows, or a reference; null for a null default."""

    def validate(value: Any) -> Any:
        if value is None and name in ("depth", "width"):
            return None
        wrong = wrong_value(value, REGISTRY[name].rule)
        if wrong:
            raise error(wrong.rule, wrong.remedy)
        return value

    return PlainValidator(validate)


def _form_of(name: str) -> Form:
    """What `_value_of` takes."""
    rule, empty = REGISTRY[name].rule, [{"type": "null"}] if name in ("depth", "width") else []
    return Form(f"{rule.words}, or `$name`", {"anyOf": [rule.schema(), REFERENCE, *empty]})


def _hidden(value: Any) -> Any:
    """A list of widths or references; or one reference to a parameter that chooses among lists."""
    if value is None:
        return None
    if is_reference(value):
        raise_all([wrong] if (wrong := wrong_value(value, REGISTRY["hidden"].rule)) else [], "hidden")
        return value
    if not isinstance(value, list | tuple):
        raise error(f"must be a list of layer widths, got {show(value)}", "for example [64, 64], or `$name`")
    rule = REGISTRY["width"].rule
    found = []
    for index, width in enumerate(value):
        wrong = wrong_value(width, rule)
        found += [wrong.below(index)] if wrong else []
    if len(value) > (most := int(REGISTRY["depth"].rule.maximum or 0)):
        found.append(Finding((), f"must have at most {most} layers, got {len(value)}"))
    raise_all(found, "hidden")
    return tuple(value)


class ModelSpec(Section):
    """The network. `$name` in place of a value refers to a parameter of the space."""

    hidden: Annotated[tuple[int | str, ...] | str | None, PlainValidator(_hidden), _HIDDEN] = Field(
        default=None,
        description="the widths of the hidden layers, from the inputs on; `[64, 64]` where nothing else "
        "says; an empty list is a linear model",
    )
    layers: Annotated[
        tuple[LayerSettings, ...] | None,
        PlainValidator(read_layers),
        PlainSerializer(write_layers),
        layers_form(),
    ] = Field(
        default=None,
        description="in place of `hidden`: every layer from the inputs on, as a name or a name with settings; the "
        "output layer follows by itself",
    )
    kind: Annotated[str, _value_of("kind"), _form_of("kind")] = Field(
        default="dense", description=REGISTRY["kind"].description
    )
    depth: Annotated[int | str | None, _value_of("depth"), _form_of("depth")] = Field(
        default=None,
        description="in place of `hidden`: the number of hidden layers of the same width; in a network of another "
        "kind, of blocks of convolutions or of recurrent layers",
    )
    width: Annotated[int | str | None, _value_of("width"), _form_of("width")] = Field(
        default=None,
        description="in place of `hidden`: the number of units of each hidden layer; in a convolutional network, of "
        "filters in the first block",
    )
    initialize_from: Annotated[str | None, INITIALIZE_FROM] = Field(
        default=None,
        description="trained weights that networks begin from where shapes agree: a study of the store, or the "
        "directory of a saved model, seen from the study file",
    )
    activation: Annotated[str, _value_of("activation"), _form_of("activation")] = Field(
        default="relu", description="the activation of the hidden layers"
    )
    initializer: Annotated[str, _value_of("initializer"), _form_of("initializer")] = Field(
        default="he", description="how weights are drawn before training; biases start at zero"
    )
    loss: Annotated[str, _value_of("loss"), _form_of("loss")] = Field(
        default="auto", description=REGISTRY["loss"].description
    )

    def references(self) -> Iterator[tuple[KeyPath, str, Rule]]:
        """Every `$name` as (path in the model, parameter's name, rule that it obeys)."""
        for key in type(self).model_fields:
            value = getattr(self, key)
            if is_reference(value):
                yield (key,), value[1:], REGISTRY[key].rule
            elif key == "layers":
                for path, name, rule in references(value or ()):
                    yield (key, *path), name, rule
            elif isinstance(value, tuple):
                for index, width in enumerate(value):
                    if is_reference(width):
                        yield (key, index), width[1:], REGISTRY["width"].rule


def _metric(value: Any) -> Any:
    """A name that says which part it is of; whether there is such a metric, the whole study tells."""
    if isinstance(value, str) and re.search(_METRIC_NAME, value):
        return value
    wrong = _no_metric(value)
    raise error(wrong.rule, wrong.remedy)


def unknown_metric(name: str, own: Iterable[str] = ()) -> Finding | None:
    """What is wrong with a metric that hpsearch does not compute, nor the study has of its `own`; None for others."""
    return None if name in (*METRICS, WEIGHTS) else _no_metric(name, own)


def _no_metric(value: object, own: Iterable[str] = ()) -> Finding:
    bare = ("loss", *CLASSIFICATION_METRICS, *REGRESSION_METRICS, *own)
    meant = nearest(value, bare)
    remedy = f"did you mean 'validation_{meant}'?" if meant else suggestion(value, METRICS)
    rule = f"must be validation_ or train_ with one of {', '.join(bare)}; got {show(value)}"
    return Finding((), rule, remedy)


class Objective(Section):
    """What makes a trial good. A direction is declared, never guessed from a metric's name.

    Several of them, as a list under `objectives`, give the trials that no other beats in all of them. Trials
    are followed by the first one, epoch by epoch.
    """

    metric: Annotated[str, PlainValidator(_metric), _METRIC] = Field(
        default="validation_loss",
        description="the number that is compared: `validation_` or `train_` with loss, accuracy, macro_f1, "
        "log_loss, roc_auc (classification), rmse, mae, r2 (regression); behind another one in `objectives` "
        "also `weights`, the number of trainable numbers; a loss is each trial's own, so where a regression "
        "searches `loss` it takes another metric; or one of `metrics`; with a `trainer` "
        "any that it gives",
    )
    direction: Annotated[
        Literal["minimize", "maximize"], Rule(kind="choice", choices=("minimize", "maximize"))
    ] = Field(default="minimize", description="which way is better; needed where a metric is given")
    value: Annotated[Literal["best", "last"], Rule(kind="choice", choices=("best", "last"))] = Field(
        default="best", description="which epoch's value counts: the best one or the last"
    )

    @property
    def goal(self) -> Goal:
        """The same as plain values."""
        return Goal(metric=self.metric, direction=self.direction)

    @property
    def sign(self) -> float:
        """What its values are multiplied by so that less is better."""
        return self.goal.sign

    @model_validator(mode="after")
    def _declares_its_direction(self) -> Self:
        if "metric" in self.model_fields_set and "direction" not in self.model_fields_set:
            finding = Finding(
                ("direction",),
                "is needed where a metric is given",
                "say `direction: minimize` or `direction: maximize`",
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
