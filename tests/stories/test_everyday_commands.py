"""Looking at studies, stopping and deleting them, from the command line in processes of its own."""

import json
import re
import subprocess
import sys

import pytest
import yaml

from tests.support.studies import cli_here as cli
from tests.support.studies import run_quick


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A directory whose store holds two generations of the quick study."""
    directory = tmp_path_factory.mktemp("everyday")
    run_quick(directory / "mlruns")
    run_quick(directory / "mlruns", fresh=True, seed=5, budget__trials=6)
    return directory


def as_json(*arguments, cwd):
    done = cli(*arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, parse_constant=pytest.fail)


def test_status_tells_how_studies_stand(home):
    """For people with what to do next, for programs as JSON."""
    both = as_json("status", cwd=home)
    assert [(each["study"], each["condition"], each["done"]) for each in both] == [
        ("quick", "ended", 14),
        ("quick~2", "ended", 6),
    ]
    one = as_json("status", "quick~1", cwd=home)
    assert one["trials"] == sum(one["states"].values()) == 14
    shown = cli("status", "quick", cwd=home)
    assert re.search(r"quick~2\s+ended\s+6/6\s+trial-000\d\s+validation_loss", shown.stdout)
    assert shown.stderr == "Next: hpsearch best 'quick~2'\n"


def test_status_of_an_empty_store_says_how_to_begin(tmp_path):
    """Nothing is made on disk."""
    done = cli("status", cwd=tmp_path)
    assert (done.returncode, "no studies in" in done.stdout) == (0, True)
    assert "Next: hpsearch init" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_trials_are_sorted_filtered_and_cut_to_columns(home):
    """By any parameter or score, in both directions, and both forms."""
    every = as_json("trials", "quick~1", cwd=home)
    rates = as_json("trials", "quick~1", "--columns", "learning_rate", "--sort", "-learning_rate", cwd=home)
    assert [row["learning_rate"] for row in rates] == sorted(
        (trial["params"]["learning_rate"] for trial in every), reverse=True
    )
    adam = as_json("trials", "quick~1", "-F", "optimizer=adam", "-F", "learning_rate<0.05", cwd=home)
    assert {trial["number"] for trial in adam} == {
        trial["number"]
        for trial in every
        if trial["params"]["optimizer"] == "adam" and trial["params"]["learning_rate"] < 0.05
    }
    without = as_json("trials", "quick~1", "-F", "momentum=null", cwd=home)
    assert all("momentum" not in trial["params"] for trial in without)
    shown = cli("trials", "quick~1", "--columns", "trial,dropout", "--top", "2", cwd=home)
    assert shown.stdout.split()[:2] == ["trial", "dropout"]
    assert len(shown.stdout.splitlines()) == 3
    assert "2 of 14 trials" in shown.stderr


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--sort", "learning_rat"), ["no column 'learning_rat'", "did you mean 'learning_rate'?"]),
        (("--columns", "trial,objectiv"), ["did you mean 'objective'?"]),
        (("--filter", "learning_rate"), ["must be a column, one of"]),
        (("--filter", "optimizer<adam"), ["'adam', which is no number", "use = or ~"]),
    ],
)
def test_columns_and_conditions_that_make_no_sense_are_named(home, option, words):
    """Exit code 2 and a remedy."""
    done = cli("trials", "quick~1", *option, cwd=home)
    assert done.returncode == 2
    for word in words:
        assert word in done.stderr


def test_best_is_also_a_python_dictionary(home):
    """The very values of the YAML form."""
    written = {}
    exec(cli("best", "quick~1", "-f", "python", cwd=home).stdout, written)
    assert written["best_params"] == yaml.safe_load(cli("best", "quick~1", "-f", "yaml", cwd=home).stdout)
    assert as_json("best", "quick~1", cwd=home)["params"] == written["best_params"]


def test_show_tells_all_of_one_trial(home):
    """The best one, or the one that is named in either way."""
    best = as_json("show", "quick~1", cwd=home)
    assert best["number"] == as_json("best", "quick~1", cwd=home)["trial"]
    assert as_json("show", "quick~1", "trial-0003", cwd=home) == as_json("show", "quick~1", "3", cwd=home)
    shown = cli("show", "quick~1", "3", cwd=home).stdout
    for part in ("learning_rate", "validation loss", "best epoch", "epochs in"):
        assert part in shown
    refused = cli("show", "quick~1", "14", cwd=home)
    assert (refused.returncode, "trials 0 to 13" in refused.stderr) == (2, True)


def test_compare_shows_what_differs(home):
    """Two trials, or two studies by their best."""
    table = as_json("compare", "quick~1/0", "quick~1/1", cwd=home)
    one, other = (as_json("show", "quick~1", number, cwd=home) for number in "01")
    assert table["params"]["learning_rate"] == [
        one["params"]["learning_rate"],
        other["params"]["learning_rate"],
    ]
    assert table["same"].items() <= one["params"].items()
    shown = cli("compare", "quick~1", "quick~2", cwd=home)
    assert "difference" in shown.stdout
    assert "Next: hpsearch show" in shown.stderr


def test_doctor_finds_nothing_wrong_here_and_says_what_is(home, tmp_path):
    """Every check by name; a server that does not answer is a problem."""
    found = as_json("doctor", cwd=home)
    assert {each["name"] for each in found} >= {
        "Python",
        "libraries",
        "BLAS",
        "cores",
        "store",
        "disk",
        "studies",
    }
    assert next(each for each in found if each["name"] == "studies")["found"] == "2 with 20 trials"
    wrong = cli("doctor", "--uri", "http://127.0.0.1:9", cwd=tmp_path)
    assert wrong.returncode == 1
    assert "http://127.0.0.1:9: cannot be reached" in wrong.stdout
    (tmp_path / "mlruns" / "studies" / "torn").mkdir(parents=True)
    (tmp_path / "mlruns" / "studies" / "torn" / "facts.journal").write_text("no journal\n")
    damaged = cli("doctor", cwd=tmp_path)
    assert (damaged.returncode, "study torn" in damaged.stdout) == (1, True)


def test_a_study_that_nobody_runs_cannot_be_stopped(home):
    """A runtime failure in one line, as is a log that nobody writes."""
    done = cli("stop", "quick", cwd=home)
    assert (done.returncode, "is not being run" in done.stderr) == (1, True)
    assert cli("logs", "quick", cwd=home).returncode == 2


def test_rm_asks_and_then_deletes_all_of_a_study(tmp_path):
    """Files and MLflow runs; the other generation stays."""
    run_quick(tmp_path / "mlruns", budget__trials=3)
    run_quick(tmp_path / "mlruns", fresh=True, seed=5, budget__trials=2)
    asked = cli("rm", "quick~1", cwd=tmp_path)
    assert asked.returncode == 130
    assert cli("rm", "quick~1", "--json", cwd=tmp_path).returncode == 2
    (gone,) = as_json("rm", "quick~1", "--yes", cwd=tmp_path)
    assert (gone["trials"], gone["runs"], gone["problem"]) == (3, 4, None)
    assert [each["study"] for each in as_json("status", cwd=tmp_path)] == ["quick~2"]
    assert cli("show", "quick~2", cwd=tmp_path).returncode == 0


def test_gc_frees_what_nothing_needs(tmp_path):
    """Prepared data, logs of studies that are gone; --dry-run only says so."""
    run_quick(tmp_path / "mlruns", budget__trials=2)
    for path in ("cache/prepared.bin", "logs/gone.log", "logs/quick.log"):
        (tmp_path / "mlruns" / path).parent.mkdir(exist_ok=True)
        (tmp_path / "mlruns" / path).write_bytes(b"x" * 1000)
    names = {"cache", "gone.log"}
    assert {each["path"].rsplit("/", 1)[1] for each in as_json("gc", "--dry-run", cwd=tmp_path)} == names
    assert (tmp_path / "mlruns" / "cache").exists()
    assert {each["path"].rsplit("/", 1)[1] for each in as_json("gc", cwd=tmp_path)} == names
    assert not (tmp_path / "mlruns" / "cache").exists()
    assert (tmp_path / "mlruns" / "logs" / "quick.log").exists()
    assert as_json("gc", cwd=tmp_path) == []


def test_light_verbs_import_nothing_heavy():
    """Help of every verb, and the schema, come without the libraries of a search."""
    code = (
        "import sys\nfrom hpsearch.cli import _VERBS, main\n"
        "for words in (['--help'], ['schema', '--path'], *([verb, '--help'] for verb in _VERBS)):\n"
        "    try:\n        main(words)\n    except SystemExit as end:\n        assert not end.code, words\n"
        "print(' '.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "optuna", "mlflow", "sklearn", "numpy"} & set(done.stderr.split())


def test_every_verb_has_examples():
    """Help ends with command lines to copy."""
    from hpsearch.cli import _VERBS
    from hpsearch.cli import cli as group

    for name in _VERBS:
        command = group.get_command(None, name)
        assert getattr(command, "examples", ()), name
        assert all(example.startswith(f"hpsearch {name}") for example in command.examples)
