"""Facts read without Optuna, by a process for which its import would cost more than all else that it does."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from sys import intern
from typing import Any, Final, Protocol

from hpsearch.search.fact import ParameterValue, TrialFact
from hpsearch.search.places import Place
from hpsearch.search.stored import CURVE, fact_of

_DIRECTIONS: Final = {1: "minimize", 2: "maximize"}  # optuna.study.StudyDirection
_STUDY: Final = 0  # the one study of a journal
_CREATE_STUDY, _SET_ATTRIBUTE, _CREATE_TRIAL = 0, 2, 4  # optuna.storages.journal._storage.JournalOperation
_COMPLETE, _PRUNED, _FAILED = 1, 2, 3  # optuna.trial.TrialState


class Reader(Protocol):
    """Who reads a study's facts while another process appends to them.

    All of it raises StorageError where facts are damaged, or cannot be read.
    """

    @property
    def directions(self) -> tuple[str, ...]:
        """The direction of each objective, "minimize" or "maximize"."""
        ...

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What belongs to the study as a whole, JSON values by key."""
        ...

    def facts(self) -> list[TrialFact]:
        """All facts, in trial order."""
        ...

    def since(self, number: int) -> list[TrialFact]:
        """The facts from a trial number on; cheap to call again, only what was appended since is read."""
        ...


def is_begun(place: Place, *, study: str) -> bool:
    """Whether a place holds facts of a study; an empty file holds none."""
    if isinstance(place, Path):
        return place.is_file() and place.stat().st_size > 0
    from hpsearch.search.facts import FactStore  # noqa: PLC0415 - optuna

    return FactStore.exists(place, study=study)


def reader_of(place: Place, *, study: str) -> Reader:
    """Who reads a study's facts at a place.

    Raises:
        StorageError: no such study.
    """
    if isinstance(place, Path):
        return JournalReader(place, study=study)
    return _store_of(place, study)


class JournalReader:
    """Reads a journal as this package writes it: one line a trial, whole. Whatever else is there is left to Optuna."""

    def __init__(self, path: Path, *, study: str) -> None:
        self._path, self._study = path, study
        self._read = 0  # bytes
        self._directions: tuple[str, ...] = ()
        self._attributes: dict[str, Any] = {}
        self._facts: list[TrialFact] = []
        self._store: Reader | None = None

    @property
    def directions(self) -> tuple[str, ...]:
        """See `Reader`."""
        store = self._renewed()
        return self._directions if store is None else store.directions

    @property
    def attributes(self) -> Mapping[str, Any]:
        """See `Reader`."""
        store = self._renewed()
        return dict(self._attributes) if store is None else store.attributes

    def facts(self) -> list[TrialFact]:
        """See `Reader`."""
        return self.since(0)

    def since(self, number: int) -> list[TrialFact]:
        """See `Reader`."""
        store = self._renewed()
        return self._facts[number:] if store is None else store.since(number)

    def _renewed(self) -> Reader | None:
        """Read what was appended; Optuna's reader where it must do that."""
        if self._store is None:
            try:
                self._read_on()
            except (OSError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                self._store = _store_of(self._path, self._study)
        return self._store

    def _read_on(self) -> None:
        """Take in the whole lines that were appended; one without its end is still being written."""
        with self._path.open("rb") as journal:
            journal.seek(self._read)
            for line in journal:
                if not line.endswith(b"\n"):
                    break
                self._take(json.loads(line, object_pairs_hook=_with_shared_keys))
                self._read += len(line)

    def _take(self, record: Mapping[str, Any]) -> None:
        operation = record["op_code"]
        if operation == _CREATE_TRIAL and record["study_id"] == _STUDY:
            self._facts.append(_fact(record, number=len(self._facts)))
        elif operation == _CREATE_STUDY and not self._read and record["study_name"] == self._study:
            self._directions = tuple(_DIRECTIONS[number] for number in record["directions"])
        elif operation == _SET_ATTRIBUTE and record["study_id"] == _STUDY:
            self._attributes |= {k: v for k, v in record["user_attr"].items() if k != CURVE}
        else:
            raise ValueError(operation)


def _fact(record: Mapping[str, Any], *, number: int) -> TrialFact:
    state = record["state"]
    if state not in (_COMPLETE, _PRUNED, _FAILED):
        raise ValueError(state)
    values = record["values"] if record["value"] is None else [record["value"]]
    distributions = {name: intern(record["distributions"][name]) for name in record["params"]}
    return fact_of(
        record["user_attrs"],
        number=number,
        sampled={name: _sampled(drawn, distributions[name]) for name, drawn in record["params"].items()},
        distributions=distributions,
        values=values if state == _COMPLETE else None,
    )


def _sampled(drawn: float, distribution: str) -> ParameterValue:
    """The value that Optuna notes as a number: of a choice its place."""
    about = json.loads(distribution)
    return _VALUES[about["name"]](drawn, about["attributes"])


_VALUES: Final[dict[str, Callable[[float, Mapping[str, Any]], ParameterValue]]] = {
    "FloatDistribution": lambda drawn, _: drawn,
    "IntDistribution": lambda drawn, _: int(drawn),
    "CategoricalDistribution": lambda drawn, about: about["choices"][int(drawn)],
}


def _with_shared_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are the very strings that other records have."""
    return {intern(key): value for key, value in pairs}


def _store_of(place: Place, study: str) -> Reader:
    from hpsearch.search.facts import FactStore  # noqa: PLC0415 - optuna

    return FactStore.open(place, study=study)
