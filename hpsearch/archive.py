"""What a study keeps beside its trial facts: study file, result, model; written whole or not at all."""

import json
import os
import shutil
import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from hpsearch.errors import StorageError, StudyChangedError
from hpsearch.search.places import STORAGE_VARIABLE, Database, Place, place_of, remember_place
from hpsearch.search.reader import is_begun
from hpsearch.store import Store, StudyHome, write_text

if TYPE_CHECKING:
    from hpsearch.model import TrainedModel
    from hpsearch.search.facts import FactStore
    from hpsearch.spec import StudySpec
    from hpsearch.winner import Winner

_PACKAGES: Final = ("hpsearch", "numpy", "optuna", "pandas", "scikit-learn")


def choose_home(
    spec: "StudySpec", store: Store, *, fresh: bool, database: Database | None = None
) -> StudyHome:
    """The generation to run: the latest, or a new one where there is none or `fresh` asks for it. Made on disk.

    A database may hold generations that were begun from another store.

    Raises:
        StorageError: the store cannot be written, or the database cannot be read.
    """
    homes = store.generations(spec.study)
    if database is not None:
        shared = map(store.home_of, database.studies())
        homes += [home for home in shared if home and home.name == spec.study]
    latest = max((home.generation for home in homes), default=0)
    home = store.generation(spec.study, latest + 1 if fresh or not latest else latest)
    try:
        home.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{home.path}: cannot be made ({error.strerror}); name a writable place with --store"
        ) from error
    return home


def choose_place(home: StudyHome, database: Database | None) -> Place:
    """Where the study's trials are, or are to go: they stay where they were begun.

    Raises:
        StudyChangedError: the run names another database than the one that holds the trials.
    """
    known = place_of(home)
    begun = isinstance(known, Database) or is_begun(known, study=home.key)
    if database is None or not begun:
        return database or known
    if isinstance(known, Database) and known.address == database.address:
        return database
    there = known.address if isinstance(known, Database) else known
    raise StudyChangedError(
        f"study {home.key!r} keeps its trials in {there}, not in {database.address}; go on there without naming a "
        f"database (storage.url, --storage, ${STORAGE_VARIABLE}), or begin a new generation in the other with --fresh"
    )


def open_facts(
    spec: "StudySpec",
    home: StudyHome,
    place: Place,
    *,
    fingerprint: str,
    start: str | None = None,
    code: Mapping[str, Any] | None = None,
) -> "FactStore":
    """The study's fact store, made on first use; the caller holds the study's lock.

    `fingerprint` is that of the data, `start` that of the weights that networks begin from; `code` says where code of
    one's own comes from.

    Raises:
        StudyChangedError: the stored trials come from another study file, or from other data.
        StudyBusyError: another process runs the study, from another store.
        StorageError: the store cannot be read or written.
    """
    from hpsearch.search.facts import FactStore  # noqa: PLC0415 - optuna, which readers go without

    if is_begun(place, study=home.key):
        facts = FactStore.open(place, study=home.key, writer=True)
        try:
            _check_unchanged(spec, home, facts.attributes, fingerprint, start)
            _note(spec, home, place)
        except BaseException:
            facts.close()
            raise
        return facts
    _note(spec, home, place)
    attributes = {
        "canonical": spec.canonical(),
        "fingerprint": fingerprint,
        "start": start,
        "code": code or {},
        "creation": uuid.uuid4().hex,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in _PACKAGES},
    }
    directions = [objective.direction for objective in spec.objectives]
    return FactStore.create(
        place,
        study=home.key,
        directions=directions,
        attributes=attributes,
        monitored=spec.objectives[0].metric,
    )


def _note(spec: "StudySpec", home: StudyHome, place: Place) -> None:
    """What a home says of its study, also one that was begun from another store."""
    remember_place(home, place)
    note_run(spec, home)
    if not home.study_file.exists():
        write_text(home.study_file, spec.to_yaml())


def note_run(spec: "StudySpec", home: StudyHome, *, ended: str | None = None) -> None:
    """What a home says of its last run: where its paths start from, its budget, and what ended it."""
    note = {
        "base": str(spec.base.absolute()),
        "trials": spec.budget.trials,
        "select": spec.select,
        "ended": ended,
    }
    write_text(home.last_run, json.dumps(note) + "\n")


def last_run(home: StudyHome) -> dict[str, Any]:
    """What is noted of a study's last run: `base`, `trials`, `select`, `ended`; empty where nothing is."""
    try:
        return dict(json.loads(home.last_run.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _check_unchanged(
    spec: "StudySpec", home: StudyHome, attributes: Mapping[str, Any], fingerprint: str, start: str | None
) -> None:
    changes = spec.changes(attributes["canonical"])
    if attributes["fingerprint"] != fingerprint:
        changes.append(f"the data: fingerprint {attributes['fingerprint']} -> {fingerprint}")
    if attributes.get("start") != start:
        named = spec.model.initialize_from or "model.initialize_from"
        changes.append(f"the weights of {named}: fingerprint {attributes.get('start')} -> {start}")
    if changes:
        lines = "\n".join(f"  {change}" for change in changes)
        raise StudyChangedError(
            f"study {home.key!r} has trials of another study file (stored -> now):\n{lines}\n"
            "Trials of different studies cannot be compared. Either undo the change, or begin a new generation beside "
            "the old one with --fresh, or give the study another name. (A raised budget alone is no change.)"
        )


def save_result(home: StudyHome, winner: "Winner", result: Mapping[str, Any], *, example: str) -> None:
    """Write model, best parameters and, last, the result that vouches for them.

    `example` is a few raw input rows, JSON as pandas splits a table; it stays beside the model.

    Raises:
        StorageError: the store cannot be written.
    """
    try:
        if winner.model is not None:
            _replace_model(home.model, winner.model, example)
        write_text(home.best, yaml.safe_dump(dict(winner.fact.params), sort_keys=False))
        write_text(home.result, json.dumps(result, indent=1))
    except OSError as error:
        raise StorageError(
            f"{home.path}: cannot be written ({error.strerror}); run again when it can"
        ) from error


def renew_standing(home: StudyHome, result: Mapping[str, Any]) -> None:
    """Write the result of the same winner anew: more trials stand beside it.

    Raises:
        StorageError: the store cannot be written.
    """
    write_text(home.result, json.dumps(result, indent=1))


def _replace_model(directory: Path, model: "TrainedModel", example: str) -> None:
    temporary = directory.with_name(f".{directory.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        model.save(temporary)
        (temporary / "example.json").write_text(example, encoding="utf-8")
        shutil.rmtree(directory, ignore_errors=True)
        temporary.replace(directory)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
