"""Disks that are full or read-only: a clean error that names the place, and a run that goes on once there is room."""

import os
import resource
import subprocess
from contextlib import contextmanager

import pytest

from hpsearch.errors import StorageError
from hpsearch.results import best_params
from hpsearch.search.facts import FactStore
from tests.support.drivers import Driver, facts_of
from tests.support.studies import QUICK, cli, run_quick, table

pytestmark = [
    pytest.mark.slow,
    # a run that ends early leaves its writer to MLflow to itself
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SIZES = (4, 12, 20, 28, 40, 64, 128, 512)  # KB: from no room for the study file to room for all but MLflow


def mount(*arguments):
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@contextmanager
def small_disk(directory, size):
    """A file system of so many KB at a directory; the test is skipped where it may not be mounted."""
    directory.mkdir()
    if os.geteuid() != 0 or not mount("-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(directory)):
        pytest.skip("mounting a file system needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


def remount(directory, option):
    assert mount("-o", f"remount,{option}", str(directory))


@pytest.fixture(autouse=True)
def trials_alone(monkeypatch):
    """No run waits for MLflow at its end: it is not what is tested here."""
    monkeypatch.setattr("hpsearch.study._TRACKING_PATIENCE", 0.1)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The table of a run with all the room it wants."""
    result, _ = run_quick(tmp_path_factory.mktemp("roomy"))
    return table(result.facts)


def test_a_full_disk_at_any_point_is_an_error_and_the_run_goes_on_when_there_is_room(
    expected, tmp_path, ledger
):
    """Whatever file was being written: the study's, the journal, the model, the result."""
    failed = 0
    for size in SIZES:
        directory = tmp_path / f"disk-{size}"
        with small_disk(directory, size):
            said = complaint(directory)
            assert said is None or (str(directory) in said and "No space left on device" in said)
            failed += said is not None
            before = facts_of_store(directory)
            assert table(before) == expected[: len(before)]
            remount(directory, "size=64m")
            result, _ = run_quick(directory)
            assert table(result.facts) == expected
            assert best_params("quick", store=directory).test == result.result["test"]
    assert failed >= 4
    ledger.enter("full disk (a small file system)", injected=failed)


def complaint(directory):
    """What a run says that fails for want of room; None where it does not fail."""
    try:
        run_quick(directory)
    except StorageError as error:
        return str(error)


def facts_of_store(directory):
    path = directory / "studies" / "quick" / "facts.journal"
    return FactStore.open(path, study="quick").facts() if FactStore.exists(path, study="quick") else []


def test_a_read_only_disk_is_an_error_and_can_still_be_read(expected, tmp_path, ledger):
    directory = tmp_path / "disk"
    with small_disk(directory, 64_000):
        remount(directory, "ro")
        with pytest.raises(StorageError, match=r"cannot be made.*name a writable place with --store"):
            run_quick(directory)
        remount(directory, "rw")
        run_quick(directory, budget__trials=8)
        remount(directory, "ro")
        with pytest.raises(StorageError, match="Read-only file system"):
            run_quick(directory)
        assert table(facts_of_store(directory)) == expected[:8]
        assert best_params("quick", store=directory)
        remount(directory, "rw")
        result, _ = run_quick(directory)
        assert table(result.facts) == expected
    ledger.enter("read-only file system", injected=2)


@pytest.mark.parametrize("kilobytes", [0, 8, 40])
def test_a_limit_of_the_file_size_is_an_error_and_the_run_goes_on_without_it(
    expected, tmp_path, kilobytes, ledger
):
    """RLIMIT_FSIZE, as `ulimit -f` sets it, on the driver and all its processes; needs no root."""
    (tmp_path / "study.yaml").write_text(QUICK)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, kilobytes << 10))

    with Driver(tmp_path, "quick", "--workers", "1", preexec_fn=limit) as driver:
        code, _, errors = driver.finish(600)
    assert code == 1, errors
    assert "File too large" in errors
    assert "Traceback" not in errors
    before = facts_of(tmp_path, "quick")
    assert table(before) == expected[: len(before)]
    with Driver(tmp_path, "quick", "--workers", "1") as driver:
        code, _, errors = driver.finish(600)
    assert code == 0, errors
    assert cli("sync", "quick", cwd=tmp_path, timeout=600).returncode == 0, (
        "no half of a database is in its way"
    )
    assert table(facts_of(tmp_path, "quick")) == expected
    ledger.enter("full disk (RLIMIT_FSIZE)", injected=1)
