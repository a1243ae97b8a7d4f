"""Going on with a study that the store holds: more trials, or those again that failed."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hpsearch.errors import HpsearchError, InputError, StorageError
from hpsearch.reading import begun_place, open_for_reading
from hpsearch.search.examined import examined, keep
from hpsearch.search.fact import TrialFact
from hpsearch.search.facts import FactStore, StudyLock
from hpsearch.search.places import Database, remember_place
from hpsearch.search.reader import reader_of
from hpsearch.spec import StudySpec, parse_study
from hpsearch.store import Store, StudyHome, write_text


def stored_spec(home: StudyHome, overrides: Sequence[str] = ()) -> StudySpec:
    """The study as the store holds it; relative paths start where they did at its last run.

    Raises:
        InputError: the study was last run by a version that did not note where its paths start from.
        StorageError: the study's files cannot be read.
    """
    try:
        base = Path(json.loads(home.last_run.read_text(encoding="utf-8"))["base"])
        text = home.study_file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(
            f"study {home.key!r} does not say where its data is; run its file once more with `hpsearch run FILE`"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{home.path}: cannot be read ({error})") from error
    return parse_study(text, name=str(home.study_file), base=base, overrides=overrides)


def extended(home: StudyHome, more: int) -> StudySpec:
    """The study with a budget of `more` trials beyond those that are stored.

    Raises:
        InputError: as `stored_spec` says.
    """
    total = len(open_for_reading(home).facts()) + more
    return stored_spec(home, [f"budget.trials={total}"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A new generation of a study, which holds the trials before the first that failed."""

    home: StudyHome
    spec: StudySpec
    kept: int
    failed: tuple[int, ...]


def begin_retry(store: Store, home: StudyHome) -> Retry:
    """A generation that goes on before the first failed trial; the old one stays as it is.

    Proposals learn from how earlier trials ended, so every trial after a failed one is the child of that failure: what
    is kept are the trials before it.

    Raises:
        HpsearchError: no trial failed.
        StorageError: the store cannot be written.
    """
    with StudyLock(home.lock):
        place = begun_place(home)
        # facts as they were stored, whatever was found of them since
        stored = reader_of(place, study=home.key)
        facts = stored.facts()
        failed = tuple(fact.number for fact in facts if fact.state == "failed")
        if not failed:
            raise HpsearchError(f"study {home.key!r}: none of its {len(facts)} trials has failed")
        spec = stored_spec(home, [f"budget.trials={len(facts)}"])
        new = store.new_generation(home.name)
        new.path.mkdir(parents=True)
        if isinstance(place, Database):
            remember_place(new, place)
        write_text(new.study_file, home.study_file.read_text(encoding="utf-8"))
        with FactStore.create(
            place if isinstance(place, Database) else new.facts,
            study=new.key,
            directions=[objective.direction for objective in spec.objectives],
            attributes={**stored.attributes, "creation": uuid.uuid4().hex},
            monitored=spec.objectives[0].metric,
        ) as copy:
            for fact in facts[: failed[0]]:
                copy.append(fact)
        _carry_over(home, new, facts[: failed[0]])
    return Retry(home=new, spec=spec, kept=failed[0], failed=failed)


def _carry_over(home: StudyHome, new: StudyHome, kept: Sequence[TrialFact]) -> None:
    """What `hpsearch why` has found of the trials that are kept stays beside them."""
    for fact in examined(home, kept):
        if fact.variations:
            keep(new, fact)
