"""The command line as a process that is watched, and ended at chosen moments."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil

from hpsearch.search.facts import FactStore
from hpsearch.store import Store

_ALREADY = 0.002  # how often a driver's files are looked at, in seconds


class Driver:
    """`hpsearch run` in a process of its own, of a study in a directory."""

    def __init__(self, directory, study, *options, file="study.yaml", env=None, prefix=(), **settings):
        self.directory, self.study = directory, study
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "hpsearch", "run", file, *map(str, options)],
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "160", **(env or {})},
            start_new_session=True,
            **settings,
        )

    @property
    def home(self):
        """The study's directory in the store."""
        return self.directory / "mlruns" / "studies" / self.study

    def trials(self):
        """How many trials are stored, by the journal's lines."""
        return stored_lines(self.home)

    def wait_until(self, condition, seconds=600):
        """Whether a condition came true before the process ended; not within `seconds` is a failure."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None:
                return condition()
            assert time.monotonic() < deadline, "nothing happened"
            time.sleep(_ALREADY)
        return True

    def kill(self, number=signal.SIGKILL):
        """End the driver, and nothing else: the processes that it leaves behind, to end by themselves."""
        children = []
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children(recursive=True)
            self.process.send_signal(number)
        self.process.wait()
        return children

    def finish(self, seconds=600):
        """Exit code, output and errors of a run that is left alone."""
        output, errors = self.process.communicate(timeout=seconds)
        return self.process.returncode, output, errors

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def stored_lines(home):
    """How many whole trials a study's journal holds."""
    try:
        content = (home / "facts.journal").read_bytes()
    except FileNotFoundError:
        return 0
    return content[: content.rfind(b"\n") + 1].count(b'"op_code":4,')


def facts_of(directory, study):
    """The stored trials of a study, as anyone may read them; none where there is no study yet."""
    home = Store.locate(directory / "mlruns").studies / study
    if not FactStore.exists(home / "facts.journal", study=study):
        return []
    return FactStore.open(home / "facts.journal", study=study).facts()
