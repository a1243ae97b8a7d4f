"""Whatever a file holds: a study, or an error that says what is wrong with it. No traceback, no hang, no flood."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

STUDY_FILES = 20_000
DATA_FILES = 2_000
ENDINGS = (".csv", ".tsv", ".parquet", ".npz", ".ts", "idx", ".png", ".jpg")
PIECES = 4


def fuzz(kind, first, count):
    """The report of a process that read so many damaged files."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.fuzzing", kind, str(first), str(count)],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"the reader's process ended with {done.returncode}: {done.stderr[-2000:]}"
    return json.loads(done.stdout)


@pytest.mark.parametrize("piece", range(PIECES))
def test_a_damaged_study_file_is_a_study_or_refused(piece, ledger):
    count = STUDY_FILES // PIECES
    report = fuzz("study", piece * count, count)
    assert report["broken"] == {}
    assert report["valid"] + report["refused"] == count
    assert report["kinds"] > 100, "the damage reaches many of the reader's rules"
    assert report["valid"] > count // 100, "some damage is harmless"
    ledger.enter("damaged study file", injected=count)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_damaged_data_file_is_read_or_refused(ending, ledger):
    count = DATA_FILES // len(ENDINGS)
    report = fuzz(ending, 0, count)
    assert report["broken"] == {}
    assert report["valid"] + report["refused"] == count
    assert report["kinds"] > 4, "the damage reaches several of the reader's rules"
    assert report["valid"] > count // 100, "some damage is harmless"
    ledger.enter(f"damaged {ending} file", injected=count)
