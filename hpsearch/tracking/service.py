"""A tracking server for a team: MLflow's own, on PostgreSQL or SQLite, with authentication where others reach it."""

import importlib.util
import ipaddress
import os
import secrets
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from hpsearch.addresses import SERVER_ADDRESS, database_fault, secret_in, without_secrets
from hpsearch.errors import InputError, Problem, StorageError
from hpsearch.store import Store
from hpsearch.tracking.environment import quieten_server
from hpsearch.tracking.place import embedded_uri
from hpsearch.tracking.processes import ended, is_everywhere, reachable, serving, taken
from hpsearch.tracking.server import ensure_database

if TYPE_CHECKING:
    import subprocess

SERVER_VARIABLE: Final = "HPSEARCH_SERVER_DATABASE_URL"
ADMIN: Final = "admin"
_USER_VARIABLE: Final = "MLFLOW_AUTH_ADMIN_USERNAME"
_PASSWORD_VARIABLE: Final = "MLFLOW_AUTH_ADMIN_PASSWORD"  # noqa: S105 - a name
_SHORTEST: Final = 12  # of MLflow's passwords


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What `hpsearch serve` is to start. `database` is None for the store's own SQLite file."""

    store: Store
    host: str
    port: int
    workers: int
    database: str | None
    artifacts: str
    allowed_hosts: tuple[str, ...]
    authentication: bool

    @property
    def backend(self) -> str:
        """The database's address, without its password."""
        return embedded_uri(self.store) if self.database is None else without_secrets(self.database)

    @property
    def users(self) -> str:
        """The database that holds MLflow's users: the same server's, or a file beside the store's."""
        if self.database is not None and not self.database.startswith("sqlite:"):
            return self.backend
        return f"sqlite:///{self.store.root / 'users.db'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningService:
    """A service that answers. `password_file` holds the administrator's password where it was generated."""

    url: str
    user: str | None
    password_file: Path | None
    process: "subprocess.Popen[bytes]" = field(repr=False)

    def wait(self) -> None:
        """Block until the server ends.

        Raises:
            TrackingError: it ended by itself.
        """
        raise ended(self.process, None)


def plan_service(
    store: Store,
    *,
    host: str,
    port: int,
    workers: int,
    database: str | None = None,
    artifacts: str | None = None,
    allowed_hosts: Sequence[str] = (),
    authentication: bool = False,
) -> Service:
    """A service, checked as far as that can be done before it is started.

    `database` goes before $HPSEARCH_SERVER_DATABASE_URL, and may hold no password; the environment may.
    `allowed_hosts` are the names, with ports where they are not 80 or 443, under which clients reach the server.
    Authentication is on wherever another machine could reach it.

    Raises:
        InputError: an option cannot be used, or an extra is missing.
    """
    problems = [*_faults("--allowed-hosts", allowed_hosts), *_port_faults(host, port)]
    address, place = (
        (database, "--database") if database else (os.environ.get(SERVER_VARIABLE), f"${SERVER_VARIABLE}")
    )
    if address and (fault := database_fault(address, secrets=not database, pattern=SERVER_ADDRESS)):
        problems.append(
            Problem(place=place, rule=fault[0], remedy=fault[1].replace("STORAGE", "SERVER_DATABASE"))
        )
    if artifacts and (held := secret_in(artifacts)):
        problems.append(
            Problem(place="--artifacts", rule=f"holds {held}", remedy="give it by the environment")
        )
    authentication = authentication or not is_loopback(host)
    problems += _missing(address, authentication=authentication)
    given = os.environ.get(_PASSWORD_VARIABLE)
    if authentication and given and len(given) < _SHORTEST:
        rule = f"must have at least {_SHORTEST} characters"
        problems.append(Problem(place=f"${_PASSWORD_VARIABLE}", rule=rule, remedy="unset, one is made up"))
    if problems:
        raise InputError(problems)
    return Service(
        store=store,
        host=host,
        port=port,
        workers=workers,
        database=address.replace("postgresql://", "postgresql+psycopg://", 1) if address else None,
        artifacts=artifacts or str(store.artifacts),
        allowed_hosts=tuple(allowed_hosts) or _own_names(host, port),
        authentication=authentication,
    )


@contextmanager
def running(service: Service) -> Iterator[RunningService]:
    """The service, while the context lasts; leaving, also by SIGTERM, ends it with all its processes.

    Raises:
        TrackingError: it does not start. StorageError: the store cannot be written.
    """
    _make_root(service.store)
    if service.database is None:
        ensure_database(service.store)
    environment, password_file = _environment(service)
    with serving(_command(service), environment, host=service.host, port=service.port, log=None) as process:
        shown = f"[{service.host}]" if ":" in service.host else reachable(service.host)
        yield RunningService(
            url=f"http://{shown}:{service.port}",
            user=environment[_USER_VARIABLE] if service.authentication else None,
            password_file=password_file,
            process=process,
        )


