"""From a CSV file to predictions, and on: init, run, extend, retry, refit, predict, in the background too."""

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from hpsearch.search.facts import FactStore
from tests.support.studies import QUICK, as_json, cli, cli_here, run_quick, write_houses

SMALL = (
    "-S",
    "budget.trials=3",
    "-S",
    "space.epochs.max=25",
    "-S",
    "data.split={test: 0.2}",
    "--workers",
    "1",
)


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    """A directory with a table, the study that `init` writes for it, and a run of that."""
    directory = tmp_path_factory.mktemp("houses")
    write_houses(directory / "houses.csv")
    begun = cli_here("init", "houses.csv", "--target", "price", cwd=directory)
    assert begun.returncode == 0, begun.stderr
    done = cli_here("run", "study.yaml", *SMALL, cwd=directory)
    assert done.returncode == 0, done.stderr
    return directory


def test_predict_writes_a_file_and_warns_of_what_is_unlike(houses):
    """Unseen categories, numbers beyond the range, a missing column, columns that are not used."""
    table = pd.read_csv(houses / "houses.csv").drop(columns=["year"])
    table.loc[0, "district"] = "moon"
    table.loc[1, "area"] = 10_000.0
    table["colour"] = "red"
    table.to_csv(houses / "new.csv", index=False)
    done = cli_here("predict", "houses", "new.csv", "-o", "out.csv", cwd=houses)
    assert done.returncode == 0, done.stderr
    predicted = pd.read_csv(houses / "out.csv")
    assert list(predicted) == ["price"]
    assert len(predicted) == len(table)
    for words in (
        "column 'year' is missing",
        "column 'district': 1 rows of categories not seen in training: 'moon'",
        "column 'area': 1 of 200 values beyond the training data's",
        "columns that the model does not use: 'colour'",
    ):
        assert words in done.stderr
    strict = cli_here("predict", "houses", "new.csv", "--strict", cwd=houses)
    assert (strict.returncode, strict.stdout) == (2, "")


def test_predict_of_the_training_table_is_silent_and_the_same_as_in_python(houses):
    """CSV on standard output, and no warning; JSON for programs."""
    from hpsearch import load_model

    done = cli_here("predict", "houses", "houses.csv", cwd=houses)
    assert done.stderr == "Next: hpsearch predict houses houses.csv -o predictions.csv\n"
    expected = load_model("houses", store=houses / "mlruns").predict(pd.read_csv(houses / "houses.csv"))
    assert [float(line) for line in done.stdout.splitlines()[1:]] == pytest.approx(expected.tolist())
    rows = as_json("predict", "mlruns/studies/houses/model", "houses.csv", cwd=houses)
    assert [row["price"] for row in rows] == pytest.approx(expected.tolist())


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (
            ("predict", "houses", "other.csv"),
            "other.csv: has none of the columns that the model learned from",
        ),
        (("predict", "houses", "huoses.csv"), "error: huoses.csv: there is no file huoses.csv; did you mean"),
        (
            ("predict", "houses", "nothing.npz"),
            "error: nothing.npz: there is no file nothing.npz; check the path",
        ),
        (("export", "mlruns/studies/houses/model", "-o", "x.py"), "name the study, not mlruns/studies"),
        (("report", "houses", "-o", "nowhere/x.html"), "name another file with -o"),
    ],
)
def test_mistakes_with_a_model_are_told_in_its_terms(houses, typed, words):
    """No key of a study file, no advice to run it again."""
    (houses / "other.csv").write_text("p,q\n1,2\n")
    done = cli_here(*typed, cwd=houses)
    assert (done.returncode in (1, 2), words in done.stderr) == (True, True), done.stderr


def test_probabilities_come_by_class(tmp_path):
    """They sum to one."""
    run_quick(tmp_path / "mlruns", budget__trials=2)
    np.savez(tmp_path / "x.npz", X=np.array([[5.1, 3.5, 1.4, 0.2], [6.2, 2.9, 4.3, 1.3]]))
    rows = as_json("predict", "quick", "x.npz", "--proba", cwd=tmp_path)
    assert len(rows) == 2
    for row in rows:
        assert sum(value for name, value in row.items() if name.startswith("P(")) == pytest.approx(1)


