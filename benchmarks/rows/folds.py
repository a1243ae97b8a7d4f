"""Cross-validation of one trial: 5 folds x 3 seeds, trained and scored."""

import statistics

from benchmarks.measure import Side, compare
from benchmarks.problem import Folds
from benchmarks.row import Result, Row


def measure() -> Result:
    """15 fits of ours against 15 of scikit-learn's, the same epochs."""
    options = {"problem": {"data": "iris"}}
    fits = Folds().folds_count * Folds().seeds
    measured = compare(
        {
            "ours": Side("benchmarks.ours.folds:Fits", options, units=fits),
            "peer": Side("benchmarks.peers.sklearn_folds:Fits", options, units=fits),
        },
        rounds=9,
        warmup=1,
    )
    ours, peer = measured["ours"], measured["peer"]
    low, _, high = statistics.quantiles((b / a for a, b in zip(ours.times, peer.times, strict=True)), n=4)
    return Result(
        ratio=peer.median / ours.median,
        ours=ours.median * 1e3,
        peer=peer.median * 1e3,
        unit="ms a fit",
        spread=(low, high),
        memory={"ours": ours.memory, "peer": peer.memory},
        note=f"iris, 4-32-32-3, batch 16, {Folds().epochs} epochs; mean accuracy {ours.report['accuracy']:.3f} "
        f"and {peer.report['accuracy']:.3f}",
    )


ROWS = [
    Row(
        name="folds",
        title="5 folds x 3 seeds of one trial on iris",
        against="scikit-learn's MLPClassifier, 15 fits",
        target=15,
        measure=measure,
    )
]
