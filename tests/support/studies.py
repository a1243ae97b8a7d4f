"""Small studies for tests: quick to run, on data that is generated here."""

import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd

from hpsearch.spec import parse_study
from hpsearch.store import Store

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

QUICK = """
study: quick
seed: 3
data: {source: sklearn/iris}
model: {hidden: [8]}
space:
  epochs: {min: 2, max: 6}
  batch_size: [16, 32]
  learning_rate: {min: 1e-3, max: 1e-1, log: true}
  optimizer: [sgd, momentum, adam]
  dropout: {min: 0.0, max: 0.3}
  momentum: {min: 0.8, max: 0.99, when: {optimizer: momentum}}
pruning: {rule: median, warmup_epochs: 1, startup_trials: 3}
sampler: {name: tpe, n_startup_trials: 4}
budget: {trials: 14}
"""


class Watcher:
    """An observer that keeps what it is told."""

    def __init__(self):
        self.stored = None
        self.facts = []
        self.steps = []
        self.warnings = []

    def opened(self, spec, home, data, stored):
        self.stored = stored

    def retired(self, fact):
        self.facts.append(fact)

    def step(self, text):
        self.steps.append(text)

    def warning(self, text):
        self.warnings.append(text)


def spec_of(text, *, base=None, **changes):
    """The spec of a study text, with `key__path=value` overrides."""
    overrides = [f"{key.replace('__', '.')}={value}" for key, value in changes.items()]
    return parse_study(text, base=base, overrides=overrides)


def run_quick(directory, text=QUICK, *, workers=1, base=None, fresh=False, storage=None, **changes):
    """Run a study text in a store of its own, without the command line."""
    from hpsearch.study import run_study

    watcher = Watcher()
    result = run_study(
        spec_of(text, base=base, **changes),
        store=Store.locate(directory),
        observer=watcher,
        workers=workers,
        fresh=fresh,
        storage=storage,
    )
    return result, watcher


def table(facts):
    """What must be equal between two runs of a study: everything but the clock's readings."""
    return [
        (
            fact.number,
            dict(fact.params),
            fact.state,
            fact.reason,
            fact.values,  # noqa: PD011 - no pandas
            dict(fact.curves),
            dict(fact.scores),
            fact.verdict,
            fact.findings,
            dict(fact.samples),
            fact.sample_losses,
        )
        for fact in facts
    ]


def cli(*arguments, cwd, timeout=120, env=None):
    """Run the real command line as a user would; the finished process with its output as text."""
    return subprocess.run(
        [sys.executable, "-m", "hpsearch", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, "COLUMNS": "160", **(env or {})},
    )


def start_and_stop(*arguments, cwd):
    """What a command that goes on until it is stopped has printed when it says how to end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hpsearch", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            process.terminate()
    process.stdout.close()
    process.wait(30)
    return "".join(lines)


def write_houses(path: Path, *, rows: int = 200, seed: int = 0) -> Path:
    """A table as people have it: numbers, text, missing values; the price follows from them, with noise."""
    stream = np.random.default_rng(seed)
    area = stream.uniform(40, 200, rows)
    district = stream.choice(["north", "south", "old town"], rows)
    garden = stream.choice(["yes", "no"], rows)
    year = stream.integers(1900, 2020, rows).astype(float)
    price = (
        area * 3
        + np.select([district == "old town", district == "south"], [150, 60], 0)
        + stream.normal(0, 15, rows)
    )
    frame = pd.DataFrame(
        {"area": area.round(1), "district": district, "garden": garden, "year": year, "price": price.round(1)}
    )
    frame.loc[stream.choice(rows, rows // 10, replace=False), "year"] = np.nan
    frame.loc[stream.choice(rows, rows // 20, replace=False), "district"] = None
    frame.to_csv(path, index=False)
    return path


def write_customers(path: Path, *, rows: int = 240, seed: int = 1) -> Path:
    """A classification table with text columns, missing values and a text target."""
    stream = np.random.default_rng(seed)
    age = stream.integers(18, 80, rows).astype(float)
    plan = stream.choice(["basic", "family", "business"], rows)
    calls = stream.poisson(3, rows)
    leaves = (calls + (plan == "basic") * 2 - age / 40 + stream.normal(0, 0.5, rows)) > 3
    frame = pd.DataFrame({"age": age, "plan": plan, "calls": calls, "left": np.where(leaves, "yes", "no")})
    frame.loc[stream.choice(rows, rows // 8, replace=False), "age"] = np.nan
    frame.loc[stream.choice(rows, rows // 15, replace=False), "plan"] = None
    frame.to_csv(path, index=False)
    return path


@dataclass(frozen=True)
class Done:
    """What a command has come to."""

    returncode: int
    stdout: str
    stderr: str


def cli_here(*arguments, cwd, env=None, given=""):
    """Run the command line in this process, which spares the time of its imports; else as `cli`. `given` is typed."""
    from hpsearch.cli import main

    out, err = StringIO(), StringIO()
    before, handlers = Path.cwd(), {number: signal.getsignal(number) for number in _SIGNALS}
    variables = {"COLUMNS": "160", **(env or {})}
    code = 0
    typed = patch("sys.stdin", StringIO(given))
    with redirect_stdout(out), redirect_stderr(err), patch.dict(os.environ, variables), typed:
        os.chdir(cwd)
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code or 0
        finally:
            os.chdir(before)
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return Done(code, out.getvalue(), err.getvalue())


def as_json(*arguments, cwd):
    """What a command prints with --json, read strictly."""
    done = cli_here(*arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, parse_constant=_no_json)


def _no_json(name):
    raise AssertionError(f"{name} is no JSON")
