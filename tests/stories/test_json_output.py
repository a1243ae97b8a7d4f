"""`--json`: every verb has it, and then standard output is JSON alone."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import click
import pytest

from hpsearch.cli import cli
from hpsearch.cli.output import JsonOption
from hpsearch.spec import json_schema
from tests.support.ports import free_port
from tests.support.studies import QUICK, cli_here, run_quick


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    directory = tmp_path_factory.mktemp("store")
    run_quick(directory, budget__trials=2)
    return directory


@pytest.mark.parametrize("verb", cli.list_commands(click.Context(cli)))
def test_every_verb_has_it(verb):
    """No exceptions: also those that go on until they are stopped, and those that write files."""
    command = cli.get_command(click.Context(cli), verb)
    assert any("--json" in parameter.opts for parameter in command.params)


SHORT = ("-S", "budget.trials=2", "--workers", "1")
PRINTED = {
    "init": ("init", "sklearn/iris", "-o", "-"),
    "run": ("run", "quick.yaml", *SHORT),
    "validate": ("validate", "quick.yaml"),
    "preview": ("preview", "quick.yaml", *SHORT),
    "data": ("data", "quick.yaml"),
    "status": ("status",),
    "trials": ("trials", "quick"),
    "best": ("best", "quick"),
    "show": ("show", "quick"),
    "compare": ("compare", "quick/0", "quick/1"),
    "report": ("report", "quick", "-o", "quick.html"),
    "extend": ("extend", "quick", "--trials", "0", "--workers", "1"),
    "refit": ("refit", "quick", "--seeds", "2"),
    "nested": ("nested", "quick", "--folds", "2", "--workers", "1"),
    "export": ("export", "quick", "-o", "quick.npz"),
    "sync": ("sync", "quick"),
    "rm": ("rm", "quick", "--yes"),
    "gc": ("gc", "--dry-run"),
    "doctor": ("doctor",),
}


@pytest.mark.parametrize("verb", PRINTED)
def test_keys_are_those_that_the_documentation_names(store, tmp_path, verb):
    """Programs rely on them: what goes or gets another name is noticed here."""
    shutil.copytree(store, tmp_path / "mlruns")
    (tmp_path / "mlruns" / "cache").mkdir()
    (tmp_path / "quick.yaml").write_text(QUICK)
    done = cli_here(*PRINTED[verb], "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout, parse_constant=pytest.fail)
    (option,) = [
        each for each in cli.get_command(click.Context(cli), verb).params if isinstance(each, JsonOption)
    ]
    for each in said if isinstance(said, list) else [said]:
        assert set(each) == set(option.keys)
    assert said


def test_problems_of_a_study_file_are_listed_with_their_places(tmp_path):
    """For editors and CI; the exit code says so too."""
    (tmp_path / "wrong.yaml").write_text("study: wrong\ndata: {sorce: sklearn/iris}\nbudget: {trials: 0}\n")
    done = cli_here("validate", "wrong.yaml", "--json", cwd=tmp_path)
    said = json.loads(done.stdout)
    assert (done.returncode, said["valid"]) == (2, False)
    assert [(each["place"], each["key"]) for each in said["problems"]] == [
        ("wrong.yaml:2", "data.source"),
        ("wrong.yaml:2", "data.sorce"),
        ("wrong.yaml:3", "budget.trials"),
    ]


def test_a_report_says_where_it_is(store, tmp_path):
    page = tmp_path / "quick.html"
    done = cli_here("report", "quick", "-o", page, "--store", store, "--json", cwd=tmp_path)
    assert json.loads(done.stdout) == {"study": "quick", "file": str(page)}


def test_the_schema_is_json_and_its_place_can_be():
    schema, place = (cli_here("schema", "--json", *path, cwd=".") for path in ((), ("--path",)))
    assert json.loads(schema.stdout) == json.loads(json.dumps(json_schema()))
    assert json.loads(place.stdout)["file"].endswith("study.schema.json")


def test_logs_are_an_object_a_line(store, tmp_path):
    (store / "logs").mkdir(exist_ok=True)
    (store / "logs" / "quick.log").write_text('one\n"two"\n')
    done = cli_here("logs", "quick", "--store", store, "--json", cwd=tmp_path)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"line": "one"}, {"line": '"two"'}]


@contextmanager
def started(*arguments):
    """The one line of a verb that goes on, and what it says of itself; at the end it is stopped."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hpsearch", *map(str, arguments), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        said = json.loads(process.stdout.readline())
        assert said["pid"] == process.pid
        yield said
    finally:
        process.terminate()
        rest = process.stdout.read()
        process.stdout.close()
        process.wait(60)
    assert rest == ""


@pytest.mark.slow
def test_servers_say_in_one_line_where_they_are(store):
    """Address, process, and what is reached there."""
    port = free_port()
    with started("ui", "--no-open", "--port", port, "--store", store) as said:
        assert (said["url"], said["port"]) == (f"http://127.0.0.1:{port}/", port)
        assert said["studies"]["quick"].startswith(said["url"])
    with started("serve", "--port", port, "--workers", 1, "--store", store) as said:
        assert (said["url"], said["user"]) == (f"http://127.0.0.1:{port}", None)
        assert f"localhost:{port}" in said["reached_as"]
