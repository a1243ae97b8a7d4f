"""Where runs are written to: the seam between what MLflow shall hold and how it gets there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hpsearch.store import StudyHome
from hpsearch.tracking.record import RunRecord
from hpsearch.tracking.registration import Registration

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetUse:
    """A data set as MLflow names it, and what a run uses it for. `source` and `profile` are JSON."""

    name: str
    digest: str
    source_type: str
    source: str
    profile: str
    context: str


class Sink(Protocol):
    """One study's place in one MLflow.

    Everything may be called again with the same values and then changes nothing. Errors are MLflow's own.
    """

    @property
    def client(self) -> "MlflowClient":
        """MLflow's client for the same place."""
        ...

    @property
    def experiment(self) -> str:
        """The id of the study's experiment."""
        ...

    def survey(self) -> None:
        """Look at what is there now, whoever deleted what since the last look.

        Raises:
            TrackingError: the database itself was removed or replaced.
        """
        ...

    def projected(self, numbers: Sequence[int]) -> set[int]:
        """Those of the trials whose runs are there, whole, not deleted, of today's projection."""
        ...

    def write(self, records: Sequence[RunRecord]) -> None:
        """Make the trials' runs equal to the records, whatever was there of them."""
        ...

    def write_study(self, record: RunRecord) -> str:
        """Make or renew the study's run; tags and metrics that others added stay. Its id."""
        ...

    def run_ids(self) -> dict[str, str] | None:
        """Run ids by trial that the server gave out; None where they follow from the identity."""
        ...

    def tag_experiment(self, key: str, value: str) -> None:
        """Set one tag of the experiment."""
        ...

    def tag_of_run(self, run_id: str, key: str) -> str | None:
        """One tag of a run, None where it has none."""
        ...

    def tag_run(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run."""
        ...

    def attach_file(self, run_id: str, path: Path) -> None:
        """Put a file among a run's artifacts."""
        ...

    def use_dataset(self, run_id: str, dataset: DatasetUse) -> None:
        """Link a data set to a run."""
        ...

    def log_model(self, run_id: str, home: StudyHome, params: Mapping[str, Any]) -> str:
        """Log the model in a study's home, a new one at every call; its URI."""
        ...

    def register(self, new: Registration) -> None:
        """Enter a logged model as a new version under its study's name, and move the alias to it if it is better."""
        ...
