"""From proposals to outcomes: cohorts are formed, trained on an executor, and retired in a fixed order."""

from hpsearch.execution.cohorts import CohortTask, TrialTask, form_cohorts
from hpsearch.execution.executors import open_executor
from hpsearch.execution.outcome import Outcome
from hpsearch.execution.pipeline import Pipeline
from hpsearch.execution.training import train_cohort
from hpsearch.execution.windows import depth, windows

__all__ = [
    "CohortTask",
    "Outcome",
    "Pipeline",
    "TrialTask",
    "depth",
    "form_cohorts",
    "open_executor",
    "train_cohort",
    "windows",
]
