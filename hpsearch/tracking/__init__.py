"""The projection of trial facts to MLflow: idempotent, allowed to lag or to be down. Alone imports mlflow."""

from hpsearch.tracking.probe import warn_early
from hpsearch.tracking.projector import SyncReport, attach_files, sync
from hpsearch.tracking.runs import run_id
from hpsearch.tracking.server import UiServer, ui_server
from hpsearch.tracking.tracker import Tracker

__all__ = ["SyncReport", "Tracker", "UiServer", "attach_files", "run_id", "sync", "ui_server", "warn_early"]
