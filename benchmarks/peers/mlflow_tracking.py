"""MLflow: a run a trial with `log_params` once and `log_metrics` every epoch, on SQLite."""

import os
import tempfile
from typing import Any

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow


class Writes:
    """A repetition writes `trials` new trials; see `benchmarks.worker.Subject`."""

    def __init__(self, *, trials: int, epochs: int = 50) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="mlflow-bench-")
        mlflow.set_tracking_uri(f"sqlite:///{self._directory.name}/mlflow.db")
        mlflow.set_experiment("bench")
        self._trials, self._epochs, self._last = trials, epochs, ""

    def repeat(self) -> None:
        for _ in range(self._trials):
            with mlflow.start_run() as run:
                mlflow.log_params({f"parameter_{i}": i / 12 for i in range(12)})
                for epoch in range(self._epochs):
                    mlflow.log_metrics({f"curve_{i}": i + 1 / (epoch + 1) for i in range(6)}, step=epoch)
            self._last = run.info.run_id

    def report(self) -> dict[str, Any]:
        run = mlflow.get_run(self._last)
        history = mlflow.MlflowClient().get_metric_history(self._last, "curve_0")
        return {"params": len(run.data.params), "points": len(history)}
