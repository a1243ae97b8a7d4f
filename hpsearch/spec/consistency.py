"""What no section can know alone: whether model, space, sampler, objectives and task fit one another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hpsearch.spec.conduct import Pruning, Sampler
from hpsearch.spec.dataset import DataSpec
from hpsearch.spec.findings import Finding, KeyPath, show, suggestion
from hpsearch.spec.metrics import MetricSpec, misfits_of_metrics
from hpsearch.spec.model import WEIGHTS, ModelSpec, Objective, fits_task, unknown_metric
from hpsearch.spec.parameters import Choice, Fixed, Parameter, Range, value_findings
from hpsearch.spec.registry import REGISTRY
from hpsearch.spec.samplers import METHODS
from hpsearch.spec.trainers import misfits_of_trainer

_CMAES_VARIANTS = ("use_separable_cma", "with_margin", "lr_adapt")
_WRITTEN_EITHER_WAY = ("hidden", "kind", "depth", "width", "activation", "initializer", "loss")


_DENSE = {"kind": "dense"}
"""What may stand beside `hidden` and `layers`, and says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The sections of a study as far as each is right by itself; None or absent where one is not.

    `broken` names the parameters of the space that could not be read, `mentioned` those that stand behind a
    `$` in what could not be read of the model: nothing is concluded from them. `given` are the sections that the study
    has, rather than their defaults.
    """

    data: DataSpec | None = None
    model: ModelSpec = field(default_factory=ModelSpec)
    space: Mapping[str, Parameter] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    objectives: tuple[Objective, ...] = ()
    pruning: Pruning | None = None
    sampler: Sampler | None = None
    trainer: str | None = None
    given: frozenset[str] = frozenset()
    metrics: Mapping[str, MetricSpec | None] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All names that the space has, readable or not."""
        return (*self.space, *sorted(self.broken))

    def referred(self) -> frozenset[str]:
        """The names that the model refers to with `$`."""
        of_data = self.data.references() if self.data is not None else ()
        return (
            self.mentioned
            | {name for _, name, _ in self.model.references()}
            | {name for _, name, _ in of_data}
        )

    def set_by_space(self, key: str) -> bool:
        """Whether the space gives a key of the model directly, rather than by a `$name`."""
        return key in self.names and key not in self.referred()


def inconsistencies(parts: Parts) -> Iterator[Finding]:
    """All that does not fit together."""
    if parts.trainer is None:
        yield from _references(parts, parts.model)
        yield from _references_of_data(parts)
        yield from _unknown_names(parts)
        yield from _twice(parts, parts.model)
    else:
        yield from misfits_of_trainer(parts.given, parts.data, parts.objectives)
    for name, parameter in parts.space.items():
        for other, allowed in parameter.when.items():
            yield from _condition(parts, ("space", name, "when", other), other, allowed)
    yield from _cycles(parts.space)
    yield from _sampler(parts)
    yield from _objectives(parts)
    yield from misfits_of_metrics(parts.metrics, parts.objectives, trainer=parts.trainer is not None)
    yield from _task(parts)


def _references(parts: Parts, model: ModelSpec) -> Iterator[Finding]:
    """Every `$name` is in the space, and its values are what its place needs."""
    for path, name, rule in model.references():
        if name in parts.space:
            for found in value_findings(parts.space[name], rule):
                if name not in REGISTRY or REGISTRY[name].rule is not rule:
                    where = ".".join(map(str, path))
                    yield Finding(
                        ("space", name, *found.path),
                        found.rule,
                        found.remedy or f"model.{where} takes its values",
                    )
        elif name not in parts.broken:
            remedy = suggestion(name, parts.names, otherwise=f"write its values under space.{name}")
            yield Finding(("model", *path), f"${name} refers to a parameter that the space lacks", remedy)


