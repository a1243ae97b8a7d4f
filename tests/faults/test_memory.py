"""Ten thousand trials in one study: the driver's memory grows by what the trials are, evenly, and by no more."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

COUNTS = (1, 1_000, 5_000, 10_000)


def test_the_drivers_memory_grows_by_what_it_knows(tmp_path, ledger):
    """Each trial takes the same room, early and late: nothing is kept of one that is not known of it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.endless", str(tmp_path), "random", *map(str, COUNTS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    first, _, half, whole = (report["megabytes"][str(count)] for count in COUNTS)
    assert whole - half < 1.5 * (half - first), report
    assert whole - first < 6 * report["journal"], report
    ledger.enter("10,000 trials in one study: memory grows evenly", injected=1)
