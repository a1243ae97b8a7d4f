"""Nested cross-validation: searches of their own on all but one outer fold, each winner scored on rows it never saw."""

import json
import re

import numpy as np
import pytest

from hpsearch.errors import InputError
from hpsearch.nested import fold_specs, run_nested
from hpsearch.reading import open_for_reading
from hpsearch.report import render_report
from hpsearch.report.material import gather
from hpsearch.store import Store, load_nested, load_result
from tests.support.studies import Watcher, cli_here, run_quick


class Stopping(Watcher):
    """An observer whose user presses Ctrl-C after some trials."""

    def __init__(self, after=None):
        super().__init__()
        self.after = after

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def retired(self, fact):
        super().retired(fact)
        if self.after is not None and len(self.facts) == self.after:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A directory whose store holds a study with two outer folds, and what the command printed."""
    directory = tmp_path_factory.mktemp("nested")
    run_quick(directory / "mlruns", budget__trials=4)
    shown = cli_here("nested", "quick", "--folds", "2", cwd=directory)
    assert shown.returncode == 0, shown.stderr
    return directory, shown.stdout


def test_each_fold_is_a_search_whose_winner_is_scored_on_it(ran):
    """The scores are those of the folds' own results; the study's test rows are in none."""
    directory, shown = ran
    store = Store(directory / "mlruns")
    found = load_nested(store.find("quick"))
    for fold in found["folds"]:
        home = store.find(fold["study"])
        assert re.search(rf"{fold['study']} +trial-{fold['trial']:04d} +\d", shown)
        assert len(open_for_reading(home).facts()) == fold["trials"] == 4
        result = load_result(home)
        assert (result["trial"], result["test"]["accuracy"]["value"]) == (
            fold["trial"],
            fold["test"]["accuracy"],
        )
        assert fold["params"].items() <= result["params"].items()
    accuracies = [fold["test"]["accuracy"] for fold in found["folds"]]
    score = found["scores"]["accuracy"]
    assert score["mean"] == pytest.approx(np.mean(accuracies))
    assert score["error"] > score["spread"] / np.sqrt(2)
    assert sum(fold["test_rows"] for fold in found["folds"]) == 120


def test_report_and_mlflow_show_the_scores_and_no_fold_registers_a_model(ran):
    from mlflow import MlflowClient

    directory, _ = ran
    home = Store(directory / "mlruns").find("quick")
    mean = load_nested(home)["scores"]["accuracy"]["mean"]
    page = render_report(gather(home))
    assert f"accuracy {mean:.4g} on average" in page
    assert "quick-outer-2-of-2</th>" in page
    client = MlflowClient(f"sqlite:///{directory}/mlruns/mlflow.db")
    experiments = {each.name: each.experiment_id for each in client.search_experiments()}
    by_name = {
        run.info.run_name: run
        for name in ("quick", "quick-nested")
        for run in client.search_runs(experiments[name], "tags.`hpsearch.kind` = 'study'")
    }
    assert set(by_name) == {"quick", "quick-outer-1-of-2", "quick-outer-2-of-2"}
    assert by_name["quick"].data.metrics["nested/accuracy"] == mean
    assert "Nested cross-validation" in by_name["quick"].data.tags["mlflow.note.content"]
    assert [model.name for model in client.search_registered_models()] == ["quick"]


def test_stopped_anywhere_it_goes_on_to_the_same_scores(ran, tmp_path):
    """Interrupted in the second fold; what was done is not done again."""
    run_quick(tmp_path / "mlruns", budget__trials=4)
    store = Store(tmp_path / "mlruns")
    home, observers = store.find("quick"), iter([Stopping(), Stopping(after=2)])
    with pytest.raises(KeyboardInterrupt):
        run_nested(home, store, folds=2, workers=1, watch=lambda: next(observers))
    assert load_nested(home) is None
    seen = [Stopping(), Stopping()]
    observers = iter(seen)
    again = run_nested(home, store, folds=2, workers=1, watch=lambda: next(observers))
    assert again == load_nested(Store(ran[0] / "mlruns").find("quick"))
    assert [each.stored for each in seen] == [4, 2]


def test_the_search_of_a_fold_has_no_outer_folds_of_its_own(ran):
    store = Store(ran[0] / "mlruns")
    with pytest.raises(InputError, match="is itself the search of an outer fold"):
        list(fold_specs(store.find("quick-outer-1-of-2"), 3))


def test_a_study_without_a_model_to_score_is_refused(tmp_path):
    """As one of a trainer that keeps its model to itself."""
    run_quick(tmp_path / "mlruns", budget__trials=2)
    home = Store(tmp_path / "mlruns").find("quick")
    home.result.write_text(json.dumps({**load_result(home), "test": {}}))
    with pytest.raises(InputError, match="shows no model"):
        list(fold_specs(home, 2))
