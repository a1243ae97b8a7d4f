"""Addresses of MLflow: the embedded database's, and how to tell it from others."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import quote

from hpsearch.store import Store

_UNSAFE: Final = re.compile(r"[^\w.~-]|^\.")  # a name that begins with a dot may mean another directory


def embedded_uri(store: Store) -> str:
    """`sqlite:////.../mlruns/mlflow.db`."""
    return f"sqlite:///{quote(str(store.database), safe='/')}"


def own_place(store: Store, uri: str | None) -> str | None:
    """The address, None when it means the store's own database."""
    return None if uri == embedded_uri(store) else uri


def artifact_place(root: Path, experiment: str) -> str:
    """Where an experiment of the embedded database keeps its files."""
    return str(root / _UNSAFE.sub("_", experiment))
