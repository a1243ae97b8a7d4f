"""The study's lock: one driver at a time, and a dead one holds nothing."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from hpsearch.errors import StorageError, StudyBusyError
from hpsearch.search.lock import StudyLock

HOLD = """
import os, sys, time
from pathlib import Path
from hpsearch.search.lock import StudyLock
with StudyLock(Path(sys.argv[1])):
    if sys.argv[2] == "fork":
        begun, begins = os.pipe()
        if os.fork() == 0:
            os.write(begins, b".")
            time.sleep(30)
        os.read(begun, 1)
    print("held", flush=True)
    time.sleep(30)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock, by its mode."""
    processes = []

    def start(mode="alone"):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, tmp_path / "driver.lock", mode],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_a_second_driver_is_told_who_holds_the_study(tmp_path, holder):
    process = holder()
    since = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
    who = rf"run by process {process.pid} on {re.escape(socket.gethostname())} since {since}"
    with pytest.raises(StudyBusyError, match=who), StudyLock(tmp_path / "driver.lock"):
        pass


@pytest.mark.parametrize("mode", ["alone", "fork"])
def test_a_killed_driver_holds_nothing(tmp_path, holder, mode):
    """Not even where a worker that it forked lives on."""
    process = holder(mode)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    started = time.perf_counter()
    with StudyLock(tmp_path / "driver.lock"):
        assert time.perf_counter() - started < 1


def test_one_process_cannot_hold_it_twice(tmp_path):
    lock = StudyLock(tmp_path / "driver.lock")
    with (
        lock,
        pytest.raises(StudyBusyError, match=f"process {os.getpid()} "),
        StudyLock(tmp_path / "driver.lock"),
    ):
        pass


def test_it_can_be_taken_again_after_use(tmp_path):
    lock = StudyLock(tmp_path / "home" / "driver.lock")
    for _ in range(2):
        with lock:
            pass
    with pytest.raises(ZeroDivisionError), lock:
        raise ZeroDivisionError
    with lock:
        pass


def test_an_unsigned_lock_is_still_a_lock(tmp_path):
    """Its holder may be between taking and signing it."""
    path = tmp_path / "driver.lock"
    with StudyLock(path):
        path.write_text("")
        with pytest.raises(StudyBusyError, match="another process"), StudyLock(path):
            pass


def test_a_lock_that_cannot_be_made_is_a_storage_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be made"), StudyLock(tmp_path / "file" / "driver.lock"):
        pass
