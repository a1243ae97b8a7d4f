"""The JSON schema accepts what the reader accepts, as far as single values go."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.errors import SpecError
from hpsearch.spec import json_schema, parse_study
from hpsearch.spec.conduct import PRUNING_RULES
from hpsearch.spec.document import read_document
from hpsearch.spec.registry import REGISTRY
from hpsearch.spec.samplers import METHODS
from hpsearch.spec.yaml_text import dump
from tests.support.json_schema import accepts
from tests.support.specs import SMALLEST, forbidden, parameters, studies

SCHEMA = json_schema()
STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*.yaml"))


def is_read(study):
    try:
        parse_study(dump(study))
    except SpecError:
        return False
    return True


@settings(deadline=None, max_examples=60)
@given(studies())
def test_a_valid_study_is_valid_by_the_schema(study):
    assert accepts(SCHEMA, study)
    assert accepts(SCHEMA, parse_study(dump(study)).written())


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_studies_that_come_along_are_valid_by_the_schema(path):
    assert accepts(SCHEMA, read_document(path.read_text(encoding="utf-8"), path.name).values)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(sorted(REGISTRY)), st.data())
def test_reader_and_schema_agree_on_every_hyperparameter(name, data):
    """On values that its rule allows and on values that it forbids, in the forms of a parameter."""
    rule = REGISTRY[name].rule
    bad = data.draw(forbidden(rule))
    form = data.draw(st.one_of(parameters(rule), st.sampled_from([[bad], {"value": bad}])))
    if isinstance(bad, float) and not math.isfinite(bad):
        return  # JSON has no such numbers
    study = {**SMALLEST, "space": {name: form}}
    assert accepts(SCHEMA, study) is is_read(study)


WRITTEN = [
    ("study", ["a b", "-x", "x" * 65, 3, None, "x" * 64]),
    ("seed", [-1, 2**32, True, 1.5, "1"]),
    (
        "data",
        [
            {},
            None,
            {"source": "sklearn/moons"},
            {"source": "a.xls"},
            {"source": "http://a/b.csv", "target": "y"},
        ],
    ),
    (
        "data",
        [
            {"source": "a.npz"},
            {"source": "A.NPZ"},
            {"source": "a.npz", "drop": "x"},
            {"source": "a.npz", "target": []},
        ],
    ),
    ("data", [{"source": "a.npz", "split": {"test": 1}}, {"source": "a.npz", "split": {"stratify": "yes"}}]),
    (
        "model",
        [
            {"hidden": 64},
            {"hidden": [0]},
            {"hidden": [1.5]},
            {"hidden": [64] * 65},
            {"hidden": "$1"},
            {"depth": -1},
        ],
    ),
    ("model", [{"activation": None}, {"width": None}, {"loss": "x"}, {"relu": 1}, [], {"hidden": []}]),
    (
        "space",
        [
            None,
            [],
            {"1a": 1},
            {"dropout": {}},
            {"dropout": {"min": 0}},
            {"dropout": {"value": 0.1, "values": [0.1]}},
        ],
    ),
    (
        "space",
        [
            {"l2": {"min": 0.1, "max": 1, "log": 1}},
            {"l2": {"min": 0.1, "max": 1, "step": 0}},
            {"l2": []},
            {"l2": [0, 0]},
        ],
    ),
    (
        "space",
        [
            {"l2": {"min": 0.1, "max": 1, "step": None}},
            {"l2": {"min": 0.1, "max": 1, "when": 1}},
            {},
            {"max_norm": [None, 1]},
        ],
    ),
    (
        "objective",
        [{"metric": "accuracy", "direction": "maximize"}, {"direction": "up"}, None, {"value": "last"}, {}],
    ),
    ("objectives", [[], None, [{"direction": "minimize"}], [1]]),
    ("early_stopping", [None, False, "none", "off", True, {"patience": 0}, {"patience": None}, "yes", 5]),
    (
        "pruning",
        [None, False, "off", *PRUNING_RULES, "medan", {"rule": "hyperband"}, {"percentile": 100}, True, 3],
    ),
    (
        "sampler",
        [
            *sorted(set(METHODS) - {"gp", "grid"}),
            "x",
            {},
            None,
            {"name": "tpe", "n_ei_candidates": 0},
            {"n_ei_candidates": 3},
        ],
    ),
    (
        "sampler",
        [
            {"name": "random", "n_startup_trials": 3},
            {"name": "qmc", "scramble": True},
            {"name": "qmc", "scramble": "x"},
        ],
    ),
    (
        "budget",
        [
            {"time": "5x"},
            {"time": ""},
            {"time": "1h2m3s"},
            {"time": "2m1h"},
            {"time": -1},
            {"trials": 0},
            {"in_flight": "auto"},
        ],
    ),
    ("tracking", [{"uri": ""}, {"uri": " "}, {"uri": None}, {"experiment": 3}, {"server": "x"}]),
    ("unknown", [1]),
]


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in WRITTEN for value in values], ids=str
)
def test_reader_and_schema_agree_on_every_section(key, value):
    study = {**SMALLEST, key: value}
    assert accepts(SCHEMA, study) is is_read(study)


def test_the_schema_is_json_and_describes_every_key():
    text = json.dumps(SCHEMA)
    assert json.loads(text) == SCHEMA
    assert all(schema.get("description") for schema in SCHEMA["properties"].values())
