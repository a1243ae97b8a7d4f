"""A server in a process of its own: started, waited for until it answers, ended with all its children."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from hpsearch.errors import TrackingError

_START_SECONDS: Final = 300.0
_STOP_SECONDS: Final = 10.0


@contextmanager
def serving(
    command: Sequence[str], environment: Mapping[str, str], *, host: str, port: int, log: Path | None
) -> Iterator["subprocess.Popen[bytes]"]:
    """The process that a command starts, from when it answers on its port until the context is left.

    Leaving, also by SIGTERM, ends it with all its children. `log` takes its output; None leaves that on ours.

    Raises:
        TrackingError: it ends before it answers, or does not answer in time.
    """
    with _ending_on_terminate():
        process = _start(command, environment, log)
        try:
            _wait_until_up(process, host, port, log)
            yield process
        finally:
            _end(process)


def taken(host: str, port: int) -> bool:
    """Whether something answers on the port, or it cannot be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(1.0)
        if probe.connect_ex((reachable(host), port)) == 0:
            return True
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def is_everywhere(host: str) -> bool:
    """Whether a server that binds to a host listens on all addresses of this machine."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return not host


def reachable(host: str) -> str:
    """Where a server that binds to a host answers on this machine."""
    if not is_everywhere(host):
        return host
    return "::1" if ":" in host else "127.0.0.1"


def ended(process: "subprocess.Popen[bytes]", log: Path | None) -> TrackingError:
    """Wait for the end of a server that should not end, and say so."""
    code = process.wait()
    return TrackingError(f"the MLflow server ended with code {code}; {_where(log)}")


def _start(
    command: Sequence[str], environment: Mapping[str, str], log: Path | None
) -> "subprocess.Popen[bytes]":
    settings = {"stdin": subprocess.DEVNULL, "env": environment, "start_new_session": True}
    if log is None:
        return subprocess.Popen(command, stdout=2, **settings)  # type: ignore[call-overload,no-any-return]  # noqa: S603 - ours
    with log.open("wb") as output:
        return subprocess.Popen(command, stdout=output, stderr=output, **settings)  # type: ignore[call-overload,no-any-return]  # noqa: S603


def _wait_until_up(process: "subprocess.Popen[bytes]", host: str, port: int, log: Path | None) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(reachable(host), port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise TrackingError(f"the MLflow server does not start: {_where(log)}")
        time.sleep(0.1)


def _where(log: Path | None) -> str:
    if log is None:
        return "its last words are above"
    tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
    return f"{' / '.join(tail)} (log: {log})"


def _answers(host: str, port: int) -> bool:
    with closing(HTTPConnection(host, port, timeout=2.0)) as connection:
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
