"""What this package reads of a study file's data section, by name (`hpsearch.spec.DataSpec` fits)."""

from typing import Protocol


class SplitSettings(Protocol):
    """`data.split`: fractions of the whole table; `stratify` None means "when the task is classification"."""

    @property
    def validation(self) -> float: ...  # noqa: D102
    @property
    def test(self) -> float: ...  # noqa: D102
    @property
    def stratify(self) -> bool | None: ...  # noqa: D102


class PreprocessSettings(Protocol):
    """`data.preprocess`."""

    @property
    def numeric(self) -> str: ...  # noqa: D102
    @property
    def missing(self) -> str: ...  # noqa: D102
    @property
    def target(self) -> str: ...  # noqa: D102


class DataSettings(Protocol):
    """`data` as a whole."""

    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def target(self) -> str | tuple[str, ...] | None: ...  # noqa: D102
    @property
    def task(self) -> str: ...  # noqa: D102
    @property
    def drop(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def split(self) -> SplitSettings: ...  # noqa: D102
    @property
    def preprocess(self) -> PreprocessSettings: ...  # noqa: D102
