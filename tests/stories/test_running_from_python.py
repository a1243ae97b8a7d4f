"""`run_study` and what it gives, as a notebook uses them."""

import json
import re
import threading
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from scipy.sparse import csr_array

from hpsearch import StudySpec, best_params, curves, leaderboard, run_study
from hpsearch.errors import DataError, SpecError, UnknownTrialError
from tests.support.studies import QUICK, cli_here, run_quick, write_houses

SMALL = {
    "study": "small",
    "model": {"hidden": [8]},
    "space": {"epochs": 4, "learning_rate": {"min": 0.01, "max": 0.03}, "batch_size": 16},
    "budget": {"trials": 3},
}


@pytest.fixture(scope="module")
def arrays():
    """Two classes in four numbers."""
    stream = np.random.default_rng(0)
    x = stream.normal(size=(120, 4)).astype(np.float32)
    return x, np.where(x[:, 0] + x[:, 1] > 0, "yes", "no")


@pytest.fixture(scope="module")
def study(arrays, tmp_path_factory):
    """A study of a dictionary, on arrays."""
    return run_study(SMALL, data=arrays, store=tmp_path_factory.mktemp("store"), progress=False)


def test_a_dictionary_and_arrays_are_enough(study, arrays):
    """Best parameters, model, leaderboard, curves, all of the run."""
    assert set(study.best) == {"epochs", "learning_rate", "batch_size"}
    assert study.best == best_params("small", store=study.store)
    assert (study.model.predict(arrays[0]) == arrays[1]).mean() > 0.7
    board = study.leaderboard()
    assert board.index.name == "trial"
    assert board["validation_loss"].is_monotonic_increasing
    assert study.curves().shape[0] == 4
    assert board.index[0] == study.best.trial


def test_it_goes_on_in_the_command_line(study):
    """What Python has begun is a study like any other, its data kept in the store."""
    done = cli_here(
        "extend", "small", "--trials", "1", "--store", study.store, "--workers", "1", "--json", cwd="."
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"] == 4


def test_a_table_names_its_target_in_the_study(tmp_path):
    """As does a pair of tables; the same data is the same study."""
    table = pd.read_csv(write_houses(tmp_path / "houses.csv"))
    settings = {**SMALL, "data": {"target": "price"}}
    one = run_study(settings, data=table, store=tmp_path, progress=False)
    pair = table.drop(columns="price"), table["price"]
    two = run_study(settings, data=pair, store=tmp_path, progress=False)
    assert one.result.facts == two.result.facts
    assert len(list((tmp_path / "data").iterdir())) == 1


def test_files_specs_and_text_of_progress(tmp_path, capsys):
    """A path runs as it does in the command line; a spec as its file; a function is given each trial."""
    (tmp_path / "quick.yaml").write_text(QUICK.replace("trials: 14", "trials: 3"))
    seen = []
    run_study(tmp_path / "quick.yaml", store=tmp_path / "a", progress=seen.append)
    assert [fact.number for fact in seen] == [0, 1, 2]
    assert capsys.readouterr().err == ""
    content = yaml.safe_load(
        QUICK.replace("trials: 14", "trials: 3").replace("1e-3", "0.001").replace("1e-1", "0.1")
    )
    again = run_study(StudySpec.model_validate(content), store=tmp_path / "b")
    assert [fact.params for fact in again.result.facts] == [fact.params for fact in seen]
    assert re.search(
        r"^3/3 trials, best validation_loss 0\.\d+ \(trial-\d+\)$", capsys.readouterr().err, re.MULTILINE
    )


def test_a_stopped_run_says_what_is_kept_and_goes_on(arrays, tmp_path):
    """As Ctrl-C and a notebook's button stop it."""

    def press(fact):
        if fact.number == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        run_study(SMALL, data=arrays, store=tmp_path, progress=press)
    assert caught.value.__notes__ == ["stopped; 2 finished trials are kept: the same call goes on from there"]
    told = []
    run_study(SMALL, data=arrays, store=tmp_path, progress=False, callbacks=[told.append])
    assert [event.trial for event in told if event.kind == "trial_ends"] == [2]


def test_studies_run_in_threads_side_by_side(study, arrays, tmp_path, capfd):
    """In one store, silently, each as it would alone."""
    found = {}

    def run(name):
        found[name] = run_study({**SMALL, "study": name}, data=arrays, store=tmp_path, progress=False)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("one", "other", "third")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in found.values():
        curves = [fact.curves for fact in each.result.facts]
        assert curves == [fact.curves for fact in study.result.facts[: len(curves)]]
        assert each.result.result["test"] == study.result.result["test"]
    assert len(found) == 3
    assert capfd.readouterr() == ("", "")


def test_pictures_are_data_as_well(tmp_path):
    """An array of more than two dimensions."""
    x = np.random.default_rng(0).integers(0, 255, size=(80, 6, 6, 1)).astype(np.uint8)
    settings = {**SMALL, "budget": {"trials": 1}}
    study = run_study(settings, data=(x, x[:, 0, 0, 0] > 127), store=tmp_path, progress=False)
    assert study.model.predict(x[:3]).shape == (3,)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([1, 2], "must be \\(X, y\\) or a DataFrame, got list"),
        ((np.zeros((3, 2)), np.zeros(4)), "3 rows of X and 4 of y"),
        ((np.zeros(3), np.zeros(3)), "rows of values"),
        (pd.DataFrame({"a": [1.0]}), "whose target must be named"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "whose target must be named"),
        ((pd.DataFrame([[1, 2]], columns=["a", "a"]), [0]), "has the column 'a' twice"),
        ((csr_array((2, 2)), [0, 1]), r"X is a sparse matrix; give its rows whole: X\.toarray"),
        (([[1, 2], [3]], [0, 1]), "X must be rows of one length"),
        ((np.zeros((0, 2)), []), "has no rows"),
        ((np.zeros((2, 2), complex), [0, 1]), r"cannot be kept as a file \(.*complex128"),
    ],
)
def test_data_that_is_none_is_refused(tmp_path, data, words):
    """Before anything is written."""
    with pytest.raises(DataError, match=words):
        run_study(SMALL, data=data, store=tmp_path, progress=False)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_lists_and_tables_of_others_are_data_as_well(tmp_path):
    """Each column of lists has a type of its own; y may be texts, with gaps in X, categories and dates."""
    x = [[number % 7, "ab"[number % 2]] for number in range(60)]
    y = ["yes" if number % 2 else "no" for number in range(60)]
    of_lists = run_study(SMALL, data=(x, y), store=tmp_path / "a", progress=False)
    assert (of_lists.model.predict(x) == y).mean() > 0.9
    table = pd.DataFrame(x, columns=["a", "b"]).assign(
        a=lambda frame: frame.a.astype("Int64").mask(frame.a == 3),
        b=lambda frame: frame.b.astype("category"),
        day=pd.date_range("2024-01-01", periods=60),
        target=y,
    )
    settings = {**SMALL, "data": {"target": "target"}}
    of_arrow = run_study(settings, data=pa.Table.from_pandas(table), store=tmp_path / "b", progress=False)
    assert (of_arrow.model.predict(table.drop(columns="target")) == y).mean() > 0.9


