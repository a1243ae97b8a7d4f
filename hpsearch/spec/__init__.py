"""The study file: the model of it, its reader, its JSON schema. It imports no numpy."""

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
