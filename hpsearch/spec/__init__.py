"""The study file: the model of it, its reader, its JSON schema. It imports no numpy.

The names are loaded when first used (PEP 562): a network's hyperparameters need no reader of files.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hpsearch.spec.cluster import Cluster
    from hpsearch.spec.conduct import Budget, EarlyStopping, Pruning, Sampler, Tracking
    from hpsearch.spec.dataset import DataSpec
    from hpsearch.spec.hyperparameters import Hyperparameters, ParameterValue
    from hpsearch.spec.inputs import ImageSpec, SequenceSpec, TextSpec, WindowSpec
    from hpsearch.spec.model import ModelSpec, Objective
    from hpsearch.spec.parameters import Choice, Fixed, Parameter, Range, is_active
    from hpsearch.spec.preprocessing import PreprocessSpec
    from hpsearch.spec.reader import load_study, parse_study
    from hpsearch.spec.schema import json_schema
    from hpsearch.spec.splitting import SplitSpec
    from hpsearch.spec.study import StudySpec

__all__ = [
    "Budget",
    "Choice",
    "Cluster",
    "DataSpec",
    "EarlyStopping",
    "Fixed",
    "Hyperparameters",
    "ImageSpec",
    "ModelSpec",
    "Objective",
    "Parameter",
    "ParameterValue",
    "PreprocessSpec",
    "Pruning",
    "Range",
    "Sampler",
    "SequenceSpec",
    "SplitSpec",
    "StudySpec",
    "TextSpec",
    "Tracking",
    "WindowSpec",
    "is_active",
    "json_schema",
    "load_study",
    "parse_study",
]

_HOMES: Final = {
    "Budget": "conduct",
    "Choice": "parameters",
    "Cluster": "cluster",
    "DataSpec": "dataset",
    "EarlyStopping": "conduct",
    "Fixed": "parameters",
    "Hyperparameters": "hyperparameters",
    "ImageSpec": "inputs",
    "ModelSpec": "model",
    "Objective": "model",
    "Parameter": "parameters",
    "ParameterValue": "hyperparameters",
    "PreprocessSpec": "preprocessing",
    "Pruning": "conduct",
    "Range": "parameters",
    "Sampler": "conduct",
    "SequenceSpec": "inputs",
    "SplitSpec": "splitting",
    "StudySpec": "study",
    "TextSpec": "inputs",
    "Tracking": "conduct",
    "WindowSpec": "inputs",
    "is_active": "parameters",
    "json_schema": "schema",
    "load_study": "reader",
    "parse_study": "reader",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
