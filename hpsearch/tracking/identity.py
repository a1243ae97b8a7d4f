"""Who a study is to MLflow: its creation id, where it is projected, and the ids of its runs.

Kept in the study's home as `tracking.json`, so that nothing of MLflow is needed to know a run's id.
"""

import getpass
import json
import platform
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from hpsearch.errors import StorageError
from hpsearch.store import StudyHome, write_text

_NAMESPACE: Final = uuid.UUID("5f0e6f0e-7a2b-5b5e-9a0c-6d1f2e8c4b37")
_PACKAGES: Final = ("hpsearch", "numpy", "optuna", "mlflow", "scikit-learn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A study as MLflow knows it.

    `creation` is random, made once: studies of the same name, of other people or before this one, never share
    runs. `uri` is None for the embedded database. `experiment` is None for one named after the study. `user`
    and `versions` are those of the study's first run.
    """

    creation: str
    uri: str | None = None
    experiment: str | None = None
    user: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def run_id(self, number: int | None) -> str:
        """The id of a trial's run, or of the study's (None), in the embedded database: 32 hex digits."""
        name = "study" if number is None else f"trial/{number}"
        return uuid.uuid5(_NAMESPACE, f"{self.creation}/{name}").hex


def identity_file(home: StudyHome) -> Path:
    """Where the identity is kept."""
    return home.path / "tracking.json"


def known_runs_file(home: StudyHome) -> Path:
    """Where run ids are kept that the server gave out (anything but the embedded database)."""
    return home.path / "tracking-runs.json"


def load_identity(home: StudyHome) -> Identity | None:
    """The study's identity, None when it has never been tracked.

    Raises:
        StorageError: the file is damaged.
    """
    path = identity_file(home)
    try:
        return Identity(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise StorageError(
            f"{path}: cannot be read ({error}); delete it and run `hpsearch sync {home.key}` "
            "to project the study anew"
        ) from error


def establish_identity(home: StudyHome, *, uri: str | None, experiment: str | None) -> Identity:
    """The study's identity, made on first use, with this place of projection remembered."""
    known = load_identity(home) or Identity(creation=uuid.uuid4().hex, user=_user(), versions=_versions())
    wanted = replace(known, uri=uri, experiment=experiment)
    if wanted != load_identity(home):
        write_json(identity_file(home), asdict(wanted))
    return wanted


def write_json(path: Path, value: Any) -> None:
    """Replace a file whole: a reader finds the old text or the new one, never half of it.

    Raises:
        StorageError: it cannot be written.
    """
    write_text(path, json.dumps(value, indent=1) + "\n")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may have no name
        return "unknown"


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # run from a checkout that is not installed
            versions[package] = "not installed"
    return versions
