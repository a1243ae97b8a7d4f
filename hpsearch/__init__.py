"""hpsearch: hyperparameter search for neural networks, from one declarative file.

from hpsearch import best_params, load_model, run_study

run_study("study.yaml")             # as `hpsearch run` does; or a dictionary, with data=(X, y)
best = best_params("digits")        # an immutable mapping; best.learning_rate works as well
model = load_model("digits")        # predicts on raw inputs
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hpsearch.api import run_study
    from hpsearch.callbacks import Event
    from hpsearch.errors import HpsearchError
    from hpsearch.execution.trainers import TrainerData
    from hpsearch.results import BestParams, best_params, curves, leaderboard, load_model
    from hpsearch.spec import StudySpec

__all__ = [
    "BestParams",
    "Event",
    "HpsearchError",
    "StudySpec",
    "TrainerData",
    "best_params",
    "curves",
    "leaderboard",
    "load_model",
    "run_study",
]

_HOMES: Final = {
    "BestParams": "hpsearch.results",
    "Event": "hpsearch.callbacks",
    "HpsearchError": "hpsearch.errors",
    "StudySpec": "hpsearch.spec",
    "TrainerData": "hpsearch.execution.trainers",
    "best_params": "hpsearch.results",
    "curves": "hpsearch.results",
    "leaderboard": "hpsearch.results",
    "load_model": "hpsearch.results",
    "run_study": "hpsearch.api",
}


def __getattr__(name: str) -> Any:
    """Load public names when they are first used, so that importing hpsearch costs next to nothing (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'hpsearch' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
