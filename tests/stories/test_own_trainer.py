"""Trainers of one's own: searched, pruned, judged and tested as hpsearch's networks are."""

import json
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from hpsearch import best_params, load_model, run_study
from hpsearch.errors import InputError, SpecError, UnknownTrialError
from hpsearch.extensions import Code, Extension
from hpsearch.spec import parse_study
from hpsearch.store import Store
from hpsearch.study import run_study as run
from tests.support import trainers
from tests.support.studies import Watcher, cli_here

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
EXAMPLES = dict(
    re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
)
STUDY = {
    "study": "own",
    "data": {"source": "sklearn/iris"},
    "space": {"epochs": 12, "step": {"min": 1e-2, "max": 1.0, "log": True}},
    "early_stopping": {"patience": 3},
    "pruning": {"rule": "median", "warmup_epochs": 1, "startup_trials": 2},
    "budget": {"trials": 10},
}


def searched(store, trainer=trainers.softmax, **changes):
    return run_study({**STUDY, **changes}, trainer=trainer, store=store, progress=False)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    trainers.CLOSED.clear()
    return searched(tmp_path_factory.mktemp("store"))


def test_any_model_is_searched_pruned_judged_and_tested(study):
    states = {fact.state for fact in study.result.facts}
    assert "pruned" in states
    assert states & {"complete", "stopped_early"}
    assert all(fact.findings for fact in study.result.facts if fact.finished)
    assert set(study.best) == {"epochs", "step"}
    assert study.best.test["accuracy"]["value"] > 0.8
    assert study.best.test["log_loss"]["value"] < 0.7
    assert list(study.curves().columns) == ["train_loss", "validation_loss"]
    assert "step" in study._repr_html_()


def test_every_generator_is_closed(study):
    """Those of pruned trials, and that of the refit."""
    assert len(trainers.CLOSED) == len(study.result.facts) + 1


def test_the_table_is_the_same_on_any_number_of_workers(study, tmp_path):
    """A function of a module beside the study file goes to worker processes by its name."""
    spec = parse_study(
        json.dumps({**STUDY, "trainer": "trainers:softmax"}), base=Path(trainers.__file__).parent
    )
    again = run(spec, store=Store.locate(tmp_path), observer=Watcher(), workers=2, code=Code(allowed=True))
    for one, other in zip(study.result.facts, again.facts, strict=True):
        assert (one.params, one.state, one.curves) == (other.params, other.state, other.curves)
    assert study.result.result["test"] == again.result["test"]


def test_labels_are_judged_as_labels(tmp_path):
    assert set(searched(tmp_path, trainers.labels, budget={"trials": 2}).best.test) == {
        "accuracy",
        "macro_f1",
    }


def test_without_a_model_the_test_part_stays_sealed(tmp_path):
    (tmp_path / "s.yaml").write_text(json.dumps({**STUDY, "trainer": "tests.support.trainers:secretive"}))
    done = cli_here(
        "run", tmp_path / "s.yaml", "--allow-code", "-S", "budget.trials=2", "--workers", "1", cwd=tmp_path
    )
    assert "is still sealed: tests.support.trainers:secretive shows no model" in done.stdout
    assert best_params("own", store=tmp_path / "mlruns").test == {}
    report = cli_here("report", "own", cwd=tmp_path)
    assert report.returncode == 0, report.stderr
    reseeded = cli_here("refit", "own", "--seeds", "2", "--allow-code", cwd=tmp_path)
    assert "the trainer shows no model to be tested" in reseeded.stdout
    assert "shows no model" in (tmp_path / "mlruns/studies/own/report.html").read_text(encoding="utf-8")


def test_no_model_of_others_is_stored_and_messages_say_so(study):
    with pytest.raises(UnknownTrialError, match=r"keeps no model: its trainer tests\.support"):
        load_model("own", store=study.store)
    with pytest.raises(InputError, match="a trainer trained this one"):
        best_params("own", store=study.store).to_torch()