def _references_of_data(parts: Parts) -> Iterator[Finding]:
    """Every `$name` of a strength or a width is in the space, and its values are what its place needs."""
    for path, name, rule in parts.data.references() if parts.data is not None else ():
        where = ("data", *path)
        if name in parts.space:
            for found in value_findings(parts.space[name], rule):
                remedy = found.remedy or f"{'.'.join(map(str, where))} takes its values"
                yield Finding(("space", name, *found.path), found.rule, remedy)
        elif name not in parts.broken:
            remedy = suggestion(name, parts.names, otherwise=f"write its values under space.{name}")
            yield Finding(where, f"${name} refers to a parameter that the space lacks", remedy)


def _unknown_names(parts: Parts) -> Iterator[Finding]:
    referred = parts.referred()
    for name in parts.names:
        if name not in REGISTRY and name not in referred:
            other = f"a name of your own needs a ${name} in model, data.augment or data.preprocess"
            yield Finding(
                ("space", name), "unknown parameter", suggestion(name, list(REGISTRY), otherwise=other)
            )


def _twice(parts: Parts, model: ModelSpec) -> Iterator[Finding]:
    """A value is given by the model or by the space, and layers by `hidden` or by `depth` and `width`."""
    given = {
        key
        for key in _WRITTEN_EITHER_WAY
        if getattr(model, key) not in (None, _DENSE.get(key)) and key in model.model_fields_set
    }
    searched = {key for key in _WRITTEN_EITHER_WAY if parts.set_by_space(key)}
    for key in _WRITTEN_EITHER_WAY:
        if key in given and key in searched:
            remedy = (
                f"leave one out, or write `{key}: ${key}` in model" if key != "hidden" else "leave one out"
            )
            yield Finding(("model", key), f"is given here and in space.{key}", remedy)
    if model.layers is not None:
        for key in ("hidden", "kind", "depth", "width"):
            if key in given | searched:
                place = ("model", key) if key in given else ("space", key)
                yield Finding(
                    place, "cannot go with layers, which list the whole network", "leave out one of the two"
                )
        return
    if "hidden" in given | searched:
        for key in ("kind", "depth", "width"):
            if key in given | searched:
                place = ("model", key) if key in given else ("space", key)
                yield Finding(
                    place, "cannot go with hidden, which lists every layer", "leave out one of the two"
                )


def _condition(parts: Parts, path: KeyPath, other: str, allowed: tuple[object, ...]) -> Iterator[Finding]:
    if other in parts.broken:
        return
    if other not in parts.space:
        remedy = suggestion(other, parts.names, otherwise=f"the space has {', '.join(parts.names)}")
        yield Finding(path, "no parameter of the space has this name", remedy)
        return
    for value in allowed:
        if not _possible(parts.space[other], value):
            yield Finding(
                path, f"{other} is never {show(value)}", f"space.{other} is {_values(parts.space[other])}"
            )


def _possible(parameter: Parameter, value: object) -> bool:
    match parameter:
        case Fixed():
            return _same(parameter.value, value)
        case Choice():
            return any(_same(own, value) for own in parameter.values)
        case Range():
            number = isinstance(value, int if parameter.integer else int | float) and not isinstance(
                value, bool
            )
            return number and parameter.min <= value <= parameter.max  # type: ignore[operator]


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) is isinstance(other, bool)


def _values(parameter: Parameter) -> str:
    match parameter:
        case Fixed():
            return show(parameter.value)
        case Choice():
            return f"one of {', '.join(map(show, parameter.values))}"
        case Range():
            return f"from {show(parameter.min)} to {show(parameter.max)}"


def _cycles(space: Mapping[str, Parameter]) -> Iterator[Finding]:
    """Parameters whose conditions lead back to themselves, each circle once."""
    reported: set[str] = set()
    for start in space:
        path = _way_back(space, start)
        if path and not reported & set(path):
            reported |= set(path)
            yield Finding(
                ("space", start, "when"),
                f"depends on itself: {' -> '.join([*path, start])}",
                "break the circle",
            )


