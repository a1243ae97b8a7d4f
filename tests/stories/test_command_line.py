"""The command line as its users meet it: every verb, on real data, in a process of its own."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from contextlib import suppress

import pytest
import yaml

from tests.support.studies import QUICK, cli, start_and_stop, write_customers, write_houses

CUSTOMERS = """
study: customers
data: {source: customers.csv, target: left}
"""

HOUSES = """
study: houses
data: {source: houses.csv, target: price}
model: {hidden: [16]}
space:
  epochs: 25
  batch_size: 16
  learning_rate: {min: 1e-3, max: 3e-2, log: true}
  l2: {min: 1e-6, max: 1e-2, log: true}
budget: {trials: 8}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A directory in which the quick study has been run."""
    directory = tmp_path_factory.mktemp("story")
    (directory / "quick.yaml").write_text(QUICK)
    done = cli("run", "quick.yaml", cwd=directory)
    assert done.returncode == 0, done.stderr
    (directory / "first-run.txt").write_text(done.stdout)
    (directory / "first-run.log").write_text(done.stderr)
    return directory


def test_a_run_ends_with_a_summary(home):
    """Best trial, parameters, verdict, validation score, gap, test score, next commands."""
    text = (home / "first-run.txt").read_text()
    for part in (
        "Best: trial-",
        "learning_rate",
        "validation_loss",
        "gap",
        "curves",
        "Test part",
        "accuracy",
        "hpsearch ui",
        "hpsearch best quick",
    ):
        assert part in text


def test_findings_come_with_the_trials_but_each_kind_once(home):
    """Off a terminal: the first trial of each kind by a line of its own, the rest counted; in no colour."""
    log = (home / "first-run.log").read_text()
    trials = json.loads(cli("trials", "quick~1", "--json", cwd=home).stdout)
    kinds = {each["name"] for trial in trials for each in trial["findings"] if each["severity"] != "good"}
    assert kinds
    assert re.findall(r"^  trial-\d{4} ([a-z ]+): \S", log, re.MULTILINE) == sorted(
        (kind.replace("_", " ") for kind in kinds), key=lambda kind: log.index(f" {kind}: ")
    )
    assert re.search(r"14/14 trials, best .*; curves: \d+ [a-z ]+(, \d+ [a-z ]+)*$", log, re.MULTILINE)
    assert "\x1b" not in log


def test_a_report_says_where_it_is(home):
    done = cli("report", "quick", "--output", "page.html", cwd=home)
    assert (done.returncode, done.stdout) == (0, "page.html\n")
    assert "The best is trial-" in (home / "page.html").read_text(encoding="utf-8")
    unwritable = cli("report", "quick", "-o", "nowhere/page.html", cwd=home)
    assert unwritable.returncode == 1
    assert "nowhere/page.html: cannot be written" in unwritable.stderr


def test_a_second_run_has_nothing_left_to_do(home):
    """budget.trials is a total: nothing is trained again, the same summary is shown."""
    again = cli("run", "quick.yaml", cwd=home)
    assert again.returncode == 0
    assert again.stdout == (home / "first-run.txt").read_text()
    assert "going on after 14 stored trials" in again.stderr


def test_a_changed_file_is_refused_with_the_difference(home):
    """The message shows what changed, and the remedy; nothing is lost."""
    refused = cli("run", "quick.yaml", "-S", "space.dropout.max=0.4", "-S", "seed=4", cwd=home)
    assert refused.returncode == 2
    assert "space.dropout.max: 0.3 -> 0.4" in refused.stderr
    assert "seed: 3 -> 4" in refused.stderr
    assert "--fresh" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_fresh_begins_a_generation_beside_the_old_one(home):
    """Both can be named afterwards; the bare name is the latest."""
    fresh = cli("run", "quick.yaml", "-S", "seed=5", "-S", "budget.trials=4", "--fresh", cwd=home)
    assert fresh.returncode == 0, fresh.stderr
    old, new = (json.loads(cli("trials", name, "--json", cwd=home).stdout) for name in ("quick~1", "quick"))
    assert (len(old), len(new)) == (14, 4)


def test_trials_are_listed_best_first(home):
    """As a table for people and as JSON for programs."""
    listed = json.loads(cli("trials", "quick~1", "--json", cwd=home).stdout)
    values = [trial["values"][0] for trial in listed if trial["values"]]
    assert values == sorted(values)
    assert {trial["number"] for trial in listed} == set(range(14))
    assert all(len(trial["curves"]["validation_loss"]) >= 1 for trial in listed)
    shown = cli("trials", "quick~1", "--top", "3", cwd=home).stdout
    assert shown.count("trial-") == 3


def test_best_comes_in_three_formats(home):
    """Yaml is the parameters alone; json has the provenance; the table has the scores."""
    best = json.loads(cli("best", "quick~1", "-f", "json", cwd=home).stdout)
    assert yaml.safe_load(cli("best", "quick~1", "-f", "yaml", cwd=home).stdout) == best["params"]
    assert (
        best["test"]["accuracy"]["low"]
        <= best["test"]["accuracy"]["value"]
        <= best["test"]["accuracy"]["high"]
    )
    assert best["run_id"]
    assert "validation" in cli("best", "quick~1", cwd=home).stdout


def test_sync_finds_nothing_to_do_after_a_run(home):
    """The run itself has written everything."""
    done = cli("sync", "quick~1", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "0 of 14 trials written, 14 were there already" in done.stdout


def test_validate_shows_what_would_be_searched(home):
    """Nothing is written."""
    done = cli("validate", "quick.yaml", "-S", "study=other", cwd=home)
    assert done.returncode == 0, done.stderr
    for part in (
        "iris",
        "3 classes",
        "learning_rate",
        "0.001 to 0.1, on a log scale",
        "optimizer is momentum",
    ):
        assert part in done.stdout
    assert not (home / "mlruns" / "studies" / "other").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "missing.yaml"), ["missing.yaml", "no such file"]),
        (
            ("run", "quick.yaml", "-S", "space.dropout.max=1.2"),
            ["-S space.dropout.max=1.2", "below 1", "1.2"],
        ),
        (("run", "quick.yaml", "-S", "space.optimizr=[adam]"), ["optimizr", "did you mean 'optimizer'?"]),
        (("best", "digits"), ["no study 'digits'", "quick", "hpsearch run"]),
        (("best", "../secret"), ["not a study name"]),
        (("trials", "quick~9"), ["no study 'quick~9'"]),
        (("frobnicate",), ["No such command 'frobnicate'"]),
    ],
)
def test_unusable_input_is_named_without_a_traceback(home, arguments, words):
    """Exit code 2, one clear message."""
    done = cli(*arguments, cwd=home)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_a_three_line_study_on_a_table_with_text_and_gaps(tmp_path):
    """A name, a source and a target are enough."""
    write_customers(tmp_path / "customers.csv")
    (tmp_path / "study.yaml").write_text(CUSTOMERS)
    done = cli("run", "study.yaml", "-S", "budget.trials=6", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "classification of left (2 classes)" in done.stderr
    best = json.loads(cli("best", "customers", "-f", "json", cwd=tmp_path).stdout)
    assert best["test"]["accuracy"]["value"] > 0.7


def test_a_regression_study_reports_in_the_targets_own_units(tmp_path):
    """RMSE in the price's units, far below the constant guess."""
    write_houses(tmp_path / "houses.csv")
    (tmp_path / "study.yaml").write_text(HOUSES)
    done = cli("run", "study.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "regression of price" in done.stderr
    result = json.loads((tmp_path / "mlruns" / "studies" / "houses" / "result.json").read_text())
    assert result["test"]["rmse"]["value"] < 0.5 * result["baselines"]["mean"]["rmse"]
    assert result["baselines"]["mean"]["rmse"] > 50


def test_brackets_and_blanks_in_names_come_out_as_they_are(tmp_path):
    """Columns, directories and targets are shown literally, and commands can be pasted into a shell."""
    directory = tmp_path / "[b] it's"
    directory.mkdir()
    lines = [f"{i},1,{'yes' if i % 3 else 'no'}" for i in range(60)]
    (directory / "t.csv").write_text("\n".join(["[a],[/bold] :dog:,[left]", *lines]))
    (directory / "a study.yaml").write_text(
        "study: names\ndata: {source: t.csv, target: '[left]'}\nspace: {epochs: 1}\nbudget: {trials: 1}\n"
    )
    checked = cli("validate", "a study.yaml", "-S", "budget.trials=2", cwd=directory)
    assert "Next: hpsearch run 'a study.yaml' -S budget.trials=2" in checked.stderr
    done = cli("run", "a study.yaml", "--store", directory / "s", cwd=tmp_path / directory)
    assert done.returncode == 0, done.stderr
    for text in (checked.stdout, done.stderr):
        assert "classification of [left] (2 classes)" in text
        assert "warning: t.csv: column '[/bold] :dog:' is constant" in text
    assert f"names in {directory}/s/studies/names" in done.stderr
    assert "names: 1 trial (1 complete)" in done.stdout
    assert "for 1 epoch)" in done.stdout
    quoted = shlex.quote(str(directory / "s"))
    assert f"hpsearch ui --store {quoted}" in done.stdout
    assert f"hpsearch.load_model('names', store={str(directory / 's')!r})" in done.stdout


def test_a_server_that_is_down_is_named_and_the_run_is_whole(tmp_path):
    """Law 8 as its user meets it: a short reason, the remedy, and no link to a database without the trials."""
    (tmp_path / "quick.yaml").write_text(QUICK + "tracking: {uri: 'http://127.0.0.1:9'}\n")
    done = cli("run", "quick.yaml", "-S", "budget.trials=3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (
        "MLflow at http://127.0.0.1:9 cannot be written (ConnectionRefusedError: [Errno 111]" in done.stdout
    )
    assert "run `hpsearch sync quick` when it can" in done.stdout
    assert "hpsearch ui" not in done.stdout
    sync = cli("sync", "quick", cwd=tmp_path)
    assert (sync.returncode, sync.stderr.count("http")) == (1, 1)
    shown = start_and_stop("ui", "quick", "--no-open", cwd=tmp_path)
    assert "quick: not in this database, but tracked at http://127.0.0.1:9" in shown


def test_the_ui_of_a_store_without_studies_is_refused(tmp_path):
    """A mistyped --store makes no new one."""
    done = cli("ui", "--store", "mlrnus", cwd=tmp_path)
    assert done.returncode == 2
    assert "no studies in" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("settings", "colour"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_errors_are_coloured_on_a_terminal_unless_the_user_declines(tmp_path, settings, colour):
    """NO_COLOR is respected by all that is printed (https://no-color.org)."""
    master, slave = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "hpsearch", "best", "nothing"],
        cwd=tmp_path,
        stderr=slave,
        env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, "TERM": "xterm", **settings},
        check=False,
    )
    assert done.returncode == 2
    assert (b"\x1b[31m" in os.read(master, 10_000)) is colour


