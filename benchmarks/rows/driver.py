"""What the driver costs a trial, and whether it stays that way: with 100, 1,000 and 10,000 trials known."""

import statistics
from typing import Any

from benchmarks.measure import cores, run
from benchmarks.row import Result, Row

_KNOWN, _MEASURED = (100, 1_000, 10_000), 96
_ROUNDS = {100: 2, 1_000: 2, 10_000: 1}  # to store and replay ten thousand trials takes most of the time


def measure() -> Result:
    """Milliseconds a trial of proposing, retiring, appending and telling; training is not counted."""
    reports: dict[int, list[dict[str, Any]]] = {known: [] for known in _KNOWN}
    for turn in range(max(_ROUNDS.values())):
        for known in (known for known in _KNOWN if turn < _ROUNDS[known]):
            options = {"trials": known, "measured": _MEASURED, "tracking": turn == 0}
            reports[known].append(run("benchmarks.ours.driver", options, on=cores()[-1:]).report)
    overhead = {known: _median(of_known, "overhead") for known, of_known in reports.items()}
    phases = {
        f"{known:,} known: {phase}": statistics.median(r["phases"][phase] for r in of_known if phase in r["phases"])
        for known, of_known in reports.items()
        for phase in of_known[0]["phases"]
    }
    return Result(
        ratio=overhead[_KNOWN[-1]] / overhead[_KNOWN[0]],
        ours=overhead[_KNOWN[-1]],
        peer=overhead[_KNOWN[0]],
        unit="ms a trial",
        variants={f"{known:,} known": value for known, value in overhead.items()} | phases,
        note=f"`tracking, beside` is the background process's; resuming replays 10,000 trials at "
        f"{_median(reports[_KNOWN[-1]], 'replay'):.2f} ms each",
    )


def _median(reports: list[dict[str, Any]], name: str) -> float:
    return statistics.median(report[name] for report in reports)


ROWS = [
    Row(
        name="driver",
        title="driver overhead per trial (propose, retire, append the fact, hand to tracking), 10,000 trials known",
        against="itself with 100",
        target=2,
        at_most=True,
        measure=measure,
    )
]
