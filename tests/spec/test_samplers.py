"""The table of samplers against Optuna itself."""

import inspect

import pytest

from hpsearch.spec.conduct import Sampler
from hpsearch.spec.samplers import METHODS

CLASSES = {
    "tpe": "TPESampler",
    "random": "RandomSampler",
    "qmc": "QMCSampler",
    "cmaes": "CmaEsSampler",
    "nsga2": "NSGAIISampler",
    "gp": "GPSampler",
}
OPTIONS = [(name, key) for name in CLASSES for key in METHODS[name].options]


def parameter(name, key):
    import optuna

    return inspect.signature(getattr(optuna.samplers, CLASSES[name])).parameters[key]


def test_every_sampler_but_the_grid_is_optunas():
    assert (
        {*CLASSES, "grid"} == set(METHODS) == set(Sampler.model_json_schema()["properties"]["name"]["enum"])
    )


@pytest.mark.parametrize(("name", "key"), OPTIONS)
def test_an_option_is_one_of_optunas_by_name_and_type(name, key):
    """`bool`, `int`, `float` or `str` in Optuna's signature is what our rule takes."""
    declared = str(parameter(name, key).annotation).replace(" | None", "")
    kinds = {"bool": "boolean", "int": "integer", "float": "number", "str": "choice"}
    assert METHODS[name].options[key].rule.kind == kinds[declared]


@pytest.mark.parametrize(("name", "key"), OPTIONS)
def test_the_documented_default_is_optunas(name, key):
    """Where Optuna's default is a value; where it is None, it follows from the study and is told in words."""
    default = parameter(name, key).default
    if default is not None:
        word = str(default).lower() if isinstance(default, bool) else str(default)
        assert METHODS[name].options[key].default == word


def test_gp_is_refused_without_its_library(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"gp needs PyTorch, which is not installed"):
        Sampler(name="gp")


def test_gp_is_taken_where_its_library_is(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    assert Sampler(name="gp").name == "gp"
