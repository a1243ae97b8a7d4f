"""Where things lie on disk: the store is one directory, `./mlruns` unless told otherwise.

mlruns/
  mlflow.db, artifacts/          the MLflow projection
  studies/<name>/                a study: trial facts, the study file, the winner, the model
  studies/<name>~2/              its second generation (`hpsearch run --fresh`), and so on
"""

import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from hpsearch.errors import InputError, StorageError, UnknownStudyError

STORE_VARIABLE: Final = "HPSEARCH_STORE"
_DEFAULT: Final = "mlruns"
_SHOWN: Final = 20
_REFERENCE: Final = re.compile(
    r"^(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]{0,63})(~(?P<generation>[1-9][0-9]{0,5}))?$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyHome:
    """The directory of one generation of one study."""

    path: Path
    name: str
    generation: int

    @property
    def key(self) -> str:
        """What names this generation in MLflow and on the command line: `digits`, `digits~2`, ..."""
        return self.path.name

    @property
    def facts(self) -> Path:
        """The Optuna journal of finished trials."""
        return self.path / "facts.journal"

    @property
    def storage(self) -> Path:
        """The address of the database that holds the trials, where it is not the journal."""
        return self.path / "storage.json"

    @property
    def lock(self) -> Path:
        """Held by the process that runs the study."""
        return self.path / "driver.lock"

    @property
    def study_file(self) -> Path:
        """The study as it was first run, with all defaults written out."""
        return self.path / "study.yaml"

    @property
    def last_run(self) -> Path:
        """The last run: the directory that relative paths start from, the budget, and what ended it, as JSON."""
        return self.path / "run.json"

    @property
    def model(self) -> Path:
        """The refitted winner: arrays and JSON."""
        return self.path / "model"

    @property
    def result(self) -> Path:
        """The winner's test score, baselines and provenance, as JSON."""
        return self.path / "result.json"

    @property
    def nested(self) -> Path:
        """What nested cross-validation has come to, once it has been asked for, as JSON."""
        return self.path / "nested.json"

    @property
    def variations(self) -> Path:
        """What `hpsearch why` has tried, a file a trial, as JSON."""
        return self.path / "variations"

    @property
    def card(self) -> Path:
        """What the model is, how good, and how to call it, as Markdown."""
        return self.path / "card.md"

    @property
    def pictures(self) -> tuple[Path, Path]:
        """The course of the search, and the winner's curves, as SVG."""
        return self.path / "search.svg", self.path / "curves.svg"

    @property
    def best(self) -> Path:
        """The best parameters, as YAML."""
        return self.path / "best.yaml"

    @property
    def report(self) -> Path:
        """The study as one page, once it has been asked for."""
        return self.path / "report.html"


@dataclass(frozen=True, slots=True)
class Store:
    """The directory that holds all studies and the embedded MLflow database."""

    root: Path

    @classmethod
    def locate(cls, root: str | Path | None = None) -> "Store":
        """The store at `root`, else at $HPSEARCH_STORE, else `./mlruns`. Nothing is created."""
        chosen = root if root is not None else os.environ.get(STORE_VARIABLE) or _DEFAULT
        return cls(Path(chosen).expanduser().absolute())

    @property
    def database(self) -> Path:
        """The embedded MLflow tracking database."""
        return self.root / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """The embedded MLflow artifact store."""
        return self.root / "artifacts"

    @property
    def cache(self) -> Path:
        """Prepared data that is too large for memory; may be deleted while no study runs."""
        return self.root / "cache"

    @property
    def data(self) -> Path:
        """Data that programs have handed over, by its content."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """What runs in the background print, a file for each study's name."""
        return self.root / "logs"

    @property
    def studies(self) -> Path:
        """The parent of all study homes."""
        return self.root / "studies"

    def generations(self, name: str) -> list[StudyHome]:
        """All generations of a study that exist, oldest first."""
        if not self.studies.is_dir():
            return []
        homes = [self._home(path) for path in self.studies.iterdir() if path.is_dir()]
        return sorted((h for h in homes if h and h.name == name), key=lambda h: h.generation)

    def all_studies(self) -> list[StudyHome]:
        """Every generation of every study, by name and generation."""
        if not self.studies.is_dir():
            return []
        homes = [self._home(path) for path in self.studies.iterdir() if path.is_dir()]
        return sorted((h for h in homes if h), key=lambda h: (h.name, h.generation))

    def new_generation(self, name: str) -> StudyHome:
        """The home of the next generation of a study (the first is the bare name); nothing is created."""
        existing = self.generations(name)
        return self.generation(name, existing[-1].generation + 1 if existing else 1)

    def generation(self, name: str, number: int) -> StudyHome:
        """The home of a generation, whether there is one or not."""
        key = name if number == 1 else f"{name}~{number}"
        return StudyHome(path=self.studies / key, name=name, generation=number)

    def home_of(self, key: str) -> StudyHome | None:
        """The home of the generation that a key names; None for what is no key."""
        return self._home(self.studies / key) if "/" not in key else None

    def find(self, reference: str) -> StudyHome:
        """The home that a reference names: `digits` is its latest generation, `digits~1` the first.

        Raises:
            UnknownStudyError: there is none; the message names the studies that there are.
            InputError: the reference is not a study name.
        """
        match = _REFERENCE.match(reference)
        if match is None:
            raise InputError(
                f"{reference!r} is not a study name: use letters, digits, '.', '_' and '-' (at most 64), "
                "and '~2' behind it for the second generation"
            )
        homes = self.generations(match["name"])
        if match["generation"]:
            homes = [home for home in homes if home.generation == int(match["generation"])]
        if not homes:
            raise UnknownStudyError(self._unknown(reference))
        return homes[-1]

    def _unknown(self, reference: str) -> str:
        known = [home.key for home in self.all_studies()]
        there = ", ".join(known[:_SHOWN]) + (f", ... ({len(known)} in all)" if known[_SHOWN:] else "")
        return (
            f"no study {reference!r} in {self.root} (there: {there or 'none yet'}); {meant(reference, known)}run one "
            f"with `hpsearch run FILE`, or name another store with --store or {STORE_VARIABLE}"
        )

    def _home(self, path: Path) -> StudyHome | None:
        match = _REFERENCE.match(path.name)
        if match is None:
            return None
        return StudyHome(path=path, name=match["name"], generation=int(match["generation"] or 1))


def meant(written: str, known: Sequence[str]) -> str:
    """The nearest of the names that there are, as the beginning of a remedy; nothing where none is near."""
    near = get_close_matches(written, known, n=1)
    return f"did you mean {near[0]!r}? Else " if near else ""


_AGAIN: Final = "run the study again when it can: it goes on from here"


def write_text(path: Path, text: str, *, remedy: str = _AGAIN) -> None:
    """Replace a file as a whole: a reader, or a crash, sees the old text or the new one.

    Raises:
        StorageError: it cannot be written; the old text is there still.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot be written: {error.strerror}; {remedy}") from error


def load_result(home: StudyHome) -> dict[str, Any] | None:
    """The winner's result, None before there is one.

    Raises:
        StorageError: it cannot be read.
    """
    return _load(home.result, "run the study")


def load_nested(home: StudyHome) -> dict[str, Any] | None:
    """What `hpsearch nested` has come to, None before that.

    Raises:
        StorageError: it cannot be read.
    """
    return _load(home.nested, f"hpsearch nested {home.key}")


def _load(path: Path, renewal: str) -> dict[str, Any] | None:
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(f"{path}: cannot be read ({error}); delete it and {renewal} again") from error
    return value
