"""The file under the facts: Optuna's journal with one writer, a torn end cut off, errors with line numbers.

Optuna's own backend appends behind whatever a killed process or a full disk left; every later open then fails
with a JSONDecodeError. It also guards writers from each other by a link that a killed process leaves behind,
which blocks for 30 seconds; here the study's lock sees to a single writer.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from sys import intern
from typing import Any, Final

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial

from hpsearch.errors import StorageError
from hpsearch.search.medium import Direction
from hpsearch.search.reader import is_begun


class JournalMedium:
    """Facts in a file of their own, one line a trial."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self._journal: Journal | None = None  # Optuna's makes its file at once
        self._storage: JournalStorage | None = None
        self._id = 0

    @property
    def label(self) -> str:
        """The file's path."""
        return str(self._path)

    def exists(self, study: str) -> bool:
        """Whether there is a file with something in it; it holds one study."""
        return is_begun(self._path, study=study)

    def create(self, study: str, *, directions: Sequence[Direction], attributes: Mapping[str, Any]) -> None:
        """A new file, made beside its place and moved there when it is whole."""
        path, draft = self._path, self._path.with_name(self._path.name + ".new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.unlink(missing_ok=True)
            new = optuna.create_study(
                study_name=study, storage=JournalStorage(Journal(draft)), directions=list(directions)
            )
            for key, value in attributes.items():
                new.set_user_attr(key, value)
            draft.replace(path)
            _sync_directory(path.parent)
        except OSError as error:
            raise StorageError(f"{path}: cannot be made: {error.strerror}") from error

    def open(self, study: str, *, writer: bool) -> tuple[JournalStorage, str | None]:
        """The file replayed; the writer cuts a torn last line off."""
        warning = repair(self._path) if writer else None
        self._journal = Journal(self._path)
        with self.guarded():
            self._storage = JournalStorage(self._journal)
            with suppress(KeyError):  # the fact store says which studies there are
                self._id = self._storage.get_study_id_from_name(study)
        return self._storage, warning

    def append(self, study: str, trial: FrozenTrial) -> FrozenTrial:
        """One line, on the disk when this returns."""
        del study
        storage = self._opened()
        return storage.get_trial(storage.create_new_trial(self._id, trial))

    def set_attribute(self, study: str, key: str, value: Any) -> None:
        """One line, on the disk when this returns."""
        del study
        self._opened().set_study_user_attr(self._id, key, value)

    def guarded(self) -> AbstractContextManager[None]:
        """Damage becomes an error that names file and line."""
        assert self._journal is not None  # noqa: S101 - the fact store opens it first
        return self._journal.damage_named()

    def close(self) -> None:
        """Nothing is held between two records."""

    def _opened(self) -> JournalStorage:
        assert self._storage is not None  # noqa: S101 - the fact store opens it first
        return self._storage


class Journal(JournalFileBackend):
    """Optuna's journal file for one writer and any number of readers.

    `line` is the number of the line that was last handed to Optuna (1 for the first). A record is on the disk
    when an append returns; one that fails leaves the file as it was.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), lock_obj=_NoLock(str(path)))
        self._path: Final = path
        self.line = 0

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """The whole records from a number on (0: the first line), not one that is still being written."""
        for line, record in enumerate(self._records(log_number_from), start=log_number_from + 1):
            self.line = line
            yield record

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append records, one line each.

        Raises:
            StorageError: the disk is full or failing; the file is as it was.
        """
        size = self._path.stat().st_size
        try:
            super().append_logs(logs)
        except OSError as error:
            remedy = _take_back(self._path, size)
            raise StorageError(f"{self._path}: cannot be written: {error.strerror}; {remedy}") from error

    @contextmanager
    def damage_named(self) -> Iterator[None]:
        """What the system or Optuna raises while records are read, as an error that names the place."""
        try:
            yield
        except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise garbage(
                self._path, self.line, f"is not a record that Optuna understands ({error!r})"
            ) from error
        except OSError as error:
            raise StorageError(f"{self._path}: cannot be read: {error.strerror}") from error

    def _records(self, start: int) -> Iterator[dict[str, Any]]:
        record = start
        try:
            for record, log in enumerate(super().read_logs(start), start=start + 1):  # noqa: B007
                yield _with_shared_keys(log)
        except ValueError as error:
            raise garbage(self._path, record + 1, "is not a record") from error


class _NoLock(JournalFileOpenLock):
    """The study's lock is held for the whole run."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None


def _with_shared_keys(node: Any) -> Any:
    """The same record, its keys the very strings that other records have: a fifth of what ten thousand take."""
    if isinstance(node, dict):
        return {intern(key): _with_shared_keys(value) for key, value in node.items()}
    if isinstance(node, list) and node and isinstance(node[0], dict):
        return [_with_shared_keys(item) for item in node]
    return node


def garbage(path: Path, line: int, what: str) -> StorageError:
    """The error for a journal that was damaged other than at its end."""
    return StorageError(
        f"{path}:{line}: {what}: the file was changed or damaged after it was written; restore it from a "
        f"backup, or keep the trials before this line with `head -n {line - 1}`, or begin anew with --fresh"
    )


def repair(path: Path) -> str | None:
    """Cut a torn last line off, as a killed writer or a full disk leaves it; a warning if there was one.

    Only for the writer that holds the study's lock. The bytes are kept beside the journal, in `<name>.torn`,
    if they can be.

    Raises:
        StorageError: the file cannot be read or written.
    """
    try:
        with path.open("r+b") as file:
            start, tail = _last_line(file.fileno())
            if not tail or _is_record(tail):
                return None
            torn = path.with_name(path.name + ".torn")
            kept = _keep(torn, tail)
            file.truncate(start)
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"{path}: cannot be repaired: {error.strerror}") from error
    where = f"kept in {torn}" if kept else "lost"
    return (
        f"{path}: a torn last record of {len(tail)} bytes was cut off ({where}); its trial is trained again"
    )


def _last_line(descriptor: int, block: int = 1 << 16) -> tuple[int, bytes]:
    """Where the last line starts, and its bytes with the line end, if it has one."""
    start = end = os.fstat(descriptor).st_size
    tail = b""
    while start > 0:
        size = min(block, start)
        start -= size
        tail = os.pread(descriptor, size, start) + tail
        cut = tail.rfind(b"\n", 0, len(tail) - 1)
        if cut >= 0:
            return end - (len(tail) - cut - 1), tail[cut + 1 :]
    return 0, tail


def _is_record(line: bytes) -> bool:
    if not line.endswith(b"\n"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _keep(torn: Path, tail: bytes) -> bool:
    try:
        with torn.open("ab") as file:
            file.write(tail.rstrip(b"\n") + b"\n")
    except OSError:
        return False
    return True


def _take_back(path: Path, size: int) -> str:
    try:
        os.truncate(path, size)
    except OSError:
        return "free some space and run the study again: the torn record is cut off then"
    return "free some space and run the study again: it goes on from here"


def _sync_directory(path: Path) -> None:
    """Make a renaming durable, where the file system lets a directory be synced."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
