"""The first ten mistakes of a newcomer, each made for real, and what is said of it.

`python -m tests.support.mistakes > docs/mistakes.md` writes the page; a test holds it against what is said now.
"""

import os
import re
import resource
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.studies import QUICK, write_houses

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mistakes.md"

LOST = """
study: lost
data: {source: sklearn/diabetes}
space: {optimizer: sgd, learning_rate: [900.0, 950.0]}
budget: {trials: 2}
"""

HOUSES = """
study: houses
data:
  source: houses.csv
  target: price
space: {epochs: 3, learning_rate: 0.01}
budget: {trials: 2}
"""

_INTRODUCTION = """\
# The first ten mistakes

<!-- made by `python -m tests.support.mistakes`, which makes each mistake: not to be written by hand -->

What a newcomer runs into, what is typed, what comes back, and the exit code: 2 where the input is wrong, 1 where a run
has failed, 130 where it was interrupted. A test makes each of these mistakes, and holds this page against what is said.
Nothing that has finished is lost by any of them.

| mistake | typed | said | exit code |
| --- | --- | --- | ---: |
"""


@dataclass(frozen=True)
class Said:
    """What a command came to: its exit code, and its last words on standard error."""

    code: int
    words: str


@dataclass(frozen=True)
class Mistake:
    """One of the table: what it is, the command line, and how it is made in a directory."""

    name: str
    typed: str
    make: Callable[[Path], Said]
    slow: bool = False


def typed(command, directory, *, env=None, **settings):
    """Run a command line as it is typed, by this Python's hpsearch."""
    words = shlex.split(command)
    if words[0] == "hpsearch":
        words[:1] = [sys.executable, "-m", "hpsearch"]
    done = subprocess.run(
        words,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "COLUMNS": "160", **(env or {})},
        **settings,
    )
    return Said(done.returncode, _last(done.stderr or done.stdout, directory))


def _last(errors, directory):
    """From `error:` on, without what differs from place to place."""
    text = errors[errors.find("error: ") :] if "error: " in errors else errors
    text = text.replace(f"{directory.resolve()}/", "").replace(f"{directory}/", "")
    return "\n".join(line.rstrip() for line in text.strip().splitlines() if not line.startswith("Next:"))


def _study(text, name="study.yaml"):
    def made(directory):
        write_houses(directory / "houses.csv")
        (directory / name).write_text(text)

    return made


def _after(prepare, command, **settings):
    def make(directory):
        prepare(directory)
        return typed(command, directory, **settings)

    return make


def _exists(directory):
    (directory / "quick.yaml").write_text(QUICK)
    assert typed("hpsearch run quick.yaml -S budget.trials=3 --quiet", directory).code == 0
    return typed("hpsearch run quick.yaml -S space.dropout.max=0.4", directory)


def _port(directory):
    _study(QUICK)(directory)
    assert typed("hpsearch run study.yaml -S budget.trials=1 --quiet", directory).code == 0
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        said = typed(f"hpsearch ui --port {port}", directory)
    return Said(said.code, said.words.replace(port, "5001"))


def _full(directory):
    _study(QUICK)(directory)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20 << 10, 20 << 10))

    return typed("hpsearch run study.yaml --quiet --workers 1", directory, preexec_fn=limit)


def _interrupted(directory):
    """Ctrl-C once trials are stored; how many depends on the moment."""
    _study(QUICK)(directory)
    process = subprocess.Popen(
        [sys.executable, "-m", "hpsearch", "run", "study.yaml", "-S", "budget.trials=100000"],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "160"},
    )
    journal = directory / "mlruns" / "studies" / "quick" / "facts.journal"
    while not (journal.exists() and journal.stat().st_size > 60_000):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    words = _last(errors, directory).replace(" -S budget.trials=100000", "")
    return Said(process.returncode, re.sub(r"\d+ finished trials", "17 finished trials", words))


def _checkout(directory):
    """What `make` needs of a clone."""
    for name in ("Makefile", "pyproject.toml", "README.md"):
        (directory / name).write_bytes((ROOT / name).read_bytes())
    (directory / "hpsearch").mkdir()


_OUTER = ("PIP_", "MAKE", "MFLAGS")
"""Variables of pip, and of the `make` that runs the tests."""


def _make(command, directory, env=None):
    """What `make` itself says, without pip's words."""
    done = subprocess.run(
        shlex.split(command),
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={name: value for name, value in os.environ.items() if not name.startswith(_OUTER)} | (env or {}),
    )
    return Said(done.returncode, done.stdout.strip().splitlines()[-1])


def _old_python(directory):
    _checkout(directory)
    old = directory / "python3.8"
    old.write_text('#!/bin/sh\ncase "$1" in --version) echo Python 3.8.10;; *) exit 1;; esac\n')
    old.chmod(0o755)
    path = f"{directory}{os.pathsep}{os.environ['PATH']}"
    return _make("make run PYTHON=python3.8", directory, {"PATH": path})


def _no_internet(directory):
    """Give pip an index at which nobody answers, as where there is no network."""
    _checkout(directory)
    nowhere = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "https://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
    }
    return _make("make run", directory, nowhere)


MISTAKES = (
    Mistake("wrong path", "hpsearch run study.yml", _after(_study(HOUSES), "hpsearch run study.yml")),
    Mistake(
        "wrong path of the data",
        "hpsearch init house.csv --target price",
        _after(_study(HOUSES, "other.yaml"), "hpsearch init house.csv --target price"),
    ),
    Mistake(
        "wrong target",
        "hpsearch run study.yaml",
        _after(_study(HOUSES.replace("price", "prize")), "hpsearch run study.yaml"),
    ),
    Mistake(
        "typo in a key",
        "hpsearch run study.yaml",
        _after(_study(HOUSES.replace("learning_rate", "learning_rte")), "hpsearch run study.yaml"),
    ),
    Mistake("no internet", "make run", _no_internet, slow=True),
    Mistake("old Python", "make run PYTHON=python3.8", _old_python),
    Mistake("port in use", "hpsearch ui --port 5001", _port, slow=True),
    Mistake("study exists, with another file", "hpsearch run quick.yaml", _exists, slow=True),
    Mistake(
        "file exists",
        "hpsearch init houses.csv --target price",
        _after(_study(HOUSES), "hpsearch init houses.csv --target price"),
    ),
    Mistake("disk full (here: files that may not grow)", "hpsearch run study.yaml", _full, slow=True),
    Mistake("interrupted: Ctrl-C", "hpsearch run study.yaml", _interrupted, slow=True),
    Mistake(
        "no trial finished",
        "hpsearch run lost.yaml",
        _after(_study(LOST, "lost.yaml"), "hpsearch run lost.yaml --quiet"),
        slow=True,
    ),
)


def row(mistake, said):
    """A line of the table; lines of a message are kept."""
    words = (
        said.words.replace("|", "&#124;")
        .replace("<", "&lt;")
        .replace("\n  ", "<br>&emsp;")
        .replace("\n", "<br>")
    )
    return f"| {mistake.name} | `{mistake.typed}` | {words} | {said.code} |\n"


def main():
    """Print the page."""
    sys.stdout.write(_INTRODUCTION)
    for mistake in MISTAKES:
        with tempfile.TemporaryDirectory() as directory:
            sys.stdout.write(row(mistake, mistake.make(Path(directory))))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