def test_a_narrow_terminal_keeps_the_counts(tmp_path):
    """What is cut for want of room is the note behind them."""
    (tmp_path / "quick.yaml").write_text(QUICK)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "hpsearch", "run", "quick.yaml"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "50", "CI": ""},
    )
    os.close(slave)
    shown = b""
    with suppress(OSError):  # how a terminal ends on Linux
        while piece := os.read(master, 10_000):
            shown += piece
    assert process.wait() == 0
    assert "14/14" in shown.decode()
    assert re.search(r"trial-\d{4} [a-z ]+: [^\r\n]*…", shown.decode())
    assert "curves: " in shown.decode()
    assert "writing to MLflow" in shown.decode()


PARETO = """
study: front
data: {source: sklearn/wine}
space: {epochs: 3, width: [2, 8, 32], clip_norm: [null, 1.0]}
objectives: [{metric: validation_accuracy, direction: maximize}, {metric: weights, direction: minimize}]
budget: {trials: 8}
"""


def test_several_objectives_have_a_column_each_and_the_winner_is_on_the_front(tmp_path):
    """In the summary and in the list of trials, in which a null is written as the study file writes it."""
    (tmp_path / "front.yaml").write_text(PARETO)
    done = cli("run", "front.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    front = done.stdout.partition("Pareto front")[2]
    assert json.loads(cli("best", "front", "-f", "json", cwd=tmp_path).stdout)["trial"] in {
        int(number) for number in re.findall(r"trial-(\d+)", front)
    }
    head, *rows = cli("trials", "front", cwd=tmp_path).stdout.splitlines()
    assert head.split()[:5] == ["trial", "state", "validation_accuracy", "weights", "front"]
    assert len([row for row in rows if " yes " in row]) == len(re.findall(r"trial-\d+", front))
    assert any(" null " in f"{row} " for row in rows)


def test_a_study_in_which_all_diverge_says_so_and_what_to_do(tmp_path):
    """No winner is made up, and no command is recommended that has nothing to show."""
    space = "space: {optimizer: sgd, learning_rate: [900.0, 950.0]}\nbudget: {trials: 2}\n"
    (tmp_path / "lost.yaml").write_text(f"study: lost\ndata: {{source: sklearn/diabetes}}\n{space}")
    done = cli("run", "lost.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "none of 2 trials finished (trial-0000 diverged:" in done.stderr
    assert "--fresh" in done.stderr
    listed = cli("trials", "lost", cwd=tmp_path)
    assert listed.stderr == "2 trials, 0 finished.\nNext: hpsearch show lost 0\n"
    stored = json.loads(cli("trials", "lost", "--json", cwd=tmp_path).stdout, parse_constant=pytest.fail)
    assert None in stored[0]["curves"]["train_loss"]
