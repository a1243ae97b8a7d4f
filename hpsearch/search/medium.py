"""What facts are kept in: the seam between the fact store and a journal file or a database."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

Direction = Literal["minimize", "maximize"]


class Medium(Protocol):
    """One place that holds studies. A medium is opened once; whoever opened it as its writer is alone."""

    @property
    def label(self) -> str:
        """The place in messages; it holds no secret."""
        ...

    def exists(self, study: str) -> bool:
        """Whether the place holds the study.

        Raises:
            StorageError: it cannot be asked.
        """
        ...

    def create(self, study: str, *, directions: Sequence[Direction], attributes: Mapping[str, Any]) -> None:
        """A new study with all its attributes, or nothing.

        Raises:
            StorageError: it cannot be written. StudyBusyError: another process is running the study.
        """
        ...

    def open(self, study: str, *, writer: bool) -> tuple[BaseStorage, str | None]:
        """Optuna's view of the place, and a warning where something had to be repaired.

        Raises:
            StorageError: it cannot be read. StudyBusyError: it is asked for as the writer, and another process is.
        """
        ...

    def append(self, study: str, trial: FrozenTrial) -> FrozenTrial:
        """The next trial, whole and durable when this returns, or not at all; as it reads back."""
        ...

    def set_attribute(self, study: str, key: str, value: Any) -> None:
        """A JSON value of the study, durable when this returns."""
        ...

    def guarded(self) -> AbstractContextManager[None]:
        """Around reading: what the system, Optuna or a database raises becomes a StorageError."""
        ...

    def close(self) -> None:
        """Let go of the place; it can be called again."""
        ...
