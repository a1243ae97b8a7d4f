"""Metrics of one's own: followed, searched by and scored like hpsearch's."""

import json
from pathlib import Path

import pytest

from hpsearch import run_study
from hpsearch.errors import HpsearchError, SpecError
from hpsearch.spec import parse_study
from tests.stories.test_own_trainer import EXAMPLES
from tests.support import metrics
from tests.support.studies import cli_here, spec_of

STUDY = {
    "study": "judged",
    "data": {"source": "sklearn/iris"},
    "model": {"hidden": [8]},
    "space": {"epochs": 6, "learning_rate": {"min": 1e-3, "max": 1e-1, "log": True}},
    "budget": {"trials": 4},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Judged by a metric that hpsearch knows by another name, and by one that it does not know."""
    own = {
        "hits": {"direction": "maximize"},
        "sureness": {"direction": "maximize", "predictions": "probabilities"},
    }
    objective = {"metric": "validation_hits", "direction": "maximize"}
    return run_study(
        {**STUDY, "metrics": own, "objective": objective},
        metrics={"hits": metrics.hits, "sureness": metrics.sureness},
        store=tmp_path_factory.mktemp("store"),
        progress=False,
    )


def test_it_is_what_hpsearch_computes_of_the_same(study):
    """By epoch, at the end of a trial and on the test part."""
    for fact in study.result.facts:
        for part in ("train", "validation"):
            assert fact.curves[f"{part}_hits"] == fact.curves[f"{part}_accuracy"]
        assert all(1 / 3 <= sure <= 1 for sure in fact.curves["validation_sureness"])
    test = study.best.test
    assert test["hits"]["value"] == test["accuracy"]["value"]
    assert test["sureness"]["low"] < test["sureness"]["value"] < test["sureness"]["high"]
    winner = study.result.facts[study.best.trial]
    assert winner.values == pytest.approx([max(winner.curves["validation_hits"])])
    assert winner.scores["best_validation_sureness"] > 1 / 3


def test_report_refit_and_summary_take_it(study):
    """Other commands read what is stored; what trains again needs the code."""
    store = ("--store", study.store)
    assert cli_here("report", "judged", *store, cwd=".").returncode == 0
    refit = cli_here("refit", "judged", "--seeds", "2", "--json", *store, cwd=".")
    assert (refit.returncode, "is code, which runs" in refit.stderr) == (2, True)
    refit = cli_here("refit", "judged", "--seeds", "2", "--json", "--allow-code", *store, cwd=".")
    assert refit.returncode == 0, refit.stderr
    assert set(json.loads(refit.stdout)["test"]) >= {"accuracy", "hits", "sureness"}


def test_numbers_are_in_their_own_unit(tmp_path):
    """And a function of a package serves as it is."""
    own = {
        "furthest": {"direction": "minimize"},
        "median": {"function": "sklearn.metrics:median_absolute_error", "direction": "minimize"},
    }
    study = run_study(
        {**STUDY, "data": {"source": "sklearn/diabetes"}, "metrics": own},
        metrics={"furthest": metrics.furthest},
        store=tmp_path,
        progress=False,
        allow_code=True,
    )
    test = {name: score["value"] for name, score in study.best.test.items()}
    assert test["median"] < test["rmse"] < test["furthest"]
    assert test["furthest"] > 50


def test_one_that_fails_says_so(tmp_path):
    with pytest.raises(HpsearchError, match="metric broken failed: RuntimeError: no idea"):
        run_study(
            {**STUDY, "metrics": {"broken": {"direction": "minimize"}}},
            metrics={"broken": metrics.broken},
            store=tmp_path,
            progress=False,
        )


MISTAKES = [
    ("{f2: {function: 'a:b'}}", "metrics.f2.direction: is needed"),
    ("{f2: {function: a b, direction: maximize}}", "metrics.f2.function: must be an entry point's name, or"),
    ("3", "metrics: must be a mapping of names to metrics, got 3"),
    ("{f 2: {function: a, direction: maximize}}", "metrics.f 2: must be a name of letters"),
    (
        "{rmse: {function: a, direction: maximize}}",
        "metrics.rmse: is a metric of hpsearch's; give it another name",
    ),
    (
        "{f2: {function: a, direction: maximize}}\nobjective: {metric: validation_f2, direction: minimize}",
        "objective.direction: must be maximize, as metrics.f2 says, got minimize",
    ),
    (
        "{f2: {function: a, direction: maximize}}\ntrainer: x\nspace: {a: 1}",
        "metrics: cannot go with a trainer",
    ),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES, ids=[said.split(":")[0] for _, said in MISTAKES])
def test_mistakes_are_told_each_alone(text, said):
    with pytest.raises(SpecError) as caught:
        spec_of(f"study: s\ndata: {{source: sklearn/iris}}\nmetrics: {text}\n")
    (problem,) = str(caught.value).splitlines()
    assert said in problem


def test_a_study_with_metrics_is_written_as_it_is_read():
    text = "study: s\ndata: {source: sklearn/iris}\nmetrics: {f2: {function: 'a:b', direction: maximize}}\n"
    assert parse_study(parse_study(text).to_yaml()) == parse_study(text)


def test_the_example_of_the_page_runs(tmp_path):
    """With worker processes."""
    for name in ("money.py", "money.yaml"):
        Path(tmp_path, name).write_text(EXAMPLES[name], encoding="utf-8")
    options = ("-S", "budget.trials=3", "--allow-code", "--workers", "2", "--json")
    done = cli_here("run", tmp_path / "money.yaml", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert 0 <= result["test"]["cost"]["value"] < 3
    assert result["values"] == [result["scores"]["best_validation_cost"]]
