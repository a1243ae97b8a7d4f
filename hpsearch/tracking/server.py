"""The MLflow UI of a store, on this machine only, for as long as someone looks at it."""

import fcntl
import os
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hpsearch.errors import InputError, Problem, TrackingError
from hpsearch.store import Store, StudyHome
from hpsearch.tracking.embedded import open_database
from hpsearch.tracking.environment import quieten_server
from hpsearch.tracking.identity import load_identity
from hpsearch.tracking.place import embedded_uri
from hpsearch.tracking.processes import ended, serving, taken
from hpsearch.tracking.relocation import relocate
from hpsearch.tracking.view import study_link

if TYPE_CHECKING:
    import subprocess

DEFAULT_PORT: Final = 5000
_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class UiServer:
    """A running MLflow UI. `avoided` is the usual port, where it was taken and another had to be found."""

    store: Store
    port: int
    avoided: int | None = None
    process: "subprocess.Popen[bytes]" = field(repr=False)

    @property
    def url(self) -> str:
        """Its front page: all experiments."""
        return f"http://{_HOST}:{self.port}/"

    def link(self, home: StudyHome) -> str | None:
        """The page that compares a study's trials; None when the study is not in this database."""
        identity = load_identity(home)
        if identity is None or identity.uri is not None:
            return None
        experiment = experiment_id(self.store, identity.experiment or home.key)
        return None if experiment is None else study_link(self.port, experiment, identity)

    def elsewhere(self, home: StudyHome) -> str | None:
        """The tracking server or database that has a study in place of this one, if one does."""
        identity = load_identity(home)
        return None if identity is None else identity.uri

    def wait(self) -> None:
        """Block until the server ends.

        Raises:
            TrackingError: it ended by itself.
        """
        raise ended(self.process, _log(self.store))


@contextmanager
def ui_server(store: Store, port: int | None = None) -> Iterator[UiServer]:
    """Serve the MLflow UI of a store while the context lasts; leaving, also by SIGTERM, ends all of it.

    Without `port` it is 5000, or a free one where that is taken.

    Raises:
        InputError: the port asked for is in use.
        TrackingError: the server does not start.
    """
    with _claimed(port or DEFAULT_PORT) as ours:
        chosen, avoided = _choose_port(port, ours=ours)
        ensure_database(store)
        environment = dict(os.environ)
        quieten_server(environment)
        with serving(
            _command(store, chosen), environment, host=_HOST, port=chosen, log=_log(store)
        ) as process:
            yield UiServer(store=store, port=chosen, avoided=avoided, process=process)


def experiment_id(store: Store, name: str) -> str | None:
    """The id of an experiment in the embedded database, read without MLflow; None where there is none."""
    try:
        with closing(sqlite3.connect(f"{store.database.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute(
                "SELECT experiment_id FROM experiments WHERE name = ? AND lifecycle_stage = 'active'", (name,)
            ).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])


@contextmanager
def _claimed(port: int) -> Iterator[bool]:
    """Whether the port is for us: another `ui` of this user that is starting does not answer on it for seconds."""
    name = Path(tempfile.gettempdir(), f"hpsearch-{os.getuid()}-port-{port}.lock")
    with ExitStack() as held:
        try:
            descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            held.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass  # nowhere to write it: the port itself is all that can be asked
        yield True


def _choose_port(port: int | None, *, ours: bool = True) -> tuple[int, int | None]:
    if port is not None:
        if not 0 < port < 65536:
            raise InputError(Problem(place="--port", rule=f"must be from 1 to 65535, got {port}"))
        if not ours or taken(_HOST, port):
            raise InputError(
                Problem(
                    place="--port",
                    rule=f"{port} is in use on {_HOST}",
                    remedy="name another one, or leave it out and a free one is found",
                )
            )
        return port, None
    if ours and not taken(_HOST, DEFAULT_PORT):
        return DEFAULT_PORT, None
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1]), DEFAULT_PORT


def ensure_database(store: Store) -> None:
    """Made here, under our lock: the server's workers would make it all at once, which fails.

    That of a store that was moved is told where its files are.

    Raises:
        TrackingError: it cannot be written.
    """
    if store.database.exists():
        try:
            relocate(store.database, store.artifacts)
        except sqlite3.Error as error:
            raise TrackingError(f"{store.database}: cannot be written ({error})") from error
    else:
        from hpsearch.tracking.environment import quieten  # noqa: PLC0415

        quieten(os.environ)
        open_database(store)


def _log(store: Store) -> Path:
    return store.root / "ui.log"


def _command(store: Store, port: int) -> list[str]:
    return [
        *(sys.executable, "-P", "-m", "mlflow", "server"),
        *("--backend-store-uri", embedded_uri(store)),
        *("--artifacts-destination", str(store.artifacts)),
        *("--host", _HOST, "--port", str(port), "--workers", "1"),
        # the default list has patterns like `10.*`, which match names that an attacker may choose
        *("--allowed-hosts", f"{_HOST}:{port},localhost:{port}"),
    ]
