"""One driver a study: a lock that the kernel frees when its holder dies, whatever kills it."""

import fcntl
import json
import os
import shlex
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from hpsearch.errors import StorageError, StudyBusyError

_TRIES: Final = 5
_PAUSE: Final = 0.02
_held: Final[set[int]] = set()


def _let_go() -> None:
    """A forked worker must not keep the lock of a driver that was killed."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go)


class StudyLock:
    """Held while a process runs a study: `with StudyLock(home.lock): ...`.

    The file stays when the lock is released; it says who holds, or last held, it. Its directory is made if
    needed.

    Raises (on entering):
        StudyBusyError: another process, or another lock of this process, holds it; the message says who and
        since when. StorageError: the file cannot be made or locked.
    """

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageError(f"{self._path}: cannot be made: {error.strerror}") from error
        try:
            _take(descriptor)
            _sign(descriptor)
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise StudyBusyError(
                f"the study is being run by {holder} ({self._path}); wait for it, or end it with "
                f"`{shlex.join(['hpsearch', 'stop', self._path.parent.name])}`"
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise StorageError(f"{self._path}: cannot be locked: {error.strerror}") from error
        _held.add(descriptor)
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor in _held:
            _held.discard(self._descriptor)
            os.close(self._descriptor)
        self._descriptor = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process that runs a study: its number, its machine, and since when."""

    pid: int
    host: str
    since: str


def holder_of(path: Path) -> Holder | None:
    """Who holds the lock of a study at this moment; None where nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _signature(descriptor) or Holder(pid=0, host="", since="")
    else:
        return None
    finally:
        os.close(descriptor)  # and with it a lock that was taken to look


def _take(descriptor: int) -> None:
    """Lock the file; someone who looks who holds it has it for a moment."""
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_PAUSE)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sign(descriptor: int) -> None:
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    name = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, name.encode(), 0)


def _holder(descriptor: int) -> str:
    """Who signed the file, in words; the holder may be about to sign it."""
    signed = _signature(descriptor)
    return f"process {signed.pid} on {signed.host} since {signed.since}" if signed else "another process"


def _signature(descriptor: int) -> Holder | None:
    try:
        signed = json.loads(os.pread(descriptor, 4096, 0))
        return Holder(pid=int(signed["pid"]), host=str(signed["host"]), since=str(signed["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
