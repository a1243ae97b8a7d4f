"""Functions of one's own that are told how a study goes. What they do, or fail to do, changes nothing of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hpsearch.extensions import Extension
from hpsearch.search.fact import TrialFact
from hpsearch.search.proposals import Proposal

Kind = Literal["study_begins", "trial_begins", "trial_ends", "study_ends"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a callback is told.

    Attributes:
        kind: study_begins; trial_begins, when a trial has been proposed; trial_ends, when it has been stored, in the
            order of the trials' numbers; study_ends, when the winner has been tested.
        study: the study's name, with its generation from the second on.
        trial: the number of the trial that begins or ends.
        params: its parameters.
        fact: all that is known of the trial that has ended: state, reason, curves, scores, findings.
        result: of a study that has ended, what `result.json` holds: the winner, its parameters and test scores.
    """

    kind: Kind
    study: str
    trial: int | None = None
    params: Mapping[str, Any] | None = None
    fact: TrialFact | None = None
    result: Mapping[str, Any] | None = None


class Callbacks:
    """The callbacks of one run. The first exception of each is told as a warning, and nobody is hurt by it.

    Trials that were stored before the run, `stored` of them, are told to nobody.
    """

    def __init__(
        self, functions: Sequence[Extension], *, study: str, stored: int, warn: Callable[[str], None]
    ) -> None:
        self._functions, self._study, self._stored, self._warn = functions, study, stored, warn
        self._failed: set[str] = set()

    def study_begins(self) -> None:
        """Before the first trial."""
        self._tell(Event(kind="study_begins", study=self._study))

    def trial_begins(self, proposal: Proposal) -> None:
        """A trial has been proposed."""
        if proposal.number >= self._stored:
            self._tell(self._event("trial_begins", proposal.number, proposal.params))

    def trial_ends(self, fact: TrialFact) -> None:
        """A trial has been stored."""
        if fact.number >= self._stored:
            self._tell(self._event("trial_ends", fact.number, fact.params, fact=fact))

    def study_ends(self, result: Mapping[str, Any]) -> None:
        """After the winner has been tested."""
        self._tell(Event(kind="study_ends", study=self._study, result=result))

    def _event(self, kind: Kind, trial: int, params: Mapping[str, Any], **more: Any) -> Event:
        return Event(kind=kind, study=self._study, trial=trial, params=dict(params), **more)

    def _tell(self, event: Event) -> None:
        for extension in self._functions:
            try:
                extension.function(event)
            except Exception as error:  # noqa: BLE001 - it is somebody else's code
                if extension.name not in self._failed:
                    self._failed.add(extension.name)
                    reason = f"{type(error).__name__}: {error}"
                    self._warn(
                        f"callback {extension.name} failed at {event.kind}, the study goes on: {reason}"
                    )
