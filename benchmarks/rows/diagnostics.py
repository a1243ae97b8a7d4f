"""What looking into networks costs: layers' gradients, movement, distance and idle units in the epochs that are sampled."""

import statistics
from dataclasses import asdict

from benchmarks.measure import Side, compare
from benchmarks.problem import Case
from benchmarks.row import Result, Row

_CASES = {
    "64-64-64-10, 8 together": (Case((64, 64, 64, 10), batch=32, samples=1490), 8),
    "64-64-64-10, alone": (Case((64, 64, 64, 10), batch=32, samples=1490), 1),
    "64-16-10, 16 together": (Case((64, 16, 10), batch=32, samples=1490), 16),
    "784-300-100-10, alone": (Case((784, 300, 100, 10), batch=64, samples=1700), 1),
}
_EPOCHS, _PROCESSES, _PAIRS = 30, 3, 10


def measure() -> Result:
    """Percent of the processor time of training and judging, 30 epochs: the dearest of some shapes."""
    costs = {name: _cost(*case) for name, case in _CASES.items()}
    middle = {name: statistics.median(each) for name, each in costs.items()}
    worst = max(middle, key=middle.__getitem__)
    low, _, high = statistics.quantiles(costs[worst], n=4)
    return Result(
        ratio=max(middle[worst], 0.01),  # a cost within the noise may come out below zero
        ours=middle[worst],
        peer=0.0,
        unit="% of the training's processor time",
        spread=(low, high),
        variants=middle,
        note=f"the dearest is {worst}; {_EPOCHS} epochs, of which 9 are looked into; the median of "
        f"{_PROCESSES * _PAIRS} pairs of trainings with and without, in {_PROCESSES} processes",
    )


def _cost(case: Case, networks: int) -> list[float]:
    """By how many percent each training with is dearer than the one without beside it, in processor time."""
    side = Side(
        "benchmarks.ours.diagnostics:Trials", {"case": asdict(case), "networks": networks, "epochs": _EPOCHS}
    )
    costs = []
    for _ in range(_PROCESSES):
        measured = compare({"both": side}, rounds=_PAIRS, warmup=1)["both"]
        costs += [100 * (with_ / without - 1) for with_, without in measured.report["pairs"][1:]]
    return costs


ROWS = [
    Row(
        name="diagnostics",
        title="statistics of layers (gradients, movement, distance, idle units), % of the training's processor time",
        against="the same training without",
        target=3,
        at_most=True,
        measure=measure,
    )
]
