"""Runs in the background: `hpsearch run --detach`."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from hpsearch.cli.options import as_options
from hpsearch.cli.output import command_line, hint, print_json
from hpsearch.errors import HpsearchError, InputError, StorageError, StudyBusyError
from hpsearch.fit import prepare_study
from hpsearch.search.lock import holder_of
from hpsearch.spec import StudySpec
from hpsearch.spec.sources import is_code
from hpsearch.store import Store

_PATIENCE: Final = 300.0
_PAUSE: Final = 0.1
_LAST: Final = 2000
_LEFT: "list[subprocess.Popen[bytes]]" = []  # held to the end: Python warns of one that nobody holds


def run_detached(
    spec: StudySpec,
    file: Path,
    overrides: Sequence[str],
    store: Store,
    options: Sequence[tuple[str, Any]],
    *,
    as_json: bool,
) -> None:
    """Check a study, start it in a process of its own, and return when it holds the study.

    Raises:
        InputError: the study or its data cannot be used; told before anything is started.
        StudyBusyError: a process is running it.
        HpsearchError: the run ended at once; with what it said.
    """
    if not is_code(spec.data.source):
        prepare_study(spec)
    for home in store.generations(spec.study):
        if holder := holder_of(home.lock):
            raise StudyBusyError(
                f"study {home.key!r} is being run by process {holder.pid}; `{command_line('stop', home.key)}` ends it"
            )
    log = store.logs / f"{spec.study}.log"
    words = [sys.executable, "-m", "hpsearch", "run", str(file), "--store", str(store.root)]
    words += as_options(overrides)
    for name, value in options:
        if value is not None:
            words += [name] if value is True else [name, str(value)]
    process = _started(words, log)
    _LEFT.append(process)
    _wait_until_it_runs(process, store, spec.study, log)
    if as_json:
        print_json({"study": spec.study, "pid": process.pid, "log": str(log)})
        return
    click.echo(f"{spec.study} runs in the background: process {process.pid}, log {log}")
    hint("logs", spec.study, "--follow")


def _started(words: Sequence[str], log: Path) -> "subprocess.Popen[bytes]":
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            output.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(words[1:])}\n".encode())
            output.flush()
            return subprocess.Popen(  # noqa: S603 - this very interpreter
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a closing terminal is none of its business
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
    except OSError as error:
        raise StorageError(f"{log}: cannot be written ({error.strerror}); name another --store") from error


def _wait_until_it_runs(process: "subprocess.Popen[bytes]", store: Store, study: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if any(
            (holder := holder_of(home.lock)) and holder.pid == process.pid
            for home in store.generations(study)
        ):
            return
        code = process.poll()
        if code == 0:
            return
        if code is not None:
            said = log.read_text(encoding="utf-8", errors="replace")[-_LAST:].rpartition("--- ")[2]
            kind = InputError if code == InputError.exit_code else HpsearchError
            raise kind("the run ended at once:\n" + said.partition("\n")[2].strip())
        time.sleep(_PAUSE)
