"""What it costs to have a trial in MLflow: 12 parameters and 6 curves of 50 epochs, on a local SQLite database."""

import statistics

from benchmarks.measure import Side, compare
from benchmarks.row import Result, Row


def measure() -> Result:
    """50 of our trials in a transaction, as the writer takes them when there are as many, and one by one."""
    measured = compare(
        {
            "50 in a transaction": Side("benchmarks.ours.tracking:Writes", {"trials": 50}, units=50),
            "1 in a transaction": Side("benchmarks.ours.tracking:Writes", {"trials": 1}),
            "peer": Side("benchmarks.peers.mlflow_tracking:Writes", {"trials": 2}, units=2),
        },
        rounds=9,
    )
    ours, peer = measured["50 in a transaction"], measured["peer"]
    low, _, high = statistics.quantiles((b / a for a, b in zip(ours.times, peer.times, strict=True)), n=4)
    return Result(
        ratio=peer.median / ours.median,
        ours=ours.median * 1e3,
        peer=peer.median * 1e3,
        unit="ms a trial",
        spread=(low, high),
        variants={name: side.median * 1e3 for name, side in measured.items()},
        memory={"ours": ours.memory, "peer": peer.memory},
        note=f"read back through MLflow's client: {ours.report['points']} points a curve and {ours.report['params']} "
        f"parameters of ours, {peer.report['points']} and {peer.report['params']} of the peer",
    )


ROWS = [
    Row(
        name="tracking",
        title="tracking: MLflow writes per trial, 12 parameters, 6 curves of 50 epochs",
        against="`mlflow.log_metrics` per epoch",
        target=20,
        measure=measure,
    )
]
