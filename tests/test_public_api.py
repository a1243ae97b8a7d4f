"""The public door: few names, sorted, loaded when they are used."""

import subprocess
import sys

import pytest

import hpsearch


def test_the_door_is_small_sorted_and_open():
    """At most ten names, in order, each of which can be had."""
    assert len(hpsearch.__all__) <= 10
    assert list(hpsearch.__all__) == sorted(hpsearch.__all__)
    for name in hpsearch.__all__:
        assert getattr(hpsearch, name) is not None
    assert dir(hpsearch) == hpsearch.__all__


def test_an_unknown_name_is_an_attribute_error():
    """As for any module."""
    with pytest.raises(AttributeError, match="no attribute 'best_param'"):
        hpsearch.best_param  # noqa: B018


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import hpsearch", {"numpy", "pandas", "optuna", "mlflow", "sklearn", "click", "pydantic"}),
        ("from hpsearch import best_params, load_model", {"mlflow", "sklearn", "click", "sqlalchemy"}),
        ("import hpsearch.cli", {"numpy", "pandas", "optuna", "mlflow", "sklearn", "rich"}),
        (
            "import hpsearch.cli.options",
            {"pydantic", "numpy", "pandas", "optuna", "mlflow", "sklearn", "rich"},
        ),
        ("import hpsearch.spec", {"numpy", "pandas", "optuna", "mlflow", "sklearn", "click"}),
        (
            "import hpsearch.engine, hpsearch.model",
            {"pydantic", "yaml", "pandas", "optuna", "mlflow", "sklearn", "click"},
        ),
        (
            "import hpsearch.execution.worker",
            {"pydantic", "yaml", "pandas", "optuna", "mlflow", "sklearn", "click"},
        ),
        ("import hpsearch.tracking", {"mlflow", "sqlalchemy"}),
        # what trials, show, best and status print comes from the facts alone
        (
            "import hpsearch.reading, hpsearch.results, hpsearch.cli.describe, hpsearch.upkeep.activity",
            {"numpy", "pandas", "optuna", "mlflow", "pydantic"},
        ),
    ],
)
def test_heavy_imports_wait_until_they_are_needed(statement, unwanted):
    """Importing a part does not load libraries that this part, or this use of it, has no need of."""
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not unwanted & set(loaded.split())
