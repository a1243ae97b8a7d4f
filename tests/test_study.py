"""A study that is run again: what is kept of it, and what is made anew."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from hpsearch import best_params, load_model
from hpsearch.errors import StorageError
from hpsearch.store import Store
from tests.support.studies import run_quick

INPUTS = np.random.default_rng(0).normal(3.0, 2.0, size=(20, 4))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A store with the quick study, run to its end."""
    directory = tmp_path_factory.mktemp("finished")
    run_quick(directory)
    return directory


@pytest.fixture
def store(finished, tmp_path):
    """A copy to be damaged."""
    return shutil.copytree(finished, tmp_path / "store")


def test_a_lowered_budget_forgets_no_trial(store):
    """budget.trials is what the search runs up to: the winner stays the best of all stored trials."""
    before = best_params("quick", store=store)
    result, watcher = run_quick(store, budget__trials=2)
    assert len(result.facts) == len(watcher.facts) == 14
    assert best_params("quick", store=store).provenance() == before.provenance()
    assert result.result["trial"] == before.trial


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.json", lambda content: content[:-10]),
        ("weights.npz", lambda content: content[: len(content) // 2]),
        ("weights.npz", lambda content: b"x" * len(content)),
        ("weights.npz", lambda content: b""),
    ],
    ids=["description", "half", "other", "empty"],
)
def test_a_damaged_model_is_named_and_the_next_run_refits_it(store, name, damage):
    """The refit is the same again: its random numbers have their address."""
    predicted = load_model("quick", store=store).predict_proba(INPUTS)
    file = Store.locate(store).find("quick").model / name
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(StorageError, match=r"the model cannot be read .* refit it by running the study"):
        load_model("quick", store=store)
    run_quick(store)
    assert (load_model("quick", store=store).predict_proba(INPUTS) == predicted).all()


def test_a_table_with_dates_gets_through_to_the_model(tmp_path):
    """Dates are texts to the model; nothing on the way warns (warnings are errors here)."""
    days = pd.date_range("2024-01-01", periods=4)
    table = pd.DataFrame({"day": days.repeat(15), "y": np.arange(60) % 7 * 0.5})
    table.to_parquet(tmp_path / "t.parquet")
    text = "study: dates\ndata: {source: t.parquet, target: y}\nspace: {epochs: 1}\nbudget: {trials: 1}\n"
    run_quick(tmp_path / "store", text, base=tmp_path)
    assert load_model("dates", store=tmp_path / "store").predict(table).shape == (60,)


def test_what_selects_may_change_and_everything_follows_it(store):
    """The winner, its model and `best_params` are of the trial that `select` picks; the trials stay as they are."""
    first, _ = run_quick(store)
    result, _ = run_quick(store, select="one_standard_error")
    assert [fact.curves for fact in result.facts] == [fact.curves for fact in first.facts]
    assert (
        best_params("quick", store=store).trial
        == result.result["trial"]
        == load_model("quick", store=store).about["trial"]
    )
    weights = [fact.scores["weights"] for fact in result.facts if fact.finished]
    assert (
        result.facts[result.result["trial"]].scores["weights"]
        <= first.facts[first.result["trial"]].scores["weights"]
    )
    assert len(weights) == result.result["standing"]["finished"]


def test_more_trials_renew_how_they_stand_beside_the_same_winner(store):
    before, _ = run_quick(store)
    stored = json.loads(Store(store).find("quick").result.read_text())
    assert stored["standing"]["finished"] == sum(fact.finished for fact in before.facts)
    assert stored["standing"]["sentence"]
    finding = json.dumps(stored["standing"]["findings"])
    assert json.loads(finding) == stored["standing"]["findings"]
