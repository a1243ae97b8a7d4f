"""What a report is made of, read from a study's home."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hpsearch.errors import UnknownStudyError
from hpsearch.judgment.importance import Importance, importances
from hpsearch.reading import begun_place
from hpsearch.search.examined import examined
from hpsearch.search.fact import TrialFact
from hpsearch.search.facts import FactStore
from hpsearch.search.ranking import ranked
from hpsearch.store import StudyHome, load_nested, load_result

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A study as it stands: its trials, the winner's result and nested scores ({} while there are none), its origin.

    `best` are the finished trials, best first. `metric` and `direction` are the first objective's.
    """

    key: str
    facts: Sequence[TrialFact]
    best: Sequence[TrialFact]
    metric: str
    direction: str
    result: Mapping[str, Any]
    nested: Mapping[str, Any]
    attributes: Mapping[str, Any]
    study_file: str
    optuna_study: "optuna.Study"

    @property
    def minimized(self) -> bool:
        """Whether a smaller objective is better."""
        return self.direction == "minimize"

    @property
    def searched(self) -> tuple[str, ...]:
        """The parameters that vary, in the study file's order."""
        drawn = {name for fact in self.facts for name in fact.distributions}
        return tuple(name for name in self.attributes["canonical"]["space"] if name in drawn)

    @property
    def verdicts(self) -> tuple[str, ...]:
        """What the trials' curves say, the most frequent first: a verdict has one colour in all figures."""
        return tuple(verdict for verdict, _ in Counter(fact.verdict for fact in self.facts).most_common())

    @property
    def importances(self) -> dict[str, Importance]:
        """How much each of them decides the order of the finished trials, the greatest first."""
        finished = sorted(self.best, key=lambda fact: fact.number)
        values = np.array([fact.values[0] if fact.values else np.nan for fact in finished])
        losses = values if self.minimized else -values
        return importances(losses, [fact.params for fact in finished], self.searched)

    @property
    def winner(self) -> TrialFact | None:
        """The trial that was refitted; before that the best so far."""
        if self.result:
            return self.facts[int(self.result["trial"])]
        return self.best[0] if self.best else None


def gather(home: StudyHome) -> Material:
    """Read a study.

    Raises:
        UnknownStudyError: it holds no trials yet.
        StorageError: it cannot be read.
    """
    store = FactStore.open(begun_place(home), study=home.key)
    facts, attributes = examined(home, store.facts()), store.attributes
    if not facts:
        raise UnknownStudyError(f"study {home.key!r} holds no trials yet; go on with `hpsearch run FILE`")
    canonical = attributes["canonical"]
    first = (canonical.get("objectives") or [canonical["objective"]])[0]
    return Material(
        key=home.key,
        facts=facts,
        best=ranked(facts, store.directions),
        metric=first["metric"],
        direction=first["direction"],
        result=load_result(home) or {},
        nested=load_nested(home) or {},
        attributes=attributes,
        study_file=home.study_file.read_text(encoding="utf-8"),
        optuna_study=store.study,
    )
