"""The result of a row that compares training steps: our best variant against the peer's best."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from benchmarks.measure import Measured, Side
from benchmarks.problem import Case, Layered
from benchmarks.row import Result

_SECONDS_A_REPETITION = 0.06


def step_side(target: str, case: Case | Layered, together: int, microseconds: float, **options: object) -> Side:
    """A side that trains so many networks at once for whole epochs; `microseconds` is a guess of one's step."""
    epochs = max(1, round(_SECONDS_A_REPETITION / (microseconds * together * 1e-6 * case.steps)))
    return Side(target, {"case": asdict(case), "epochs": epochs, **options}, units=epochs * case.steps * together)


def step_result(
    measured: Mapping[str, Measured],
    *,
    ours: Sequence[str],
    peers: Sequence[str],
    others: Sequence[str] = (),
    peak: float | None = None,
) -> Result:
    """From the measured variants by name; `peak` is seconds of the arithmetic alone."""

    def median(name: str) -> float:
        return measured[name].median

    mine, theirs = min(ours, key=median), min(peers, key=median)
    pairs = [b / a for a, b in zip(measured[mine].times, measured[theirs].times, strict=True)]
    low, _, high = statistics.quantiles(pairs, n=4)
    return Result(
        ratio=median(theirs) / median(mine),
        ours=median(mine) * 1e6,
        peer=median(theirs) * 1e6,
        unit="us a step",
        spread=(low, high),
        peer_variant=theirs,
        variants={name: median(name) * 1e6 for name in [*ours, *peers, *others]},
        peak=None if peak is None else peak / median(mine),
        memory={"ours": measured[mine].memory, "peer": measured[theirs].memory},
        note=mine,
        details={"loss": {name: m.report["loss"] for name, m in measured.items()}},
    )
