"""A run of MLflow as a value, within MLflow's limits, before anything of MLflow has been imported."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from hpsearch.search.fact import ParameterValue

Status = Literal["RUNNING", "FINISHED", "KILLED", "FAILED"]

KEY_LIMIT: Final = 250
PARAM_LIMIT: Final = 6000
TAG_LIMIT: Final = 8000
_WIDTH: Final = 10
_FOREIGN: Final = re.compile(r"[^/\w.\- :]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One number of one metric; `value` is finite or NaN. `timestamp` is in milliseconds."""

    key: str
    value: float
    step: int
    timestamp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """All that MLflow shall hold of one run.

    `number` is the trial's number, None for the run of the study itself. `start` and `end` are in
    milliseconds. No two points share key and step.
    """

    number: int | None
    name: str
    status: Status
    start: int
    end: int | None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    points: Sequence[Point] = ()


def safe_key(key: str) -> str:
    """The key with what MLflow refuses replaced by `_`, at most 250 characters."""
    clean = _FOREIGN.sub("_", key).replace("..", "_").strip("/")
    while "//" in clean:
        clean = clean.replace("//", "/")
    return clean[:KEY_LIMIT] or "_"


def shortened(text: str, limit: int) -> str:
    """The text, its end replaced by an ellipsis where it is longer than MLflow takes."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def as_text(value: ParameterValue | Sequence[ParameterValue]) -> str:
    """A parameter's value as MLflow shows it: `0.001`, `true`, `none`, `[64, 64]`.

    Long fractions are rounded to five digits: MLflow's table cuts `2.1224925e-05` before the exponent. The
    facts and the metrics `hp/...` hold them in full.
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(as_text, value)) + "]"
    return f"{value:.5g}" if isinstance(value, float) and len(repr(value)) > _WIDTH else repr(value)


def text_params(params: Mapping[str, ParameterValue | list[int]]) -> dict[str, str]:
    """Parameters with keys and values that MLflow accepts."""
    return {safe_key(key): shortened(as_text(value), PARAM_LIMIT) for key, value in params.items()}


def text_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags with keys and values that MLflow accepts."""
    return {safe_key(key): shortened(value, TAG_LIMIT) for key, value in tags.items()}


def finite_or_nan(value: float) -> float:
    """The value, NaN where it is infinite: MLflow's databases would keep 1.8e308, which ruins every axis."""
    return value if math.isfinite(value) else math.nan


def infinite_places(points: Iterable[tuple[str, int, float]]) -> str:
    """Where infinities stood, as `key@step`, at most ten: what `finite_or_nan` hides is told in a tag."""
    places = [f"{key}@{step}" for key, step, value in points if math.isinf(value)]
    more = f", and {len(places) - 10} more" if len(places) > 10 else ""
    return ", ".join(places[:10]) + more