def test_the_best_recipe_is_trained_from_other_seeds(study):
    """To validation values, and as often for the test part; by code that is allowed."""
    command = ("refit", "own", "--store", study.store, "--seeds", "2", "--json")
    refused = cli_here(*command, cwd=".")
    assert (refused.returncode, "say --allow-code" in refused.stderr) == (2, True)
    done = cli_here(*command, "--allow-code", cwd=".")
    report = json.loads(done.stdout)
    assert report["selected"] == min(fact.values[0] for fact in study.result.facts if fact.finished)
    assert len(set(report["values"])) == 2
    assert all(accuracy > 0.8 for accuracy in report["test"]["accuracy"])


def test_a_function_that_no_process_can_import_trains_in_this_one_alone(tmp_path):
    with pytest.raises(InputError, match="cannot be imported by 2 worker processes"):
        run_study(STUDY, trainer=lambda _, __: [], store=tmp_path, workers=2, progress=False)
    assert not Extension.of(lambda: None).travels
    assert Extension.of(trainers.softmax).travels


def test_code_runs_only_where_it_is_allowed(tmp_path):
    """A study file is data until its reader says otherwise; validating it imports nothing."""
    (tmp_path / "harm.py").write_text(
        "open('harm', 'w').close()\ndef train(p, d): yield {'validation_loss': 1}\n"
    )
    path = tmp_path / "s.yaml"
    path.write_text("study: s\ndata: {source: sklearn/iris}\ntrainer: harm:train\nspace: {a: [1, 2]}\n")
    assert cli_here("validate", path, cwd=tmp_path).returncode == 0
    done = cli_here("run", path, "--workers", "1", cwd=tmp_path)
    assert done.returncode == 2
    assert "s.yaml:3: trainer: harm:train is code" in done.stderr
    assert not (tmp_path / "harm").exists()
    done = cli_here("run", path, "--workers", "1", "--allow-code", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["trials"] == 2, done.stderr
    assert (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere_at_all:train", "nowhere_at_all:train cannot be imported (ModuleNotFoundError"),
        ("tests.support.trainers:sotfmax", "has no attribute 'sotfmax'"),
        ("tests.support.trainers:CLOSED", "tests.support.trainers:CLOSED is no function"),
        ("no-such-name", "no installed trainer has the name no-such-name"),
    ],
)
def test_a_trainer_that_is_not_there_is_told_at_its_line(name, said):
    spec = parse_study(json.dumps({**STUDY, "trainer": name}))
    with pytest.raises(SpecError, match=r"study\.yaml:1: trainer: ") as caught:
        Code(allowed=True).of_study(spec)
    assert said in str(caught.value)


def test_a_module_beside_the_study_that_is_not_the_one_meant_is_refused(tmp_path):
    """A library of that name, or the file of another study that this process has imported, runs in nobody's place."""
    for place, module in ((tmp_path, "json"), (tmp_path / "one", "twin"), (tmp_path / "two", "twin")):
        place.mkdir(exist_ok=True)
        (place / f"{module}.py").write_text("def train(parameters, data): return []\n")
    named = {**STUDY, "trainer": "twin:train"}
    Code(allowed=True).of_study(parse_study(json.dumps(named), base=tmp_path / "one"))
    for name, base in (("twin:train", tmp_path / "two"), ("json:train", tmp_path)):
        spec = parse_study(json.dumps({**STUDY, "trainer": name}), base=base)
        with pytest.raises(SpecError, match="rename the file"):
            Code(allowed=True).of_study(spec)


def test_an_installed_package_offers_a_trainer_by_name(tmp_path, monkeypatch):
    """With its version, and without a word from the user."""
    described = tmp_path / "shop-1.5.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.5\n")
    (described / "entry_points.txt").write_text(
        "[hpsearch.trainers]\nlinear = tests.support.trainers:softmax\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = parse_study(json.dumps({**STUDY, "trainer": "linear", "budget": {"trials": 2}}))
    found = Code().of_study(spec).trainer
    assert (found.version, found.function.__name__) == ("shop 1.5", "softmax")
    assert found.provenance()["source"] == Extension.of(trainers.softmax).provenance()["source"]


def test_a_package_of_the_page_offers_functions_of_all_kinds(tmp_path, monkeypatch):
    """Under the groups that the page shows."""
    shown = re.search(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    groups = tomllib.loads(shown)["project"]["entry-points"]
    package, described = tmp_path / "my_package", tmp_path / "mine-1.0.dist-info"
    package.mkdir()
    described.mkdir()
    lines = []
    for group, offered in groups.items():
        ((name, place),) = offered.items()
        module, _, function = place.removeprefix("my_package.").partition(":")
        (package / f"{module}.py").write_text(f"def {function}(*_):\n    return {name!r}\n")
        lines += [f"[{group}]", f"{name} = {place}"]
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    named = {
        "data": {"source": "installed:my-source"},
        "callbacks": ["my-callback"],
        "metrics": {"mine": {"function": "my-metric", "direction": "minimize"}},
    }
    found = Code().of_study(parse_study(json.dumps({"study": "s", **named})))
    trained = Code().of_study(parse_study(json.dumps({**STUDY, "trainer": "my-trainer"})))
    functions = [found.source, trained.trainer, found.metrics["mine"], *found.callbacks]
    offered = ["my-source", "my-trainer", "my-metric", "my-callback"]
    assert [extension.function() for extension in functions] == offered


def test_a_changed_trainer_is_told_of(tmp_path):
    """The study goes on, and says that its trials may not compare."""
    module = tmp_path / "changing.py"
    text = "def train(p, d):\n    yield {'validation_loss': p['step']}\n"
    module.write_text(text)
    spec = parse_study(json.dumps({**STUDY, "trainer": "changing:train"}), base=tmp_path)
    warnings = []
    for said in (text, text + "# as before\n"):
        module.write_text(said)
        watcher = Watcher()
        run(spec, store=Store.locate(tmp_path), observer=watcher, code=Code(allowed=True))
        warnings.append([warning for warning in watcher.warnings if "changed" in warning])
    assert warnings[0] == []
    assert warnings[1][0].startswith(
        "trainer: changing:train has changed since the first trials were trained"
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("model: {hidden: [3]}\nspace: {a: [1, 2]}", "model: is for hpsearch's own networks"),
        ("", "space: is needed with a trainer"),
        ("space: {epochs: 0}", "space.epochs: must be at least 1"),
        (
            "space: {a: [1]}\nobjective: {metric: accuracy, direction: maximize}",
            "did you mean 'validation_accuracy'",
        ),
    ],
)
def test_what_does_not_go_with_a_trainer(more, said):
    with pytest.raises(SpecError) as caught:
        parse_study(f"study: s\ndata: {{source: sklearn/iris}}\ntrainer: a:b\n{more}\n")
    assert said in str(caught.value)


def test_parameters_have_any_values_under_any_names():
    head = "study: s\ndata: {source: sklearn/iris}\ntrainer: a:b\n"
    spec = parse_study(f"{head}space: {{loss: [hinge, log_loss], optimizer: [lbfgs, x]}}\n")
    assert parse_study(spec.to_yaml()) == spec


@pytest.mark.parametrize(("name", "library"), [("classify", "sklearn"), ("network", "torch")])
def test_the_examples_of_the_page_run(name, library, tmp_path):
    pytest.importorskip(library)
    for suffix in ("py", "yaml"):
        (tmp_path / f"{name}.{suffix}").write_text(EXAMPLES[f"{name}.{suffix}"], encoding="utf-8")
    done = cli_here(
        "run",
        tmp_path / f"{name}.yaml",
        "-S",
        "budget.trials=4",
        "--allow-code",
        "--workers",
        "1",
        "--json",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["test"]["accuracy"]["value"] > 0.9
    shutil.rmtree(tmp_path / "mlruns")
    sys.modules.pop(name, None)
