"""The background writer: a process of its own that follows a study's facts into MLflow.

It is started with the paths as one line of JSON on its standard input, and reads nothing else from its driver
but `finish`. The end of the input, however it came about, means that the driver is gone: what is stored by
then is still projected. Its last line of output is the report, or the error.
"""

import json
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from hpsearch.errors import HpsearchError, StorageError, TrackingError
from hpsearch.leaving import leave_at_once
from hpsearch.search.places import Place, place_of
from hpsearch.store import Store, StudyHome
from hpsearch.tracking.card import StudyCard
from hpsearch.tracking.environment import quieten
from hpsearch.tracking.identity import Identity
from hpsearch.tracking.projector import Projector

_POLL: Final = 0.25
_ASK_SECONDS: Final = 2.0  # between two questions to a database
_NICENESS: Final = 10
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0


def main() -> None:
    """Follow the study named on standard input until its driver says `finish` or is gone."""
    leave_at_once()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides when the run is over
    os.nice(_NICENESS)  # the cores belong to the search
    quieten(os.environ)
    order = json.loads(sys.stdin.readline() or "null")
    if order is None:
        return
    report = json.dumps(follow(order)) + "\n"
    with suppress(OSError):  # nobody may be there to read it
        os.write(sys.stdout.fileno(), report.encode())


def follow(order: Mapping[str, Any]) -> dict[str, Any]:
    """Project until the driver is done with the study; the report as JSON."""
    home = StudyHome(path=Path(order["home"]), name=order["name"], generation=order["generation"])
    try:
        card = StudyCard.from_json(order["card"]) if order["card"] else None
        projector = Projector(Store(Path(order["store"])), home, Identity(**order["identity"]), card)
        tail(projector, place_of(home))
        return asdict(projector.finish())
    except HpsearchError as error:
        return {"error": str(error)}


def tail(projector: Projector, place: Place) -> None:
    """Project new facts as they come, until standard input says `finish` or ends.

    While MLflow is away it is asked less and less often, at least every half minute: the facts wait.
    """
    seen, pause, resume = -1, _FIRST_PAUSE, 0.0
    while not _told_to_finish(_POLL):
        mark = _mark(place)
        if mark == seen or time.monotonic() < resume:
            continue
        try:
            projector.catch_up()
        except (TrackingError, StorageError) as error:
            sys.stderr.write(f"{error}\n")
            sys.stderr.flush()
            resume, pause = time.monotonic() + pause, min(2 * pause, _LONGEST_PAUSE)
        else:
            seen, pause = mark, _FIRST_PAUSE


def _mark(place: Place) -> int:
    """What changes when there may be new facts: the journal's size, or, for a database, the time."""
    if isinstance(place, Path):
        return place.stat().st_size if place.exists() else -1
    return int(time.monotonic() / _ASK_SECONDS)


def _told_to_finish(seconds: float) -> bool:
    """Whether the driver said `finish`, or is gone; waits at most so long for it."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(readable)