def test_extend_trains_more_without_the_file_and_comes_out_as_one_run(tmp_path):
    """The trial table is that of a budget which was as large from the start."""
    long, _ = run_quick(tmp_path / "long", budget__trials=9)
    run_quick(tmp_path / "mlruns", budget__trials=4)
    summary = as_json("extend", "quick", "--trials", "5", "--workers", "1", "--quiet", cwd=tmp_path)
    assert summary["trials"] == 9
    trials = as_json("trials", "quick", "--sort", "number", cwd=tmp_path)
    assert [trial["params"] for trial in trials] == [dict(fact.params) for fact in long.facts]
    assert as_json("status", "quick", cwd=tmp_path)["trials"] == 9


def test_only_the_latest_generation_is_extended(tmp_path):
    """Another one is refused by name."""
    run_quick(tmp_path / "mlruns", budget__trials=2)
    run_quick(tmp_path / "mlruns", fresh=True, budget__trials=2)
    done = cli_here("extend", "quick~1", cwd=tmp_path)
    assert (done.returncode, "latest generation of quick, which is quick~2" in done.stderr) == (2, True)


def test_retry_trains_what_failed_in_a_new_generation(tmp_path):
    """Trials before the failure are kept as they are; the table comes out as if nothing had failed."""
    whole, _ = run_quick(tmp_path / "mlruns", budget__trials=8)
    home = whole.home
    with FactStore.open(home.facts, study="quick") as stored:
        facts, attributes, directions = stored.facts(), dict(stored.attributes), stored.directions
    facts[5] = replace(facts[5], state="failed", values=None, reason="MemoryError")
    home.facts.unlink()
    with FactStore.create(home.facts, study="quick", directions=directions, attributes=attributes) as copy:
        for fact in facts:
            copy.append(fact)
    done = cli_here("retry", "quick", "--failed", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "failed: 5; quick~2 keeps the 5 trials before them" in done.stderr
    again = as_json("trials", "quick~2", "--sort", "number", cwd=tmp_path)
    assert [trial["params"] for trial in again] == [dict(fact.params) for fact in whole.facts]
    assert [trial["state"] for trial in again] == [fact.state for fact in whole.facts]
    none = cli_here("retry", "quick~2", "--failed", cwd=tmp_path)
    assert (none.returncode, "none of its 8 trials has failed" in none.stderr) == (1, True)


def test_refit_says_how_scores_vary_over_seeds(houses):
    """As many values as seeds, all different; the study's model stays as it is."""
    model = (houses / "mlruns/studies/houses/model/weights.npz").read_bytes()
    report = as_json("refit", "houses", "--seeds", "3", cwd=houses)
    assert len(set(report["values"])) == len(set(report["test"]["rmse"])) == 3
    assert report["selected"] == as_json("show", "houses", cwd=houses)["values"][0]
    assert model == (houses / "mlruns/studies/houses/model/weights.npz").read_bytes()
    assert as_json("refit", "houses", "--seeds", "3", cwd=houses) == report
    assert "from 2 other seeds" in cli_here("refit", "houses", "--seeds", "2", cwd=houses).stdout


def test_a_run_in_the_background_is_seen_and_stopped(tmp_path):
    """A real process: status, logs and stop; what finished is kept, and can be gone on with."""
    (tmp_path / "quick.yaml").write_text(QUICK)
    started = as_json(
        "run", "quick.yaml", "-S", "budget.trials=100000", "--detach", "--workers", "1", cwd=tmp_path
    )
    try:
        running = as_json("status", "quick", cwd=tmp_path)
        assert (running["condition"], running["runner"]["pid"]) == ("running", started["pid"])
        again = cli_here("run", "quick.yaml", "-S", "budget.trials=100000", "--detach", cwd=tmp_path)
        assert (again.returncode, "is being run by process" in again.stderr) == (1, True)
        assert cli_here("rm", "quick", "--yes", cwd=tmp_path).returncode == 1
        while as_json("status", "quick", cwd=tmp_path)["done"] < 4:
            time.sleep(0.2)
        assert as_json("stop", "quick", cwd=tmp_path)["pid"] == started["pid"]
    finally:
        with suppress(ProcessLookupError):
            os.kill(started["pid"], signal.SIGKILL)
    assert as_json("status", "quick", cwd=tmp_path)["condition"] == "interrupted"
    assert "stopped; " in cli_here("logs", "quick", "--follow", cwd=tmp_path).stdout


def test_a_study_that_cannot_be_run_is_not_started_in_the_background(tmp_path):
    """Its mistakes are told where it was started."""
    (tmp_path / "wrong.yaml").write_text("study: wrong\ndata: {source: missing.csv, target: y}\n")
    done = cli("run", "wrong.yaml", "--detach", cwd=tmp_path)
    assert (done.returncode, "missing.csv" in done.stderr) == (2, True)
    assert not (tmp_path / "mlruns").exists()


def test_validate_and_run_tell_programs_the_same(houses):
    """All that prints has a JSON form."""
    checked = as_json("validate", "study.yaml", cwd=houses)
    assert (checked["valid"], checked["task"], checked["data"]["rows"]) == (True, "regression", 200)
    summary = as_json("run", "study.yaml", *SMALL, "--quiet", cwd=houses)
    assert (summary["study"], summary["trials"], summary["ended"]) == ("houses", 3, "trials")
    assert as_json("sync", "houses", cwd=houses)["total"] == 3


def test_a_column_of_many_categories_is_embedded_from_the_draft_to_the_predictions(tmp_path):
    """`init` proposes it, `validate` shows it; rows of unseen and missing categories are predicted, with a warning."""
    rng = np.random.default_rng(0)
    town = rng.integers(0, 60, 600)
    level = rng.normal(size=60)
    rows = pd.DataFrame({"town": [f"town {i}" for i in town], "area": rng.normal(size=600)})
    rows["price"] = level[town] * 3 + rows["area"]
    rows.to_csv(tmp_path / "towns.csv", index=False)
    begun = cli_here("init", "towns.csv", "--target", "price", cwd=tmp_path)
    assert (
        "column 'town' has 60 categories: each gets a vector that is learned" in begun.stdout + begun.stderr
    )
    assert "      town: {encode: embedding}\n" in (tmp_path / "study.yaml").read_text()
    shown = cli_here("validate", "study.yaml", "-S", "data.preprocess.columns.town.embedding=5", cwd=tmp_path)
    assert "embedding of town, 60 -> 5" in shown.stdout
    options = ["-S", "space.epochs=15", "-S", "data.preprocess.columns.town.embedding=$depth"]
    done = cli_here(
        "run", "study.yaml", *SMALL[:2], *options, *SMALL[-2:], "-S", "space.learning_rate=0.01", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(next((tmp_path / "mlruns" / "studies" / "towns").glob("result.json")).read_text())
    assert result["hyperparameters"]["embedding.town"] == result["params"]["depth"]
    assert next(iter(result["inspection"]["importance"])) == "town"
    assert result["test"]["rmse"]["value"] < 0.7 * result["baselines"]["mean"]["rmse"]
    new = rows.head(4).assign(town=["town 3", "nowhere", None, "town 3"], area=0.0).drop(columns="price")
    new.to_csv(tmp_path / "new.csv", index=False)
    predicted = cli_here("predict", "towns", "new.csv", cwd=tmp_path)
    assert "column 'town': 1 rows of categories not seen in training: 'nowhere'" in predicted.stderr
    values = pd.read_csv(StringIO(predicted.stdout))["price"]
    assert values[0] == values[3] != values[1] == values[2]
