"""The study as one frozen value: all sections, checked against one another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)

from hpsearch.errors import Problem
from hpsearch.spec.cluster import Cluster
from hpsearch.spec.code import CODE, CODES, codes
from hpsearch.spec.comparison import differences
from hpsearch.spec.conduct import Budget, EarlyStopping, Pruning, Sampler, Storage, Tracking
from hpsearch.spec.consistency import Parts, inconsistencies
from hpsearch.spec.dataset import DataSpec
from hpsearch.spec.findings import Finding, KeyPath, error, raise_all, show
from hpsearch.spec.forms import parse_parameter
from hpsearch.spec.hyperparameters import Hyperparameters, ParameterValue
from hpsearch.spec.metrics import MetricSpec
from hpsearch.spec.model import ModelSpec, Objective
from hpsearch.spec.origin import Origin, nowhere
from hpsearch.spec.parameters import Choice, Fixed, Parameter, write_parameter
from hpsearch.spec.references import is_reference
from hpsearch.spec.resolution import resolve, resolve_own, with_fixed
from hpsearch.spec.rules import Rule
from hpsearch.spec.section import Section
from hpsearch.spec.yaml_text import dump

STUDY_NAME: Final = Rule(
    kind="text",
    pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
    pattern_words="a name of letters, digits, '.', '_' and '-' (at most 64), the first a letter or digit",
)

DEFAULT_SPACE: Final[Mapping[str, Any]] = {
    "epochs": {"min": 5, "max": 50},
    "batch_size": [16, 32, 64, 128],
    "learning_rate": {"min": 1e-4, "max": 1e-1, "log": True},
    "optimizer": ["sgd", "momentum", "adagrad", "rmsprop", "adam"],
    "dropout": {"min": 0.0, "max": 0.5},
    "l2": {"min": 1e-6, "max": 1e-1, "log": True},
    "momentum": {"min": 0.8, "max": 0.99, "when": {"optimizer": "momentum"}},
}
"""What is searched where a study file has no `space`."""

_UNDECIDING: Final = (
    ("budget", "trials"),
    ("budget", "time"),
    ("budget", "failures"),
    ("select", None),
    ("cluster", None),
    ("storage", None),
    ("tracking", None),
    ("callbacks", None),
)


def _space(value: Any, info: ValidationInfo) -> dict[str, Parameter]:
    return _parameters(value, own=info.data.get("trainer") is not None)


def _parameters(value: Any, *, own: bool = False) -> dict[str, Parameter]:
    if not isinstance(value, Mapping):
        remedy = (
            "leave the key out for the default space"
            if value is None
            else "for example dropout: {min: 0.0, max: 0.5}"
        )
        raise error(f"must be a mapping of parameters to their values, got {show(value)}", remedy)
    read = {name: parse_parameter(name, raw, own=own) for name, raw in value.items()}
    raise_all((wrong.below(name) for name, (_, found) in read.items() for wrong in found), "space")
    return {name: parameter for name, (parameter, _) in read.items() if parameter is not None}


def _written(space: Mapping[str, Parameter]) -> dict[str, Any]:
    return {name: write_parameter(parameter) for name, parameter in space.items()}


def _named(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise error(f"must be a mapping of names to metrics, got {show(value)}")
    return value


def _listed(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise error(
            f"must be a list of objectives, got {show(value)}", "each as {metric: ..., direction: ...}"
        )
    return tuple(value)


def _plain(value: Any) -> Any:
    """Tuples as lists, all the way down: what YAML and JSON know."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