def _way_back(space: Mapping[str, Parameter], start: str) -> list[str]:
    """The names from `start` along conditions until it comes again, or nothing."""
    stack, seen = [[start]], set()
    while stack:
        path = stack.pop()
        for other in space[path[-1]].when if path[-1] in space else ():
            if other == start:
                return path
            if other not in seen:
                seen.add(other)
                stack.append([*path, other])
    return []


def _sampler(parts: Parts) -> Iterator[Finding]:
    if parts.sampler is None:
        return
    name = parts.sampler.name
    if len(parts.objectives) > 1 and not METHODS[name].several:
        yield Finding(
            ("sampler", "name"),
            f"{name} serves one objective, got {len(parts.objectives)}",
            "use tpe or nsga2",
        )
    searched = {key: parameter for key, parameter in parts.space.items() if not isinstance(parameter, Fixed)}
    endless = [
        key for key, p in searched.items() if isinstance(p, Range) and p.step is None and not p.integer
    ]
    if name == "grid" and endless and "points" not in parts.sampler.options:
        rule = f"a grid cannot list ranges without a step: {', '.join(endless)}"
        remedy = "give each a step, list its values, or say how many of each: {name: grid, points: 5}"
        yield Finding(("sampler", "name"), rule, remedy)
    if name == "cmaes":
        yield from _cmaes(parts.sampler)
    if name == "cmaes" and not parts.broken and not any(isinstance(p, Range) for p in searched.values()):
        yield Finding(
            ("sampler", "name"), "cmaes needs a range of numbers in the space", "add one, or use tpe"
        )


def _cmaes(sampler: Sampler) -> Iterator[Finding]:
    """Optuna takes at most one of these variants."""
    chosen = [key for key in _CMAES_VARIANTS if sampler.options.get(key)]
    if len(chosen) > 1:
        yield Finding(
            ("sampler",), f"cmaes takes one of {', '.join(chosen)}, got {len(chosen)}", "leave out the others"
        )


def _objectives(parts: Parts) -> Iterator[Finding]:
    for index, objective in enumerate(parts.objectives):
        is_own = parts.trainer is not None or objective.metric.partition("_")[2] in parts.metrics
        if not is_own and (unknown := unknown_metric(objective.metric, parts.metrics)):
            yield unknown.below("objectives", index, "metric")
        if objective.metric == WEIGHTS and index == 0:
            remedy = (
                "name another metric first"
                if len(parts.objectives) > 1
                else "use `objectives` with another metric first"
            )
            rule = "weights cannot come first: trials are followed by the first objective, epoch by epoch"
            yield Finding(("objectives", index, "metric"), rule, remedy)
        if any(objective.metric == other.metric for other in parts.objectives[:index]):
            yield Finding(
                ("objectives", index, "metric"), f"{objective.metric} is an objective twice", "leave one out"
            )
    if len(parts.objectives) > 1 and parts.pruning is not None and parts.pruning.rule != "none":
        yield Finding(
            ("pruning", "rule"),
            f"must be none with several objectives, got {parts.pruning.rule}",
            "leave pruning out",
        )


def _task(parts: Parts) -> Iterator[Finding]:
    """Losses and metrics against a declared task; an inferred one is known when the data is there."""
    if parts.data is None or parts.data.task == "auto" or parts.trainer is not None:
        return
    task = parts.data.task
    if not fits_task(parts.model.loss, task):
        yield Finding(
            ("model", "loss"), f"{parts.model.loss} is no loss for {task}", "leave it out, or write auto"
        )
    loss = parts.space.get("loss")
    for index, value in enumerate(loss.values if isinstance(loss, Choice) else ()):
        if not fits_task(str(value), task):
            yield Finding(("space", "loss", "values", index), f"{value} is no loss for {task}")
    for index, objective in enumerate(parts.objectives):
        if not fits_task(objective.metric.partition("_")[2], task):
            yield Finding(("objectives", index, "metric"), f"{objective.metric} is no metric for {task}")
