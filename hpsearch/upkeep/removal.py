"""Deleting: a study with all that belongs to it, and what nothing needs any more."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from hpsearch.errors import HpsearchError, StorageError, TrackingError
from hpsearch.search.facts import FactStore, StudyLock
from hpsearch.search.lock import holder_of
from hpsearch.search.places import Database, place_of
from hpsearch.store import Store, StudyHome
from hpsearch.tracking.forgetting import forget

_OLD: Final = 3600.0
"""Seconds after which a half-written file is nobody's any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A study that is gone: how many trials and MLflow runs went with it, and what could not be deleted."""

    study: str
    trials: int
    runs: int
    problem: str | None

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return asdict(self)


def remove(store: Store, home: StudyHome) -> Removed:
    """Delete a study's trials, files and MLflow runs. An MLflow that is away does not hinder it.

    Raises:
        StudyBusyError: a process is running it.
        StorageError: it cannot be deleted.
    """
    with ExitStack() as held:
        held.enter_context(StudyLock(home.lock))
        place = place_of(home)
        trials = 0
        if FactStore.exists(place, study=home.key):
            trials = len(FactStore.open(place, study=home.key).facts())
        runs, problem = 0, None
        try:
            runs = forget(store, home)
        except TrackingError as error:
            problem = str(error)
        if isinstance(place, Database):
            FactStore.delete(place, study=home.key)
        _delete(home.path)
    return Removed(study=home.key, trials=trials, runs=runs, problem=problem)


def collect(store: Store, *, dry_run: bool) -> list[tuple[Path, int]]:
    """Delete what nothing needs, or say what it would be: paths with their sizes in bytes."""
    found = [(path, _size(path)) for path in _garbage(store)]
    if not dry_run:
        for path, _ in found:
            _delete(path)
    return found


def _garbage(store: Store) -> Iterator[Path]:
    homes = store.all_studies()
    busy = any(holder_of(home.lock) for home in homes)
    if store.cache.is_dir() and not busy:
        yield store.cache
    for home in homes:
        if holder_of(home.lock):
            continue
        if _is_empty(home):
            yield home.path
        else:
            yield from (path for path in home.path.glob(".*") if _is_old(path))
    if store.data.is_dir():
        told = "\n".join(
            home.study_file.read_text(encoding="utf-8") for home in homes if home.study_file.exists()
        )
        yield from (path for path in sorted(store.data.iterdir()) if path.name not in told and _is_old(path))
    names = {home.name for home in homes}
    if store.logs.is_dir():
        yield from (path for path in sorted(store.logs.glob("*.log")) if path.stem not in names)


def _is_empty(home: StudyHome) -> bool:
    """Whether a study has no trial, and nobody has begun one lately."""
    try:
        place = place_of(home)
        there = FactStore.exists(place, study=home.key)
        return not there and not home.result.exists() and _is_old(home.path)
    except HpsearchError:  # a database that is away may hold trials
        return False


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _OLD
    except OSError:
        return False


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(each.lstat().st_size for each in files if each.is_file())


def _delete(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{path}: cannot be deleted ({error.strerror})") from error
