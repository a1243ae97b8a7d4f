"""The MLflow UI of a store, on this machine only, for as long as someone looks at it."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from hpsearch.errors import InputError, Problem, TrackingError
from hpsearch.store import Store, StudyHome
from hpsearch.tracking.environment import quieten_server
from hpsearch.tracking.identity import load_identity
from hpsearch.tracking.place import embedded_uri
from hpsearch.tracking.view import study_link

DEFAULT_PORT: Final = 5000
_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0


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
        code = self.process.wait()
        raise TrackingError(f"the MLflow server ended with code {code}; its log: {_log(self.store)}")


@contextmanager
def ui_server(store: Store, port: int | None = None) -> Iterator[UiServer]:
    """Serve the MLflow UI of a store while the context lasts; leaving, also by SIGTERM, ends all of it.

    Without `port` it is 5000, or a free one where that is taken.

    Raises:
        InputError: the port asked for is in use.
        TrackingError: the server does not start.
    """
    chosen, avoided = _choose_port(port)
    _ensure_database(store)
    with _ending_on_terminate():
        process = _start(store, chosen)
        try:
            _wait_until_up(process, chosen, store)
            yield UiServer(store=store, port=chosen, avoided=avoided, process=process)
        finally:
            _end(process)


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


def _choose_port(port: int | None) -> tuple[int, int | None]:
    if port is not None:
        if not 0 < port < 65536:
            raise InputError(Problem(place="--port", rule=f"must be from 1 to 65535, got {port}"))
        if _taken(port):
            raise InputError(
                Problem(
                    place="--port",
                    rule=f"{port} is in use on {_HOST}",
                    remedy="name another one, or leave it out and a free one is found",
                )
            )
        return port, None
    if not _taken(DEFAULT_PORT):
        return DEFAULT_PORT, None
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1]), DEFAULT_PORT


def _taken(port: int) -> bool:
    """Whether something answers on the port, or it cannot be bound."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        if probe.connect_ex((_HOST, port)) == 0:
            return True
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return True
    return False


def _ensure_database(store: Store) -> None:
    """Made here, under our lock: the server's workers would make it all at once, which fails."""
    if not store.database.exists():
        from hpsearch.tracking.environment import quieten  # noqa: PLC0415

        quieten(os.environ)
        from hpsearch.tracking.embedded import open_database  # noqa: PLC0415 - imports mlflow

        open_database(store)


def _log(store: Store) -> Path:
    return store.root / "ui.log"


def _start(store: Store, port: int) -> "subprocess.Popen[bytes]":
    environment = dict(os.environ)
    quieten_server(environment)
    command = [
        *(sys.executable, "-P", "-m", "mlflow", "server"),
        *("--backend-store-uri", embedded_uri(store)),
        *("--artifacts-destination", str(store.artifacts)),
        *("--host", _HOST, "--port", str(port), "--workers", "1"),
        # the default list has patterns like `10.*`, which match names that an attacker may choose
        *("--allowed-hosts", f"{_HOST}:{port},localhost:{port}"),
    ]
    with _log(store).open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - this very interpreter
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
        )


def _wait_until_up(process: "subprocess.Popen[bytes]", port: int, store: Store) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = _log(store).read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
            raise TrackingError(f"the MLflow server does not start: {' / '.join(tail)} (log: {_log(store)})")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    with closing(HTTPConnection(_HOST, port, timeout=2.0)) as connection:
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the server with all its workers."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


@contextmanager
def _ending_on_terminate() -> Iterator[None]:
    """SIGTERM leaves the block as an exception would, so that the server does not outlive us."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise SystemExit(128 + number)
