"""Data that a function of one's own makes: called once, kept by content, data like any other from there on."""

import json
import sys

import pytest

from hpsearch import run_study
from tests.stories.test_own_trainer import EXAMPLES
from tests.support.studies import cli_here

QUICK = ("-S", "budget.trials=3", "-S", "space.epochs=3", "--workers", "1", "--quiet", "--json")


@pytest.fixture
def sales(tmp_path):
    """The page's example, in a directory of its own."""
    for name in ("sales.py", "sales.yaml"):
        (tmp_path / name).write_text(EXAMPLES[name], encoding="utf-8")
    yield tmp_path
    sys.modules.pop("sales", None)
    if str(tmp_path) in sys.path:
        sys.path.remove(str(tmp_path))


def test_a_study_learns_from_it_goes_on_with_the_same_and_refuses_other_data(sales):
    assert cli_here("validate", "sales.yaml", cwd=sales).returncode == 0
    refused = cli_here("run", "sales.yaml", cwd=sales)
    assert (refused.returncode, "--allow-code" in refused.stderr) == (2, True)
    assert not (sales / "mlruns" / "studies").exists()
    done = cli_here("run", "sales.yaml", "--allow-code", *QUICK, cwd=sales)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["test"]) >= {"rmse", "r2"}
    more = cli_here("extend", "sales", "--trials", "1", "--workers", "1", "--json", "--quiet", cwd=sales)
    assert more.returncode == 0, more.stderr
    again = cli_here("run", "sales.yaml", "--allow-code", *QUICK, cwd=sales)
    assert again.returncode == 0, again.stderr
    other = cli_here("run", "sales.yaml", "--allow-code", "-S", "data.arguments.year=2025", *QUICK, cwd=sales)
    assert (other.returncode, "data.source: mlruns/data/" in other.stderr) == (2, True)


@pytest.mark.parametrize("verb", ["preview", "data"])
def test_what_calls_no_code_says_so(sales, verb):
    done = cli_here(verb, "sales.yaml", cwd=sales)
    assert (done.returncode, "sales.yaml:3: data.source: sales:load is code" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise LookupError('no such year')", "sales:load failed (LookupError: no such year)"),
        ("return [1, 2]", "what sales:load returns must be (X, y) or a DataFrame, got list"),
        ("return np.zeros((4, 2)), np.zeros(3)", "what sales:load returns has 4 rows of X and 3 of y"),
    ],
)
def test_code_that_makes_no_data_is_told_at_its_line(sales, body, said):
    text = f"import numpy as np\n\n\ndef load(year):\n    {body}\n"
    (sales / "sales.py").write_text(text, encoding="utf-8")
    done = cli_here("run", "sales.yaml", "--allow-code", cwd=sales)
    assert done.returncode == 2
    assert "sales.yaml:3: data.source: " + said in done.stderr


def test_arguments_are_for_code(sales):
    text = "study: a\ndata: {source: sklearn/iris, arguments: {year: 1}}\n"
    (sales / "study.yaml").write_text(text, encoding="utf-8")
    done = cli_here("validate", "study.yaml", cwd=sales)
    assert (done.returncode, "data.arguments: is for a source that is code" in done.stderr) == (2, True)


def test_an_installed_package_offers_one_by_name(sales, monkeypatch):
    described = sales / "offer-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: offer\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("[hpsearch.sources]\nsales = sales:load\n")
    monkeypatch.syspath_prepend(str(sales))
    done = cli_here("run", "sales.yaml", "-S", "data.source=installed:sales", *QUICK, cwd=sales)
    assert done.returncode == 0, done.stderr
    done = cli_here("run", "sales.yaml", "-S", "data.source=installed:sale", *QUICK, cwd=sales)
    assert (done.returncode, "no installed source has the name sale" in done.stderr) == (2, True)


def test_a_program_hands_the_function_over(tmp_path):
    from sklearn.datasets import load_iris

    study = run_study(
        {"study": "handed", "space": {"epochs": 2}, "budget": {"trials": 1}},
        data=lambda: load_iris(return_X_y=True, as_frame=True),
        store=tmp_path,
        progress=False,
    )
    assert len(study.result.facts) == 1