def is_loopback(host: str) -> bool:
    """Whether a server that binds to a host can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _command(service: Service) -> list[str]:
    """What could be secret is not in it: everyone on the machine may list processes."""
    origins = [f"{scheme}://{name}" for name in service.allowed_hosts for scheme in ("http", "https")]
    return [
        *(sys.executable, "-P", "-m", "mlflow", "server"),
        *("--backend-store-uri", service.backend),
        *("--artifacts-destination", service.artifacts, "--serve-artifacts"),
        *("--host", service.host, "--port", str(service.port), "--workers", str(service.workers)),
        *("--allowed-hosts", ",".join(service.allowed_hosts)),
        *("--cors-allowed-origins", ",".join(origins)),  # the UI's own, which browsers send with each change
        *(("--app-name", "basic-auth") if service.authentication else ()),
    ]


def _environment(service: Service) -> tuple[dict[str, str], Path | None]:
    environment = dict(os.environ)
    quieten_server(environment)
    environment.pop(SERVER_VARIABLE, None)
    password = urlsplit(service.database or "").password
    if password:
        environment["PGPASSWORD"] = unquote(password)
    if not service.authentication:
        return environment, None
    settings = service.store.root / "authentication.ini"
    _write_private(settings, f"[mlflow]\ndefault_permission = READ\ndatabase_uri = {service.users}\n")
    environment["MLFLOW_AUTH_CONFIG_PATH"] = str(settings)
    environment.setdefault("MLFLOW_FLASK_SERVER_SECRET_KEY", secrets.token_hex(32))
    environment.setdefault(_USER_VARIABLE, ADMIN)
    if environment.get(_PASSWORD_VARIABLE):
        return environment, None
    file = service.store.root / "admin-password"
    environment[_PASSWORD_VARIABLE] = _generated(file)
    return environment, file


def _generated(file: Path) -> str:
    """The password that was generated once for this store, for its owner's eyes."""
    if not file.exists():
        _write_private(file, secrets.token_urlsafe(24) + "\n")
    return file.read_text(encoding="utf-8").strip()


def _write_private(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as private:  # noqa: PTH123 - a descriptor
            private.write(text)
        draft.replace(file)
    except OSError as error:
        raise StorageError(f"{file}: cannot be written: {error.strerror}") from error


def _make_root(store: Store) -> None:
    try:
        store.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{store.root}: cannot be made: {error.strerror}") from error


def _own_names(host: str, port: int) -> tuple[str, ...]:
    """The names that this machine knows itself by."""
    names = ["127.0.0.1", "localhost"]
    if not is_loopback(host):
        names += [socket.gethostname(), socket.getfqdn()]
    names += [] if is_everywhere(host) else [host]
    return tuple(f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in dict.fromkeys(names))


def _faults(place: str, allowed_hosts: Sequence[str]) -> list[Problem]:
    return [
        Problem(
            place=place,
            rule=f"must be names with their ports, got {name!r}",
            remedy="a pattern such as 10.* also matches names that an attacker may choose; write tracking.example:5000",
        )
        for name in allowed_hosts
        if not name or any(sign in name for sign in "*?/@, ") or "://" in name
    ]


def _port_faults(host: str, port: int) -> list[Problem]:
    try:
        busy = taken(host, port)
    except (OSError, UnicodeError):
        rule = f"{host!r} is no address of this machine"
        return [
            Problem(place="--host", rule=rule, remedy="127.0.0.1 for this machine alone, 0.0.0.0 for all")
        ]
    if not busy:
        return []
    return [Problem(place="--port", rule=f"{port} cannot be had on {host}", remedy="name another one")]


def _missing(address: str | None, *, authentication: bool) -> list[Problem]:
    """Extras that the service needs and that are not installed."""
    needs = [("flask_wtf", "authentication needs Flask-WTF", "server")] if authentication else []
    if address and address.startswith("postgresql"):
        needs.append(("psycopg", "PostgreSQL needs psycopg", "postgres"))
    return [
        Problem(
            place="hpsearch serve",
            rule=f"{words}, which is not installed",
            remedy=f"pip install 'hpsearch[{extra}]'",
        )
        for package, words, extra in needs
        if not _installed(package)
    ]


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # put out of the way by someone
        return False
