"""What was found by training trials again with one thing changed: a file a trial, beside the facts."""

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from math import isfinite, nan
from typing import Any

from hpsearch.errors import StorageError
from hpsearch.judgment.finding import Finding
from hpsearch.judgment.variation import Variation
from hpsearch.search.fact import TrialFact
from hpsearch.search.reader import Reader
from hpsearch.search.stored import findings_json
from hpsearch.store import StudyHome, write_text


def make_place(home: StudyHome) -> None:
    """Where `keep` writes: a store that cannot be written says so before anything is trained.

    Raises:
        StorageError: it cannot be.
    """
    try:
        home.variations.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=home.variations):
            pass
    except OSError as error:
        raise StorageError(f"{home.variations}: cannot be written ({error.strerror})") from error


def keep(home: StudyHome, fact: TrialFact) -> None:
    """Store what an examination has made of a fact, whole or not at all.

    Raises:
        StorageError: the store cannot be written.
    """
    make_place(home)
    kept = {
        "verdict": fact.verdict,
        "findings": findings_json(fact.findings),
        "variations": list(map(_stored, fact.variations)),
    }
    again = f"run `hpsearch why {home.key} {fact.number}` again when it can"
    write_text(home.variations / f"{fact.number}.json", json.dumps(kept, allow_nan=False), remedy=again)


def _stored(variation: Variation) -> dict[str, Any]:
    """As JSON, which has no number for a loss that is none."""
    curves = {
        name: [value if isfinite(value) else None for value in curve]
        for name, curve in variation.curves.items()
    }
    return variation.to_json() | {"curves": curves}


def _variation(stored: Mapping[str, Any]) -> Variation:
    """The variation that is stored; what later versions say of one besides is passed over."""
    curves = {
        name: tuple(nan if value is None else value for value in curve)
        for name, curve in stored["curves"].items()
    }
    known = {field.name: stored[field.name] for field in fields(Variation)}
    return Variation(**known | {"curves": curves})


def examined(home: StudyHome, facts: Iterable[TrialFact]) -> list[TrialFact]:
    """The facts; those of examined trials with the findings and the verdict of the examination, and its variations.

    Raises:
        StorageError: what is stored of one cannot be read.
    """
    try:
        known = {path.stem: path for path in home.variations.iterdir() if path.suffix == ".json"}
    except FileNotFoundError:
        return list(facts)
    return [_with(fact, _load(home, fact.number)) if str(fact.number) in known else fact for fact in facts]


def _load(home: StudyHome, number: int) -> Mapping[str, Any]:
    path = home.variations / f"{number}.json"
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        kept["findings"] = tuple(map(Finding.from_json, kept["findings"]))
        kept["variations"] = tuple(map(_variation, kept["variations"]))
    except (OSError, AttributeError, LookupError, TypeError, ValueError) as error:
        again = f"delete it and run `hpsearch why {home.key} {number}` again"
        raise StorageError(f"{path}: cannot be read ({error}); {again}") from error
    return kept


def _with(fact: TrialFact, kept: Mapping[str, Any]) -> TrialFact:
    return replace(fact, verdict=kept["verdict"], findings=kept["findings"], variations=kept["variations"])


class ExaminedReader:
    """Reads a study's facts with what examinations have made of them; raises StorageError as `Reader` does."""

    def __init__(self, reader: Reader, home: StudyHome) -> None:
        self._reader, self._home = reader, home

    @property
    def directions(self) -> tuple[str, ...]:
        """The direction of each objective."""
        return self._reader.directions

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What belongs to the study as a whole."""
        return self._reader.attributes

    def facts(self) -> list[TrialFact]:
        """All facts, in trial order."""
        return examined(self._home, self._reader.facts())

    def since(self, number: int) -> list[TrialFact]:
        """The facts from a trial number on."""
        return examined(self._home, self._reader.since(number))
