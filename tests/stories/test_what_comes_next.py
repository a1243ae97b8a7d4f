"""One line after each command says what to type next; it names the store, if one was named, and works as it stands."""

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.support.studies import QUICK, cli, cli_here, run_quick

ASKED = {
    "trials": ("trials", "quick"),
    "columns": ("trials", "quick", "--columns", "trial"),
    "best": ("best", "quick"),
    "best as yaml": ("best", "quick", "-f", "yaml"),
    "show": ("show", "quick"),
    "compare": ("compare", "quick/0", "quick/1"),
    "status": ("status",),
    "export": ("export", "quick", "-o", "quick.npz"),
    "logs": ("logs", "quick"),
    "sync": ("sync", "quick"),
    "gc": ("gc",),
}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A store that has to be named, with a study and the log of a run in the background."""
    directory = tmp_path_factory.mktemp("elsewhere")
    run_quick(directory, budget__trials=2)
    (directory / "logs").mkdir()
    (directory / "logs" / "quick.log").write_text("seen\n")
    return directory


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_what_is_to_be_typed_next_finds_the_same_store(elsewhere, tmp_path, asked):
    shutil.copytree(elsewhere, tmp_path / "a store")
    done = cli_here(*asked, "--store", "a store", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    *_, last = done.stderr.splitlines()
    hpsearch, verb, *words = shlex.split(last.removeprefix("Next: "))
    assert (hpsearch, words[-2:]) == ("hpsearch", ["--store", str(tmp_path / "a store")])
    if verb not in ("ui", "predict"):  # what serves on, and what needs a file
        assert cli_here(verb, *words, cwd=tmp_path).returncode == 0


def test_a_run_that_is_stopped_or_done_names_the_store_too(tmp_path):
    """In the summary, as commands to paste."""
    (tmp_path / "quick.yaml").write_text(QUICK)
    done = cli_here(
        "run", "quick.yaml", "-S", "budget.trials=2", "--workers", "1", "--store", "there", cwd=tmp_path
    )
    for verb in ("ui", "report quick", "best quick"):
        assert f"hpsearch {verb} --store {tmp_path / 'there'}" in done.stdout
    assert f"hpsearch.load_model('quick', store='{tmp_path / 'there'}')" in done.stdout


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (("rnu", "quick.yaml"), "No such command 'rnu'. Did you mean 'run'?"),
        (("best", "quik"), "did you mean 'quick'?"),
        (("logs", "quik"), "did you mean 'quick'?"),
    ],
)
def test_what_was_meant_is_told(elsewhere, tmp_path, typed, meant):
    done = cli_here(*typed, cwd=tmp_path, env={"HPSEARCH_STORE": str(elsewhere)})
    assert (done.returncode, meant in done.stderr) == (2, True), done.stderr


def test_rm_without_an_answer_deletes_nothing_and_says_so(elsewhere):
    """As in a script without a terminal."""
    done = cli_here("rm", "quick", "--store", elsewhere, cwd=elsewhere)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (130, "aborted")
    assert (elsewhere / "studies" / "quick").is_dir()


def on_terminal(*arguments, cwd, env):
    """What a command shows on a terminal, its standard output and errors."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "hpsearch", *map(str, arguments)],
        cwd=cwd,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "CI": "", **env},
    )
    os.close(slave)
    shown = b""
    with suppress(OSError):  # how a terminal ends on Linux
        while piece := os.read(master, 10_000):
            shown += piece
    os.close(master)
    assert process.wait() == 0
    return shown.decode()


RUN = ("run", "quick.yaml", "-S", "budget.trials=20", "--workers", "1")


def test_lines_say_how_much_time_is_left(tmp_path):
    """Where no bar moves: in logs, pipes and CI, also where colours are forced."""
    (tmp_path / "quick.yaml").write_text(QUICK)
    done = cli(*RUN, cwd=tmp_path, env={"FORCE_COLOR": "1", "TERM": "xterm"})
    assert re.search(r"2/20 trials, \d+ (s|min) left, best validation_loss", done.stderr)
    assert "20/20 trials, best" in done.stderr
    assert "\x1b[?25l" not in done.stderr  # a hidden cursor


def test_no_bar_moves_in_ci_even_on_a_terminal(tmp_path):
    """What a CI service keeps is a text."""
    (tmp_path / "quick.yaml").write_text(QUICK)
    shown = on_terminal(*RUN, cwd=tmp_path, env={"CI": "true"})
    assert "20/20 trials" in shown
    assert "\x1b[?25l" not in shown
    assert "\x1b[1A" not in shown  # a line up


@pytest.mark.parametrize(("columns", "whole"), [("50", False), ("200", True)])
def test_a_table_has_the_columns_that_a_terminal_has_room_for(elsewhere, tmp_path, columns, whole):
    """Nothing is folded to scraps: what is left out is named; a pipe has all."""
    shown = on_terminal("trials", "quick", "--store", elsewhere, cwd=tmp_path, env={"COLUMNS": columns})
    assert re.search(r"trial-000\d  \w[\w ]+\w  +\d+\.\d+", shown)
    assert ("no room here for" in shown) is not whole
    piped = cli_here("trials", "quick", "--columns", "all", "--store", elsewhere, cwd=tmp_path).stdout
    assert len(piped.splitlines()) == 3
    assert "best_validation_accuracy" in piped


def test_a_pipe_has_all_columns_also_where_colours_are_forced(elsewhere, tmp_path):
    """CI services do so."""
    shown = cli_here(
        "trials", "quick", "--store", elsewhere, cwd=tmp_path, env={"FORCE_COLOR": "1", "COLUMNS": ""}
    )
    assert "no room here" not in shown.stdout
    assert "dropout" in shown.stdout


def test_output_that_cannot_be_written_is_an_error_in_one_line(elsewhere, tmp_path):
    """As on a full disk."""
    command = f"{sys.executable} -m hpsearch trials quick --store {elsewhere} > /dev/full"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: standard output: No space left on device\n")


def test_a_reader_that_leaves_is_no_failure_worth_words(elsewhere, tmp_path):
    """`hpsearch trials | head -n 1` says no more than that line."""
    command = f"{sys.executable} -m hpsearch trials quick --json --store {elsewhere} | head -n 1"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[\n", "")