class StudySpec(Section):
    """A study: data, network, space and search. Equal files give equal values."""

    study: Annotated[str, STUDY_NAME] = Field(
        description="the study's name, under which its trials are stored"
    )
    seed: Annotated[int, Rule(kind="integer", minimum=0, maximum=2**32 - 1)] = Field(
        default=0, description="what all randomness of the study follows from"
    )
    data: DataSpec = Field(description="the data set, its target and how it is split and prepared")
    model: ModelSpec = Field(default=ModelSpec(), description="the network")
    trainer: Annotated[str | None, replace(CODE, nullable=True)] = Field(
        default=None,
        description="what trains in place of hpsearch's networks: [a trainer of your own](extending.md#trainers); "
        "`space` then has whatever parameters it takes",
    )
    space: Annotated[Mapping[str, Parameter], PlainValidator(_space), PlainSerializer(_written)] = Field(
        default_factory=lambda: _parameters(DEFAULT_SPACE),
        description="what is searched: by name, a list (a choice), a bare value (fixed) or a range",
    )
    objectives: Annotated[tuple[Objective, ...], BeforeValidator(_listed)] = Field(
        default=(Objective(),), description="what makes a trial good; `objective:` writes a single one"
    )
    metrics: Annotated[Mapping[str, MetricSpec], BeforeValidator(_named)] = Field(
        default_factory=dict,
        description="metrics of your own, by name; as `validation_NAME` one can be the objective",
    )
    select: Annotated[
        Literal["best", "one_standard_error"], Rule(kind="choice", choices=("best", "one_standard_error"))
    ] = Field(
        default="best",
        description="the winner: the best trial, or the one with the fewest weights among those within one standard "
        "error of it (over folds and seeds, else over validation rows)",
    )
    early_stopping: EarlyStopping = Field(
        default=EarlyStopping(), description="when a trial has learned what it can; `none` switches it off"
    )
    pruning: Pruning = Field(
        default=Pruning(),
        description="when a trial is given up; a bare rule is enough, `none` switches it off",
    )
    sampler: Sampler = Field(default=Sampler(), description="who proposes trials; a bare name is enough")
    budget: Budget = Field(default=Budget(), description="when the search ends")
    cluster: Cluster = Field(
        default=Cluster(), description="where trials are trained; a bare address is enough"
    )
    storage: Storage = Field(default=Storage(), description="where trials are kept")
    tracking: Tracking = Field(default=Tracking(), description="where trials are shown")

    callbacks: Annotated[tuple[str, ...], PlainValidator(codes), CODES] = Field(
        default=(), description="functions of your own that are told how the study goes"
    )

    _base: Path = PrivateAttr(default_factory=Path)
    _origin: Origin = PrivateAttr(default_factory=Origin)

    @property
    def base(self) -> Path:
        """The directory that relative paths of the study start from."""
        return self._base

    def problem(self, path: KeyPath, rule: str, remedy: str = "") -> Problem:
        """What is found wrong with a key later on, with its line in the study file."""
        return self._origin.problem(Finding(path, rule, remedy))

    @classmethod
    def load(cls, study: str | Path | Mapping[str, Any], *, overrides: Sequence[str] = ()) -> "StudySpec":
        """A study from the path of its file, or from its content; `overrides` are `key.path=value`, laid over it.

        Relative paths in it start from the file's directory; of a mapping from the present one.

        Raises:
            SpecError: all that is wrong, each with its place.
        """
        # imported here: the reader reads into this model
        from hpsearch.spec.reader import load_study, study_of  # noqa: PLC0415

        if isinstance(study, str | Path):
            return load_study(Path(study), overrides)
        return study_of(study, overrides=overrides)

    @classmethod
    def read(
        cls, raw: Mapping[str, Any], *, base: Path, problem: Callable[[Finding], Problem] = nowhere
    ) -> Self:
        """A study from the plain values of its file; `problem` gives what is found wrong its line there.

        Raises:
            ValidationError: as `Section` says; every finding carries its path.
        """
        spec = cls.model_validate(raw)
        spec._base, spec._origin = base, Origin(problem)  # noqa: SLF001 - its own, set before anyone sees it
        return spec

    @model_validator(mode="before")
    @classmethod
    def _several_objectives_or_one(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        value = dict(value)
        if "objective" in value and "objectives" not in value:
            value["objectives"] = (value.pop("objective"),)
        if isinstance(value.get("objectives"), list | tuple) and len(value["objectives"]) > 1:
            value.setdefault("pruning", {"rule": "none"})
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        parts = Parts(
            data=self.data,
            model=self.model,
            space=self.space,
            objectives=self.objectives,
            pruning=self.pruning,
            sampler=self.sampler,
            trainer=self.trainer,
            metrics=self.metrics,
            given=frozenset(self.model_fields_set),
        )
        raise_all(inconsistencies(parts), "study")
        return self

    def loss_path(self) -> KeyPath:
        """Where the study gives its loss: in the model or in the space."""
        name = self.model.loss[1:] if is_reference(self.model.loss) else "loss"
        return ("space", name) if name in self.space else ("model", "loss")

    def losses(self) -> frozenset[str]:
        """Every loss that a trial may have, `auto` included."""
        name = self.model.loss[1:] if is_reference(self.model.loss) else "loss"
        match self.space.get(name):
            case Fixed(value=value, when=when):
                values: tuple[object, ...] = (value,)
            case Choice(values=several, when=when):
                values = several
            case _:
                return frozenset({self.model.loss})
        return frozenset(map(str, values)) | ({"auto"} if when else frozenset())

    def resolve(self, params: Mapping[str, ParameterValue], *, default_loss: str) -> Hyperparameters:
        """The complete recipe of a trial; see `hpsearch.spec.resolution`."""
        if self.trainer is not None:
            return resolve_own(self.space, params, default_loss=default_loss)
        recipe = resolve(self.model, self.space, params, default_loss=default_loss)
        values = with_fixed(self.space, params)
        return replace(
            recipe, augment=self.data.augment.strengths(values), embedding=self.data.preprocess.widths(values)
        )

    def written(self) -> dict[str, Any]:
        """The study as plain values with all defaults written out, as its file would say it."""
        form: dict[str, Any] = _plain(self.model_dump())
        model = {key: value for key, value in form["model"].items() if value is not None}
        referred = {name for _, name, _ in self.model.references()}
        given = self.space.keys() - referred
        form["model"] = {key: value for key, value in model.items() if key not in given}
        if self.trainer is not None:
            del form["model"]
        if len(self.objectives) == 1:
            form = {("objective" if key == "objectives" else key): value for key, value in form.items()}
            form["objective"] = form["objective"][0]
        form["budget"]["in_flight"] = self.budget.in_flight or "auto"
        return form

    def to_yaml(self) -> str:
        """The study as a file with all defaults written out; `parse_study` reads it back as equal."""
        return dump(self.written())

    def canonical(self) -> dict[str, Any]:
        """All that decides the trial table, JSON-able: not the budget's size, not where trials are shown.

        The order of parameters is part of it, apart from the mapping, since JSON may be stored with its keys
        sorted.
        """
        form = self.written()
        for section, key in _UNDECIDING:
            if key is None:
                del form[section]
            else:
                del form[section][key]
        form["space_order"] = list(self.space)
        return form

    def changes(self, other_canonical: Mapping[str, Any]) -> list[str]:
        """What differs from a stored canonical form: lines `space.l2.max: 0.1 -> 0.01` (stored -> now)."""
        # imported here: the reader reads into this model
        from hpsearch.spec.reader import parse_study  # noqa: PLC0415

        smallest = parse_study("study: any\ndata: {source: sklearn/iris}")
        return differences(other_canonical, self.canonical(), smallest.canonical())
