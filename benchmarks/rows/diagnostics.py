"""What looking into networks costs: layers' gradients, movement and idle units in the epochs that are sampled."""

from dataclasses import asdict
from functools import partial

from benchmarks.measure import Side, compare
from benchmarks.problem import Case
from benchmarks.row import Result, Row

_CASES = {
    "64-64-64-10, 8 together": (Case((64, 64, 64, 10), batch=32, samples=1490), 8),
    "64-64-64-10, alone": (Case((64, 64, 64, 10), batch=32, samples=1490), 1),
    "64-16-10, 16 together": (Case((64, 16, 10), batch=32, samples=1490), 16),
    "784-300-100-10, alone": (Case((784, 300, 100, 10), batch=64, samples=1700), 1),
}
_EPOCHS, _ROUNDS = 30, 15


def measure() -> Result:
    """Percent of the processor time of training and judging, 30 epochs: the dearest of some shapes."""
    costs = {name: _cost(*case) for name, case in _CASES.items()}
    worst = max(costs, key=costs.__getitem__)
    return Result(
        ratio=max(costs[worst], 0.01),  # a cost within the noise may come out below zero
        ours=costs[worst],
        peer=0.0,
        unit="% of the training's processor time",
        variants=costs,
        note=f"the dearest is {worst}; {_EPOCHS} epochs, of which 10 are looked into",
    )


def _cost(case: Case, networks: int) -> float:
    """The difference of the least processor times, in percent: what disturbs only adds to them."""
    options = {"case": asdict(case), "networks": networks, "epochs": _EPOCHS}
    side = partial(Side, "benchmarks.ours.diagnostics:Trials")
    measured = compare(
        {"with": side({**options, "sampled": True}), "without": side({**options, "sampled": False})},
        rounds=_ROUNDS,
        warmup=1,
    )
    least = {name: min(side.report["processor"]) for name, side in measured.items()}
    return 100 * (least["with"] / least["without"] - 1)


ROWS = [
    Row(
        name="diagnostics",
        title="statistics of layers (gradients, movement, idle units), % of the training's processor time",
        against="the same training without",
        target=3,
        at_most=True,
        measure=measure,
    )
]
