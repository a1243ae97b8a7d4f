"""A first look at where a study is to be tracked, so that a wrong address or password is told at once."""

import base64
import importlib.util
import os
import ssl
import threading
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hpsearch.addresses import redacted
from hpsearch.tracking.refusal import refusal

_SECONDS: Final = 5.0
_QUESTION: Final = "/api/2.0/mlflow/experiments/search?max_results=1"
_OTHERS: Final = ("postgresql", "mysql", "mssql", "databricks", "databricks-uc", "uc", "file")


def warn_early(uri: str | None, warn: Callable[[str], None]) -> None:
    """Look in the background, and warn of what is wrong; the search does not wait for it."""
    if uri is not None:
        threading.Thread(target=lambda: _tell(uri, warn), name="tracking-probe", daemon=True).start()


def _tell(uri: str, warn: Callable[[str], None]) -> None:
    problem = problem_at(uri)
    if problem:
        warn(f"tracking.uri {redacted(uri)}: {problem}; the search goes on without it")


def problem_at(uri: str) -> str | None:
    """Why MLflow cannot be written there as things stand, None where nothing speaks against it."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        return f"is no address ({error})"
    kind = parts.scheme.partition("+")[0]
    if kind in ("http", "https"):
        return _problem_of_server(parts, port)
    if kind == "sqlite":
        folder = Path(uri.partition(":///")[2]).absolute().parent
        return None if folder.is_dir() else f"the directory {folder} does not exist"
    if kind == "postgresql" and importlib.util.find_spec("psycopg") is None:
        return "PostgreSQL needs psycopg, which is not installed: pip install 'hpsearch[postgres]'"
    return None if kind in _OTHERS else "is no address of MLflow: write http://host:5000 or sqlite:///path"


def _problem_of_server(parts: SplitResult, port: int | None) -> str | None:
    if not parts.hostname:
        return "names no host: write http://host:5000"
    secure = parts.scheme == "https"
    connection: HTTPConnection = (HTTPSConnection if secure else HTTPConnection)(
        parts.hostname, port, timeout=_SECONDS
    )
    with closing(connection):
        try:
            connection.request("GET", parts.path.rstrip("/") + _QUESTION, headers=_credentials())
            status = connection.getresponse().status
        except ssl.SSLError:
            return None  # which certificates are trusted is set by MLflow's own variables
        except (OSError, HTTPException) as error:
            return f"cannot be reached ({getattr(error, 'strerror', None) or error or type(error).__name__})"
    if status < 400:
        return None
    return refusal(status) or f"answers {status}, as no MLflow server does"


def _credentials() -> dict[str, str]:
    """What MLflow's client would send."""
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD"))
    if user and password:
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
    return {"Authorization": f"Bearer {token}"} if token else {}
