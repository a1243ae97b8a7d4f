"""From raw data to what networks learn from: sources, splits, preprocessing, and the sealed test part.

The names are loaded when first used (PEP 562): a worker needs `hpsearch.data.prepared` alone, and pays for
no more.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hpsearch.data.preparation import PreparedData, prepare, prepare_raw
    from hpsearch.data.prepared import DataSummary, Part, RefitData, Task, TrainingData
    from hpsearch.data.preprocessing import Preprocessor
    from hpsearch.data.raw import RawData
    from hpsearch.data.sealed import SealedTest

__all__ = [
    "DataSummary",
    "Part",
    "PreparedData",
    "Preprocessor",
    "RawData",
    "RefitData",
    "SealedTest",
    "Task",
    "TrainingData",
    "prepare",
    "prepare_raw",
]

_HOMES: Final = {
    "DataSummary": "prepared",
    "Part": "prepared",
    "PreparedData": "preparation",
    "Preprocessor": "preprocessing",
    "RawData": "raw",
    "RefitData": "prepared",
    "SealedTest": "sealed",
    "Task": "prepared",
    "TrainingData": "prepared",
    "prepare": "preparation",
    "prepare_raw": "preparation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
