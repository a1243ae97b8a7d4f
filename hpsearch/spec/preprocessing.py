"""How a table's columns become inputs: the section `data.preprocess` of the study file."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Self

from pydantic import Field, PlainSerializer, PlainValidator, ValidationError, model_validator

from hpsearch.spec.findings import Finding, error, findings_of, raise_all, show
from hpsearch.spec.hyperparameters import ParameterValue
from hpsearch.spec.references import REFERENCE, is_reference, wrong_value
from hpsearch.spec.rules import Form, Rule
from hpsearch.spec.section import Section

SCALINGS: Final = ("standardize", "min_max", "robust", "log", "sqrt", "power", "quantile", "none")
ENCODINGS: Final = ("one_hot", "ordinal", "hashing", "embedding")
DATES: Final = ("cyclic", "elapsed", "text")
FILLS: Final = ("median", "mean", "indicator")
TARGETS: Final = ("auto", *SCALINGS)

_NUMBER: Final = Rule(kind="number", minimum=-1e30, maximum=1e30)
_UNITS: Final = Rule(kind="integer", minimum=1, maximum=1000)
_COMPONENTS: Final = Rule(kind="integer", minimum=1, maximum=100_000)
_SHARE: Final = Rule(kind="number", above=0, below=1)
_MISSING: Final = Form(
    "`median`, `mean`, `indicator`, or a number", {"anyOf": [{"enum": list(FILLS)}, _NUMBER.schema()]}
)
_PCA: Final = Form(
    "an integer, at least 1; or a number, above 0, below 1; or null",
    {"anyOf": [_COMPONENTS.schema(), _SHARE.schema(), {"type": "null"}]},
)

_EMBEDDING: Final = Form(
    "`auto`, or an integer, at least 1, at most 1000, or `$name`",
    {"anyOf": [{"enum": ["auto"]}, _UNITS.schema(), REFERENCE]},
)


def _missing(value: Any) -> str | float:
    if isinstance(value, str) and value in FILLS:
        return value
    if _NUMBER.finding(value):
        raise error(f"must be one of {', '.join(FILLS)}, or a number that stands in, got {show(value)}")
    return float(value)


def _pca(value: Any) -> float | None:
    if value is None or _COMPONENTS.finding(value) is None:
        return value if value is None else int(value)
    if _SHARE.finding(value):
        rule = "must be a number of components, or the share of variance that they hold (above 0, below 1)"
        raise error(f"{rule}, got {show(value)}")
    return float(value)


def _embedding(value: Any) -> int | str:
    if value == "auto":
        return "auto"
    wrong = wrong_value(value, _UNITS)
    if wrong is not None:
        of_kind = is_reference(value) or (isinstance(value, int) and not isinstance(value, bool))
        rule = wrong.rule if of_kind else f"must be auto, or {_UNITS.plain}, got {show(value)}"
        raise error(rule, wrong.remedy)
    return value if is_reference(value) else int(value)


class ColumnSpec(Section):
    """What one column has of its own."""

    scale: Annotated[str | None, Rule(kind="choice", choices=SCALINGS, nullable=True)] = Field(
        default=None, description="for a column of numbers, or the days of one of dates: how it is scaled"
    )
    encode: Annotated[str | None, Rule(kind="choice", choices=ENCODINGS, nullable=True)] = Field(
        default=None, description="for a column of texts: how it becomes numbers"
    )
    embedding: Annotated[int | str | None, PlainValidator(_embedding), _EMBEDDING] = Field(
        default=None, description="for a column of texts: how many numbers each text's learned vector has"
    )
    missing: Annotated[str | float | None, PlainValidator(_missing), _MISSING] = Field(
        default=None, description="for a column of numbers or dates: what stands in for a missing one"
    )
    date: Annotated[str | None, Rule(kind="choice", choices=DATES, nullable=True)] = Field(
        default=None, description="for a column of dates: how they become numbers"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.embedding is not None and self.encode not in (None, "embedding"):
            rule = f"is for a column that is embedded, got encode: {self.encode}"
            raise_all([Finding(("embedding",), rule, "leave out one of the two")], "column")
        return self

    @property
    def is_encoded(self) -> bool:
        """Whether it says how texts become numbers."""
        return self.encode is not None or self.embedding is not None


def _columns(value: Any) -> dict[str, ColumnSpec]:
    if not isinstance(value, Mapping):
        raise error(
            f"must be a mapping of columns to their settings, got {show(value)}",
            "for example age: {scale: robust}",
        )
    read, found = {}, []
    for name, form in value.items():
        try:
            read[str(name)] = ColumnSpec.model_validate(form)
        except ValidationError as caught:
            found += [finding.below(str(name)) for finding, _, _ in findings_of(caught)]
    raise_all(found, "columns")
    return read


def _written(columns: Mapping[str, ColumnSpec]) -> dict[str, Any]:
    return {name: column.model_dump(exclude_none=True) for name, column in columns.items()}


_COLUMN_KEYS: Final = {
    "scale": {"enum": [*SCALINGS, None]},
    "encode": {"enum": [*ENCODINGS, None]},
    "embedding": _EMBEDDING.schema(),
    "missing": _MISSING.schema(),
    "date": {"enum": [*DATES, None]},
}
_COLUMNS: Final = Form(
    "columns, each with `scale`, `encode`, `embedding`, `missing` or `date`: `{age: {scale: robust}, "
    "city: {encode: ordinal}}`",
    {
        "type": "object",
        "additionalProperties": {"type": "object", "properties": _COLUMN_KEYS, "additionalProperties": False},
    },
)


class PreprocessSpec(Section):
    """How columns become network inputs; fitted on the training part alone."""

    numeric: Annotated[str, Rule(kind="choice", choices=SCALINGS)] = Field(
        default="standardize",
        description="how numeric columns are scaled: `robust` by median and quartiles; `log` (sign(x) ln(1 + |x|)), "
        "`sqrt` (sign(x) sqrt(|x|)) and `power` (Yeo-Johnson, fitted) are standardized after; `quantile` gives normal "
        "scores",
    )
    categorical: Annotated[str, Rule(kind="choice", choices=ENCODINGS)] = Field(
        default="one_hot",
        description="how text columns become numbers: `ordinal` is the text's place in the alphabet, from 0 to 1; "
        "`hashing` shares `hash_features` features among any number of texts; `embedding` gives each text a vector "
        "that the network learns",
    )
    embedding: Annotated[int | str, PlainValidator(_embedding), _EMBEDDING] = Field(
        default="auto",
        description="how many numbers the vector of a text has, in columns that are embedded; `auto`: 1.6 n^0.56 of n "
        "texts, at most 50 (fast.ai's rule)",
    )
    dates: Annotated[str, Rule(kind="choice", choices=DATES)] = Field(
        default="cyclic",
        description="how columns of dates and times (ISO 8601, or typed so) become numbers: `elapsed`: the days since "
        "the training part's first, scaled as `numeric`; `cyclic`: besides, a sine and a cosine of the year, the week "
        "and the day, where training dates differ in them and are spread over one or more; `text`: as texts",
    )
    missing: Annotated[str | float, PlainValidator(_missing), _MISSING] = Field(
        default="median",
        description="what stands in for missing numbers; `indicator`: the median, and a feature that says so",
    )
    hash_features: Annotated[int, Rule(kind="integer", minimum=1, maximum=4096)] = Field(
        default=32, description="the number of features of each column that is hashed"
    )
    columns: Annotated[
        Mapping[str, ColumnSpec], PlainValidator(_columns), PlainSerializer(_written), _COLUMNS
    ] = Field(default_factory=dict, description="settings of single columns, by name")
    pca: Annotated[float | None, PlainValidator(_pca), _PCA] = Field(
        default=None,
        description="principal components in place of all features: so many, or the fewest that hold this share of "
        "the variance",
    )
    target: Annotated[str, Rule(kind="choice", choices=TARGETS)] = Field(
        default="auto",
        description="how regression targets are scaled in training, in the ways of `numeric`; `auto`: standardize, and "
        "for windows over one series as `data.window.scale`; scores and predictions are in their own units",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.pca is not None and self.embeds:
            rule = "makes components of numbers, and columns that are embedded are none"
            raise_all([Finding(("pca",), rule, "leave out one of the two")], "preprocess")
        return self

    def scale_of(self, name: str) -> str:
        """How a column of numbers is scaled."""
        column = self.columns.get(name)
        return self.numeric if column is None or column.scale is None else column.scale

    def missing_of(self, name: str) -> str | float:
        """What stands in for a missing number of a column."""
        column = self.columns.get(name)
        return self.missing if column is None or column.missing is None else column.missing

    def date_of(self, name: str) -> str:
        """How a column of dates becomes numbers; one that is encoded counts as texts."""
        column = self.columns.get(name)
        if column is None or (column.date is None and not column.is_encoded):
            return self.dates
        return column.date or "text"

    def encode_of(self, name: str) -> str:
        """How a column of texts becomes numbers."""
        column = self.columns.get(name)
        if column is None or not column.is_encoded:
            return self.categorical
        return column.encode or "embedding"

    @property
    def embeds(self) -> bool:
        """Whether columns of texts may be embedded."""
        return "embedding" in (self.categorical, *map(self.encode_of, self.columns))

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, Rule]]:
        """Every `$name` as (path in the section, parameter's name, rule of its values)."""
        for path, units in self._units():
            if is_reference(units):
                yield path, str(units)[1:], _UNITS

    def widths(self, values: Mapping[str, ParameterValue]) -> tuple[tuple[str | None, int], ...]:
        """How many numbers a trial's vectors have, by column, and under None those of all others; without `auto`."""
        found = []
        for path, units in self._units():
            value = values.get(str(units)[1:], "auto") if is_reference(units) else units
            if value is not None and value != "auto":
                found.append((str(path[1]) if len(path) > 1 else None, int(value)))
        return tuple(found)

    def _units(self) -> Iterator[tuple[tuple[str | int, ...], int | str]]:
        """Where vectors are given a size, and which."""
        yield ("embedding",), self.embedding
        for name, column in self.columns.items():
            if column.embedding is not None:
                yield ("columns", name, "embedding"), column.embedding
