"""What a study should show: a number taken from its trials, and what it must be above or below."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from hpsearch.model import TrainedModel
from hpsearch.reading import open_for_reading
from hpsearch.search.fact import ParameterValue, TrialFact
from hpsearch.store import Store, load_result


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A study that was run to its end: its trials, what `result.json` holds, and the refitted winner."""

    facts: Sequence[TrialFact]
    result: Mapping[str, Any]
    model: TrainedModel

    @classmethod
    def read(cls, name: str, store: Store) -> Self:
        """The latest run of a study in a store."""
        home = store.find(name)
        return cls(
            facts=open_for_reading(home).facts(),
            result=load_result(home) or {},
            model=TrainedModel.load(home.model),
        )

    def trials(self, **params: ParameterValue) -> list[TrialFact]:
        """The trials that have these parameters, in the order of their numbers.

        Raises:
            LookupError: there is none: what was to be compared was not tried.
        """
        found = [
            fact
            for fact in self.facts
            if all(fact.params.get(name) == value for name, value in params.items())
        ]
        if not found:
            raise LookupError(f"{self.result.get('study')}: no trial with {params}")
        return found


Seen = Mapping[str, Sequence[Run]]
"""What was run: for each study its runs, one for each variant."""

Measure = Callable[[Seen], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A number that a study must show.

    `says` names it in words. It must be above `above` and below `below`, where they are given; reaching a bound is not
    enough. `anchor` says where the bound comes from.
    """

    says: str
    measure: Measure
    above: float | None = None
    below: float | None = None
    anchor: str = ""

    def __post_init__(self) -> None:
        if self.above is None and self.below is None:
            raise ValueError(f"{self.says}: an expectation needs a bound")

    def holds(self, value: float) -> bool:
        """Whether a measured value is as expected; what is no number never is."""
        return (self.above is None or value > self.above) and (self.below is None or value < self.below)

    @property
    def bound(self) -> str:
        """`> 0.969`, `< 5`, or both."""
        words = [f"> {self.above:g}"] if self.above is not None else []
        return ", ".join([*words, f"< {self.below:g}"] if self.below is not None else words)