def test_what_programs_write_into_a_study_is_plain(arrays, tmp_path):
    """Numbers of NumPy, ranges, other studies' best parameters; what YAML has not is named."""
    space = {"epochs": range(2, 4), "learning_rate": np.float64(0.01), "batch_size": np.array([8, 16])}
    spec = StudySpec.load({**SMALL, "data": {"source": "sklearn/iris"}, "space": space})
    assert spec.written()["space"] == {"epochs": [2, 3], "learning_rate": 0.01, "batch_size": [8, 16]}
    with pytest.raises(SpecError, match=r"^the study: cannot hold a value of type function: <function"):
        run_study({**SMALL, "trainer": test_notebooks_show_curves_and_tables}, store=tmp_path)


def test_what_is_wrong_is_told_at_its_place(arrays, tmp_path):
    """The key in a dictionary; in a file its line, on data that is handed over too."""
    with pytest.raises(SpecError, match=r"^the study: space.learning_rat: .*did you mean 'learning_rate'"):
        run_study({**SMALL, "space": {"learning_rat": 1}}, data=arrays, store=tmp_path, progress=False)
    path = tmp_path / "small.yaml"
    path.write_text("study: small\ndata: {target: label}\nspace: {learning_rat: 1}\n")
    with pytest.raises(SpecError, match=r"small\.yaml:3: space.learning_rat: .*did you mean"):
        run_study(path, data=arrays, store=tmp_path, progress=False)
    with pytest.raises(SpecError, match=r"nowhere\.yaml: there is no such file"):
        run_study(tmp_path / "nowhere.yaml", data=arrays, store=tmp_path)


def test_tables_of_trials_and_curves(tmp_path):
    """Every trial has its row, pruned ones at the end; a trial that is not there is named."""
    result, _ = run_quick(tmp_path)
    board = leaderboard("quick", store=tmp_path)
    assert len(board) == 14
    finished = board["state"].isin(["complete", "stopped_early"]).tolist()
    assert finished == sorted(finished, reverse=True)
    fact = result.facts[3]
    assert curves("quick", 3, store=tmp_path)["validation_loss"].tolist() == list(
        fact.curves["validation_loss"]
    )
    with pytest.raises(UnknownTrialError, match="trials 0 to 13, not 14"):
        curves("quick", 14, store=tmp_path)


def test_notebooks_show_curves_and_tables(study):
    """Well-formed, with nothing to be loaded from elsewhere."""
    page = study._repr_html_()
    svg = ET.fromstring(re.search(r"<svg.*</svg>", page).group(0))
    assert len([each for each in svg if each.tag.endswith("polyline")]) == 2
    assert "learning rate" in page
    assert "learning rate" in study.best._repr_html_()
    assert "http" not in page.replace("http://www.w3.org", "")
