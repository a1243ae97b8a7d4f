"""The driver's side of the background writer: start it, and at the end wait for it, bounded."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from hpsearch.errors import TrackingError
from hpsearch.store import Store, StudyHome
from hpsearch.tracking.card import StudyCard, card_of
from hpsearch.tracking.environment import quieten
from hpsearch.tracking.identity import Identity, establish_identity
from hpsearch.tracking.place import own_place
from hpsearch.tracking.projector import SyncReport

if TYPE_CHECKING:
    from hpsearch.spec import StudySpec

# The child gets its parent's search path: the same hpsearch, but never the user's main module.
_BOOT: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from hpsearch.tracking.writer import main; main()"
)
_PATIENCE: Final = 60.0
_ABANDONED: "list[subprocess.Popen[str]]" = []  # held until they ended: Python warns of one that nobody holds


class Tracker:
    """A study being projected by a background process.

    The process reads the facts from the store; the driver hands it nothing. When it dies, whatever it had not
    written is written by the next one, or by `hpsearch sync`.
    """

    def __init__(
        self, store: Store, home: StudyHome, identity: Identity, card: StudyCard | None = None
    ) -> None:
        self._store, self._home, self._identity, self._card = store, home, identity, card
        self._writer = self._spawn()

    @classmethod
    def start(
        cls,
        store: Store,
        home: StudyHome,
        *,
        uri: str | None = None,
        experiment: str | None = None,
        spec: "StudySpec | None" = None,
    ) -> "Tracker":
        """Begin to project the study in `home`; returns at once.

        `uri` None is the embedded database. `spec` is what the study's file says, where that has been read.
        """
        identity = establish_identity(home, uri=own_place(store, uri), experiment=experiment)
        return cls(store, home, identity, card_of(spec, home, identity) if spec else None)

    def finish(self, timeout: float = _PATIENCE) -> SyncReport:
        """Wait until MLflow equals the facts, at most so many seconds.

        Raises:
            TrackingError: it does not, with the remedy; the facts are not affected.
        """
        deadline = time.monotonic() + timeout
        answer = self._ask(deadline)
        if (
            answer is None and time.monotonic() < deadline
        ):  # it was killed: a new one starts where it left off
            self._writer = self._spawn()
            answer = self._ask(deadline)
        if answer is None:
            raise TrackingError(
                f"MLflow was not written to the end within {timeout:g} s; the trials are safe in "
                f"{self._home.path}; "
                f"run `hpsearch sync {self._home.key}` to write the rest (details: {self._log})"
            )
        if "error" in answer:
            raise TrackingError(str(answer["error"]))
        return SyncReport(**answer)

    def abandon(self) -> None:
        """Leave the process to itself: it projects what is stored and ends."""
        if self._writer is None:
            return
        for stream in (self._writer.stdin, self._writer.stdout):
            with suppress(OSError):
                _stream(stream).close()
        _ABANDONED[:] = [process for process in (*_ABANDONED, self._writer) if process.poll() is None]

    @property
    def pid(self) -> int | None:
        """The background process, None where none could be started."""
        return self._writer.pid if self._writer else None

    @property
    def _log(self) -> Path:
        return self._home.path / "tracking.log"

    def _spawn(self) -> "subprocess.Popen[str] | None":
        environment = dict(os.environ)
        quieten(environment)
        try:
            with self._log.open("a", encoding="utf-8") as log:
                writer = subprocess.Popen(  # noqa: S603 - this very interpreter
                    [sys.executable, "-P", "-c", _BOOT, json.dumps(sys.path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=environment,
                    text=True,
                    start_new_session=True,  # Ctrl-C and a closing terminal are the driver's business
                )
            self._order(writer)
        except OSError:
            return None
        return writer

    def _order(self, writer: "subprocess.Popen[str]") -> None:
        home = self._home
        order = {
            "store": str(self._store.root),
            "home": str(home.path),
            "name": home.name,
            "generation": home.generation,
            "identity": asdict(self._identity),
            "card": self._card.to_json() if self._card else None,
        }
        _stream(writer.stdin).write(json.dumps(order) + "\n")
        _stream(writer.stdin).flush()

    def _ask(self, deadline: float) -> dict[str, Any] | None:
        """The writer's last word; None when it has none by the deadline."""
        if self._writer is None:
            return None
        try:
            output, _ = self._writer.communicate("finish\n", timeout=max(deadline - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            self._writer.kill()
            self._writer.communicate()
            return None
        except OSError:
            return None
        lines = output.strip().splitlines()
        try:
            return dict(json.loads(lines[-1])) if lines else None
        except ValueError:
            return None


def _stream(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise OSError("the writer has no input")
    return stream
