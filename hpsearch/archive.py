"""What a study keeps beside its trial facts: study file, result, model; written whole or not at all."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import yaml

from hpsearch.errors import StorageError, StudyChangedError
from hpsearch.model import TrainedModel
from hpsearch.search.facts import FactStore
from hpsearch.spec import StudySpec
from hpsearch.store import Store, StudyHome
from hpsearch.winner import Winner

_PACKAGES: Final = ("hpsearch", "numpy", "optuna", "pandas", "scikit-learn")


def choose_home(spec: StudySpec, store: Store, *, fresh: bool) -> StudyHome:
    """The generation to run: the latest, or a new one where there is none or `fresh` asks for it. Made on disk.

    Raises:
        StorageError: the store cannot be written.
    """
    existing = store.generations(spec.study)
    home = store.new_generation(spec.study) if fresh or not existing else existing[-1]
    try:
        home.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{home.path}: cannot be made ({error.strerror}); name a writable place with --store"
        ) from error
    return home


def open_facts(spec: StudySpec, home: StudyHome, *, fingerprint: str) -> FactStore:
    """The study's fact store, made on first use; the caller holds the study's lock.

    Raises:
        StudyChangedError: the stored trials come from another study file, or from other data.
        StorageError: the store cannot be read or written.
    """
    if FactStore.exists(home.facts):
        facts = FactStore.open(home.facts, study=home.key, writer=True)
        _check_unchanged(spec, home, facts.attributes, fingerprint)
        return facts
    attributes = {
        "canonical": spec.canonical(),
        "fingerprint": fingerprint,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in _PACKAGES},
    }
    write_text(home.study_file, spec.to_yaml())
    directions = [objective.direction for objective in spec.objectives]
    return FactStore.create(
        home.facts,
        study=home.key,
        directions=directions,
        attributes=attributes,
        monitored=spec.objectives[0].metric,
    )


def _check_unchanged(
    spec: StudySpec, home: StudyHome, attributes: Mapping[str, Any], fingerprint: str
) -> None:
    changes = spec.changes(attributes["canonical"])
    if attributes["fingerprint"] != fingerprint:
        changes.append(f"the data: fingerprint {attributes['fingerprint']} -> {fingerprint}")
    if changes:
        lines = "\n".join(f"  {change}" for change in changes)
        raise StudyChangedError(
            f"study {home.key!r} has trials of another study file (stored -> now):\n{lines}\n"
            "Trials of different studies cannot be compared. Either undo the change, or begin a new generation beside "
            "the old one with --fresh, or give the study another name. (A raised budget alone is no change.)"
        )


def save_result(home: StudyHome, winner: Winner, result: Mapping[str, Any], *, example: str) -> None:
    """Write model, best parameters and, last, the result that vouches for them.

    `example` is a few raw input rows, JSON as pandas splits a table; it stays beside the model.

    Raises:
        StorageError: the store cannot be written.
    """
    try:
        _replace_model(home.model, winner.model, example)
        write_text(home.best, yaml.safe_dump(dict(winner.fact.params), sort_keys=False))
        write_text(home.result, json.dumps(result, indent=1))
    except OSError as error:
        raise StorageError(
            f"{home.path}: cannot be written ({error.strerror}); run again when it can"
        ) from error


def load_result(home: StudyHome) -> dict[str, Any] | None:
    """What `save_result` wrote, None before that.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        result: dict[str, Any] = json.loads(home.result.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{home.result}: cannot be read ({error}); delete it and run the study again"
        ) from error
    return result


def write_text(path: Path, text: str) -> None:
    """Replace a file as a whole: a reader, or a crash, sees the old text or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _replace_model(directory: Path, model: TrainedModel, example: str) -> None:
    temporary = directory.with_name(f".{directory.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    model.save(temporary)
    (temporary / "example.json").write_text(example, encoding="utf-8")
    shutil.rmtree(directory, ignore_errors=True)
    temporary.replace(directory)
