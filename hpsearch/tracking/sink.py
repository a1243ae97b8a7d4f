"""Where runs are written to: the seam between what MLflow shall hold and how it gets there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from hpsearch.tracking.record import RunRecord

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Sink(Protocol):
    """One study's place in one MLflow.

    Everything may be called again with the same values and then changes nothing. Errors are MLflow's own.
    """

    @property
    def client(self) -> "MlflowClient":
        """For what is written once: files, the model, the view."""
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
