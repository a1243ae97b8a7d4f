"""What a study is doing at this moment: who runs it, how far it is, and what it has found."""

import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from hpsearch.errors import HpsearchError, UnknownStudyError
from hpsearch.search.lock import Holder, holder_of
from hpsearch.store import StudyHome

if TYPE_CHECKING:
    from hpsearch.search.fact import TrialFact

Condition = Literal["running", "ended", "interrupted", "empty"]

_PAUSE: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A study as it stands.

    `condition`: "running" while a process holds it, "ended" when its search came to an end and its winner is refitted,
    "interrupted" otherwise, "empty" before its first trial. `trials` is the budget of its last run, None where
    that is not known. `states` counts trials by how they ended; `best` is the best finished trial's name and `value`
    its first objective, `metric`. `seconds` is the time spent in training, `last` when the last trial ended; `left` are
    the seconds until the budget of a running study is spent, at the pace of this run.
    """

    study: str
    condition: Condition
    runner: Holder | None
    done: int
    trials: int | None
    states: Mapping[str, int]
    metric: str
    best: str | None
    value: float | None
    seconds: float
    last: float | None
    left: float | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return asdict(self)


def activity(home: StudyHome) -> Activity:
    """How a study stands.

    Raises:
        StorageError: its facts cannot be read.
    """
    from hpsearch.archive import last_run  # noqa: PLC0415 - yaml
    from hpsearch.reading import begun_place, best_trial, first_metric  # noqa: PLC0415 - likewise
    from hpsearch.search.reader import reader_of  # noqa: PLC0415 - likewise

    runner, last = holder_of(home.lock), last_run(home)
    budget = last.get("trials")
    try:
        stored = reader_of(begun_place(home), study=home.key)
    except UnknownStudyError:
        return Activity(
            study=home.key,
            condition="running" if runner else "empty",
            runner=runner,
            done=0,
            trials=budget,
            states={},
            metric="",
            best=None,
            value=None,
            seconds=0.0,
            last=None,
        )
    facts = stored.facts()
    try:
        best = best_trial(facts, stored.directions, study=home.key)
    except HpsearchError:
        best = None
    ended = home.result.exists() and (last.get("ended") is not None or len(facts) >= (budget or 0))
    return Activity(
        study=home.key,
        condition="running" if runner else "ended" if ended else "interrupted",
        runner=runner,
        done=len(facts),
        trials=budget,
        states=dict(Counter(fact.state for fact in facts).most_common()),
        metric=first_metric(stored.attributes),
        best=best.name if best else None,
        value=best.values[0] if best and best.values else None,
        seconds=sum(fact.seconds for fact in facts),
        last=max((fact.started + fact.seconds for fact in facts), default=None),
        left=None if runner is None else _left(runner, facts, budget or 0),
    )


def _left(runner: Holder, facts: Sequence["TrialFact"], budget: int) -> float | None:
    """The seconds until the budget is spent, at the pace of the trials that have ended since the run began."""
    began = datetime.fromisoformat(runner.since).timestamp() if runner.since else time.time()
    done = sum(fact.started + fact.seconds >= began for fact in facts)
    return (time.time() - began) / done * (budget - len(facts)) if done and len(facts) < budget else None


def stop(home: StudyHome, *, patience: float) -> Holder:
    """Ask the process that runs a study to stop, and wait until it has; the holder that it was.

    Raises:
        HpsearchError: nobody runs the study, another machine does, or it has not stopped within `patience` seconds.
    """
    holder = holder_of(home.lock)
    if holder is None:
        raise HpsearchError(f"study {home.key!r} is not being run")
    if holder.host != socket.gethostname() or not holder.pid:
        raise HpsearchError(
            f"study {home.key!r} is run by process {holder.pid} on {holder.host}: stop it there"
        )
    try:
        os.kill(holder.pid, signal.SIGTERM)
    except ProcessLookupError:
        return holder
    except PermissionError as error:
        raise HpsearchError(f"process {holder.pid} belongs to someone else: they must stop it") from error
    deadline = time.monotonic() + patience
    while holder_of(home.lock) == holder:
        if time.monotonic() > deadline:
            raise HpsearchError(
                f"process {holder.pid} was asked to stop and has not within {patience:g} s; "
                f"`kill -9 {holder.pid}` ends it at once and loses nothing but the trials in flight"
            )
        time.sleep(_PAUSE)
    return holder
