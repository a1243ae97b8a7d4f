"""Whether the networks of a study can be built on its data, and what they look like: known before any training."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from hpsearch.data import PreparedData
from hpsearch.engine import Inputs, inputs_of
from hpsearch.engine.table import ListedLayerError, Row, check_network, table
from hpsearch.errors import Problem
from hpsearch.spec import Choice, Fixed, Parameter, ParameterValue, Range, StudySpec, is_active
from hpsearch.spec.findings import KeyPath
from hpsearch.spec.layer_table import LAYERS
from hpsearch.spec.layers import LayerSettings
from hpsearch.spec.references import is_reference

MOST_VALUES: Final = 9
"""Values of a range that are tried: both ends, and others evenly between."""

MOST_COMBINATIONS: Final = 3000
"""Combinations that are tried at most; of more, so many that are drawn at random."""

_WHOLE: Final = ("hidden", "kind", "depth", "width")


def unbuildable(spec: StudySpec, data: PreparedData) -> list[Problem]:
    """A problem for each listed layer that cannot be built in some combination that trials may have, with the first.

    Only what decides shapes is varied; every other parameter stays out of it.
    """
    inputs, loss = inputs_of_data(data), data.task.default_loss()
    problems: dict[int | None, Problem] = {}
    for params in combinations(spec):
        h = spec.resolve(params, default_loss=loss)
        try:
            check_network(h, inputs, data.task.outputs(h.loss))
        except ListedLayerError as error:
            if error.position not in problems:
                problems[error.position] = _problem(spec, error, params, h.layers)
    return list(problems.values())


def example_network(spec: StudySpec, data: PreparedData) -> tuple[dict[str, ParameterValue], list[Row]]:
    """The first combination of what decides shapes, and its network as a table."""
    params = next(combinations(spec))
    h = spec.resolve(params, default_loss=data.task.default_loss())
    return params, table(h, inputs_of_data(data), data.task.outputs(h.loss))


def smallest_and_largest(
    spec: StudySpec, data: PreparedData
) -> list[tuple[dict[str, ParameterValue], list[Row]]]:
    """The networks that learn fewest and most numbers, each with what decides its shape; one where all are alike."""
    inputs, loss = inputs_of_data(data), data.task.default_loss()
    sizes: dict[int, tuple[dict[str, ParameterValue], list[Row]]] = {}
    for params in combinations(spec):
        h = spec.resolve(params, default_loss=loss)
        rows = table(h, inputs, data.task.outputs(h.loss))
        sizes.setdefault(sum(row.parameters for row in rows), (params, rows))
    return [sizes[size] for size in dict.fromkeys((min(sizes), max(sizes)))]


def inputs_of_data(data: PreparedData) -> Inputs:
    """What comes into the networks of a study."""
    training = data.training
    return inputs_of(training.train, training.tokens, training.embedded)


def combinations(spec: StudySpec) -> Iterator[dict[str, ParameterValue]]:
    """Values of all parameters that decide the shapes of a study's networks, as trials may have them together."""
    names = list(_shaping(spec))
    choices = [_values(spec.space[name]) for name in names]
    count = int(np.prod([len(values) for values in choices], dtype=float))
    if count <= MOST_COMBINATIONS:
        drawn: Iterator[Sequence[ParameterValue]] = itertools.product(*choices)
    else:
        rng = np.random.default_rng(0)
        drawn = ([values[rng.integers(len(values))] for values in choices] for _ in range(MOST_COMBINATIONS))
    seen = set()
    for values in drawn:
        params = _active(dict(zip(names, values, strict=True)), spec.space)
        key = tuple(params.items())
        if key not in seen:
            seen.add(key)
            yield params


def _shaping(spec: StudySpec) -> Iterator[str]:
    """Names of parameters that decide shapes, and of those that decide whether they are there."""
    wanted = set(_WHOLE) | set(_shapes_in(spec.model.layers or ()))
    wanted |= {name for _, name, _ in spec.data.preprocess.references()}
    written = [getattr(spec.model, key) for key in _WHOLE]
    wanted |= set(map(_name, filter(is_reference, written)))
    if isinstance(spec.model.hidden, tuple):
        wanted |= set(map(_name, filter(is_reference, spec.model.hidden)))
    while more := {name for key in wanted & spec.space.keys() for name in spec.space[key].when} - wanted:
        wanted |= more
    yield from (name for name in spec.space if name in wanted)


def _shapes_in(layers: Sequence[LayerSettings]) -> Iterator[str]:
    for layer in layers:
        for name, value in layer.settings:
            if not LAYERS[layer.kind].settings[name].of_model:
                several = value if isinstance(value, tuple) else (value,)
                yield from map(_name, filter(is_reference, several))
        yield from _shapes_in(layer.layers)


def _name(reference: object) -> str:
    return str(reference)[1:]


def _values(parameter: Parameter) -> list[ParameterValue]:
    match parameter:
        case Fixed(value=value):
            return [value]
        case Choice(values=values):
            return list(values)
        case Range(min=low, max=high, step=step, integer=integer):
            if not integer:
                return [low, high]
            every = range(int(low), int(high) + 1, int(step or 1))
            some = np.linspace(0, len(every) - 1, min(len(every), MOST_VALUES)).round().astype(int)
            return [every[place] for place in some.tolist()]


def _active(params: dict[str, ParameterValue], space: Mapping[str, Parameter]) -> dict[str, ParameterValue]:
    """Those whose conditions hold."""
    while True:
        there = {name: value for name, value in params.items() if is_active(space[name], params)}
        if there == params:
            return params
        params = there


def _problem(
    spec: StudySpec,
    error: ListedLayerError,
    params: Mapping[str, ParameterValue],
    layers: Sequence[LayerSettings] | None,
) -> Problem:
    searched = {name: value for name, value in params.items() if not isinstance(spec.space[name], Fixed)}
    with_values = ", ".join(f"{name}: {value}" for name, value in searched.items())
    rule = f"{error.rule}{f' (with {with_values})' if with_values else ''}"
    return spec.problem(_place(spec, error.position, layers), rule, error.remedy)


def _place(spec: StudySpec, position: int | None, layers: Sequence[LayerSettings] | None) -> KeyPath:
    """Where the study file says what cannot be built."""
    if spec.model.layers is None or layers is None or position is None:
        return ("space", "kind") if "kind" in spec.space else ("model",)
    written = list(layers[: position + 1])
    if len(layers) > len(spec.model.layers):  # with dropout that the recipe puts in between
        written = [layer for layer in written if layer.kind != "dropout"]
    place = min(max(len(written) - 1, 0), len(spec.model.layers) - 1)
    return (
        ("model", "layers", place, spec.model.layers[place].kind)
        if spec.model.layers
        else ("model", "layers")
    )
