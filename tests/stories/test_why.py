"""`hpsearch why`: trials trained again with one thing changed at a time, and judged by that wherever they are shown."""

import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from hpsearch import run_study
from hpsearch.judgment.variation import Variation
from hpsearch.reading import open_for_reading
from hpsearch.report import render_report
from hpsearch.report.material import gather
from hpsearch.report.variations import variations
from hpsearch.search.examined import keep
from hpsearch.search.facts import FactStore
from hpsearch.search.reader import reader_of
from hpsearch.store import Store
from hpsearch.upkeep.continuation import begin_retry
from tests.support import trainers
from tests.support.studies import cli, cli_here, run_quick, table

TINY_STEPS = """
study: creeping
seed: 1
data: {source: sklearn/iris}
model: {hidden: [8], activation: tanh}
space: {epochs: 10, batch_size: 16, optimizer: sgd, learning_rate: {values: [0.0005, 0.05, 0.1]}}
sampler: {name: grid}
pruning: {rule: none}
budget: {trials: 3}
"""
TRIED = Variation(
    name="itself",
    words="nothing changed",
    changes={},
    state="complete",
    curves={"train_loss": (1.0,)},
    value=0.5,
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A directory whose store holds a study of three learning rates, and what was said of the smallest."""
    directory = tmp_path_factory.mktemp("why")
    result, _ = run_quick(directory / "mlruns", TINY_STEPS)
    facts = result.home.facts.read_bytes()
    slowest = min(result.facts, key=lambda fact: fact.params["learning_rate"]).number
    shown = cli_here("why", "creeping", slowest, "--workers", "1", cwd=directory)
    assert shown.returncode == 0, shown.stderr
    assert result.home.facts.read_bytes() == facts, "facts stay as they were stored"
    return directory, slowest, shown


def facts_of(directory):
    return open_for_reading(Store(directory / "mlruns").find("creeping")).facts()


def test_it_says_what_was_tried_and_what_that_shows(ran):
    _, slowest, shown = ran
    lines = shown.stdout.splitlines()
    assert lines[0] == f"creeping/{slowest} verdict: learning rate too small"
    assert "a learning rate of 0.05 (100 times as much)" in shown.stdout
    assert (
        "Best of what was tried: a learning rate of 0.05 (100 times as much): validation loss 0."
        in shown.stdout
    )
    assert "Try a learning rate of about 0.05." in shown.stdout
    assert shown.stderr.splitlines()[-1] == f"Next: hpsearch show creeping {slowest}"


def test_nothing_changed_gives_the_very_trial(ran):
    """To the last bit: what differs otherwise differs by the change alone."""
    directory, slowest, _ = ran
    fact = facts_of(directory)[slowest]
    itself = next(each for each in fact.variations if each.name == "itself")
    for name, curve in itself.curves.items():
        assert tuple(curve) == fact.curves[name]
    assert itself.value == pytest.approx(fact.values[0], rel=1e-6)
    seconds = next(each for each in fact.variations if each.name == "second_seed")
    assert tuple(seconds.curves["train_loss"]) != fact.curves["train_loss"]


def test_tables_show_and_the_report_have_its_verdict(ran):
    directory, slowest, _ = ran
    listed = json.loads(cli_here("trials", "creeping", "--json", cwd=directory).stdout)
    verdicts = {each["number"]: each["verdict"] for each in listed}
    assert verdicts[slowest] == "learning_rate_too_small"
    shown = cli_here("show", "creeping", slowest, cwd=directory)
    assert "trained again with" in shown.stdout
    assert "Best of what was tried" in shown.stdout
    material = gather(Store(directory / "mlruns").find("creeping"))
    page = render_report(material)
    assert 'id="variations-data"' in page
    assert f"trial-000{slowest}: learning rate too small" in page
    axis = variations(material).layout.yaxis
    seeds = [
        loss
        for each in facts_of(directory)[slowest].variations[:3]
        for loss in each.curves["validation_loss"]
    ]
    assert 10 ** axis.range[1] == pytest.approx(3 * max(seeds)), "a rate that explodes hides nothing"


def test_mlflow_has_it_as_tags_and_in_the_runs_description(ran):
    from mlflow import MlflowClient

    directory, slowest, _ = ran
    client = MlflowClient(f"sqlite:///{directory}/mlruns/mlflow.db")
    (experiment,) = [each for each in client.search_experiments() if each.name == "creeping"]
    runs = client.search_runs([experiment.experiment_id], "tags.examined = 'true'")
    assert [run.info.run_name for run in runs] == [f"trial-000{slowest}"]
    tags = runs[0].data.tags
    assert tags["verdict"] == tags["hpsearch.verdict"] == "learning_rate_too_small"
    assert "| a learning rate of 0.05 (100 times as much) |" in tags["mlflow.note.content"]


def test_what_is_known_is_told_without_training_it_again(ran):
    directory, slowest, shown = ran
    again = cli_here("why", "creeping", slowest, cwd=directory)
    assert again.stdout == shown.stdout
    assert "training" not in again.stderr
    anew = cli_here("why", "creeping", slowest, "--again", "--workers", "2", cwd=directory)
    assert anew.stdout == shown.stdout, "any number of workers finds the same"
    assert "training" in anew.stderr


def test_several_trials_are_named_or_the_best_or_all(ran):
    directory, *_ = ran
    best = json.loads(cli_here("why", "creeping", "--json", cwd=directory).stdout)
    assert [each["number"] for each in best["trials"]] == [
        json.loads(cli_here("best", "creeping", "--json", cwd=directory).stdout)["trial"]
    ]
    every = json.loads(cli_here("why", "creeping", "--all", "--json", cwd=directory).stdout)
    assert [each["number"] for each in every["trials"]] == [0, 1, 2]
    assert all(each["variations"] for each in every["trials"])
    two = cli_here("why", "creeping", "--top", "2", cwd=directory)
    assert two.stdout.count("verdict:") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("creeping", "7"), "study 'creeping' has no trial '7'; it has trials 0 to 2"),
        (("creeping", "0", "--all"), "name trials, or --top N, or --all: one of them"),
        (("creeping", "--top", "0"), "0 is not in the range"),
        (("creeper",), "no study 'creeper'"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_line(ran, arguments, said):
    directory, *_ = ran
    done = cli_here("why", *arguments, cwd=directory)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_other_data_than_the_trials_had_are_refused(tmp_path):
    """Trained again on them, nothing could be compared."""
    rows = "\n".join(f"{i},{i % 3},{'ab'[i % 2]}" for i in range(60))
    (tmp_path / "rows.csv").write_text(f"x,z,y\n{rows}\n")
    text = TINY_STEPS.replace("{source: sklearn/iris}", "{source: rows.csv, target: y}")
    run_quick(tmp_path / "mlruns", text, base=tmp_path)
    (tmp_path / "rows.csv").write_text(f"x,z,y\n{rows}\n70,1,a\n")
    done = cli_here("why", "creeping", "0", cwd=tmp_path)
    assert done.returncode == 2
    assert "the data are no longer those of the stored trials" in done.stderr
    assert "training" not in done.stderr


def test_a_pruned_trial_is_trained_to_its_end(tmp_path):
    """What it would have come to, had it gone on."""
    result, _ = run_quick(tmp_path / "mlruns", pruning="{rule: median, warmup_epochs: 1, startup_trials: 1}")
    pruned = next(fact for fact in result.facts if fact.state == "pruned")
    said = json.loads(cli_here("why", "quick", pruned.number, "--json", cwd=tmp_path).stdout)
    (trial,) = said["trials"]
    itself = trial["variations"][0]
    assert itself["state"] == "complete"
    assert len(itself["curves"]["train_loss"]) == pruned.hyperparameters["epochs"] > pruned.epochs


def test_a_retry_begins_with_the_facts_as_they_were_stored_and_keeps_what_was_found_of_them(tmp_path):
    """Findings of experiments never become facts of the search."""
    result, _ = run_quick(tmp_path / "mlruns", TINY_STEPS)
    store, home = Store(tmp_path / "mlruns"), result.home
    failed = replace(result.facts[2], state="failed", values=None, reason="MemoryError")
    with FactStore.open(home.facts, study="creeping") as stored:
        attributes, directions = dict(stored.attributes), stored.directions
    home.facts.unlink()
    with FactStore.create(home.facts, study="creeping", directions=directions, attributes=attributes) as copy:
        for fact in (*result.facts[:2], failed):
            copy.append(fact)
    keep(home, replace(result.facts[0], verdict="overfitting", variations=(TRIED,)))
    again = begin_retry(store, home).home
    assert table(reader_of(again.facts, study=again.key).facts()) == table(result.facts[:2])
    first, second = open_for_reading(again).facts()
    assert (first.verdict, first.variations) == ("overfitting", (TRIED,))
    assert second == result.facts[1]


def test_a_trainer_of_ones_own_is_looked_into_by_its_own_parameters(tmp_path):
    """Its step has another name than a learning rate: seeds and epochs are what can be changed."""
    (tmp_path / "own.py").write_text(Path(trainers.__file__).read_text())
    (tmp_path / "own.yaml").write_text(
        "study: own\ndata: {source: sklearn/iris}\ntrainer: own:softmax\n"
        "space: {epochs: 4, step: {min: 1e-2, max: 1.0, log: true}}\nbudget: {trials: 2}\n"
    )
    assert cli_here("run", "own.yaml", "--allow-code", cwd=tmp_path).returncode == 0
    done = cli_here("why", "own", "--allow-code", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (trial,) = json.loads(done.stdout)["trials"]
    assert [each["name"] for each in trial["variations"]] == ["itself", "second_seed", "third_seed", "longer"]
    refused = cli_here("why", "own", "--again", cwd=tmp_path)
    assert refused.returncode == 2
    assert "--allow-code" in refused.stderr


def test_doctor_finds_a_file_that_is_damaged(ran, tmp_path):
    directory, slowest, _ = ran
    copytree(directory / "mlruns" / "studies", tmp_path / "mlruns" / "studies")
    (tmp_path / "mlruns" / "studies" / "creeping" / "variations" / f"{slowest}.json").write_text("{")
    said = cli_here("doctor", "--json", cwd=tmp_path).stdout
    assert f"delete it and run `hpsearch why creeping {slowest}` again" in said


def test_without_losses_there_is_nothing_to_judge_by(tmp_path):
    """Of trials that failed, and of trainers that tell other metrics: one line, before anything is trained."""

    def hits(parameters, _data):
        if parameters["step"] > 1:
            raise MemoryError("too\nlarge")
        yield {"validation_accuracy": 0.5}

    space = {"step": {"values": [1, 2]}, "epochs": 1}
    goal = {"metric": "validation_accuracy", "direction": "maximize"}
    study = {"study": "bare", "data": {"source": "sklearn/iris"}, "space": space, "objective": goal}
    study |= {"sampler": "grid", "budget": {"trials": 2}}
    run_study(study, store=tmp_path / "mlruns", trainer=hits, progress=False)
    for asked in ((), ("--all",), (0,), (1,)):
        done = cli_here("why", "bare", *asked, cwd=tmp_path)
        failed = "MemoryError: too large" in done.stderr
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
        assert failed or "trial-0000 has no train_loss and validation_loss to judge it by" in done.stderr


def test_stopped_it_says_how_to_go_on(ran, monkeypatch):
    """With those that are left, where trials are trained that had been looked into before."""
    directory, *_ = ran
    done = []

    def stops(home, fact):
        if done:
            raise KeyboardInterrupt
        done.append(fact.number)

    monkeypatch.setattr("hpsearch.search.examined.keep", stops)
    stopped = cli_here("why", "creeping", 2, 0, 1, "--again", "--workers", 1, cwd=directory)
    assert (stopped.returncode, stopped.stdout) == (130, "")
    assert stopped.stderr.splitlines()[-1] == (
        "error: stopped; what was found is kept. Go on with: hpsearch why creeping --again 0 1"
    )


def test_a_run_does_not_depend_on_what_was_found(tmp_path):
    """A damaged file is a warning there, and an error where it is to be shown."""
    run_quick(tmp_path / "mlruns", TINY_STEPS)
    home = Store(tmp_path / "mlruns").find("creeping")
    home.variations.mkdir()
    (home.variations / "1.json").write_text("{")
    status = cli_here("status", cwd=tmp_path)
    assert (status.returncode, "creeping" in status.stdout) == (0, True)
    result, watcher = run_quick(tmp_path / "mlruns", TINY_STEPS)
    assert len(result.facts) == 3
    assert any("run `hpsearch why creeping 1` again" in warning for warning in watcher.warnings)


def test_of_several_trials_one_that_cannot_be_trained_again_is_left_as_it_was(tmp_path):
    """Its step is what its trainer cannot take any more."""
    source = Path(trainers.__file__).read_text()
    (tmp_path / "refusing.py").write_text(source)
    (tmp_path / "own.yaml").write_text(
        "study: own\ndata: {source: sklearn/iris}\ntrainer: refusing:softmax\npruning: none\n"
        "space: {epochs: 3, step: {values: [0.1, 0.2]}}\nsampler: {name: grid}\nbudget: {trials: 2}\n"
    )
    assert cli("run", "own.yaml", "--allow-code", cwd=tmp_path).returncode == 0
    refusing = '    if parameters["step"] == 0.1:\n        raise MemoryError("no room")\n    x, y ='
    (tmp_path / "refusing.py").write_text(source.replace("    x, y =", refusing, 1))
    done = cli("why", "own", "--all", "--allow-code", "--json", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    examined = {bool(trial["variations"]) for trial in json.loads(done.stdout)["trials"]}
    assert examined == {True, False}
    assert "trial-0000 cannot be judged: MemoryError: no room" in done.stderr
    assert "it is left as it was" in done.stderr
