"""The table of faults: each test may enter rows, and the run ends with all of them."""

import statistics
from pathlib import Path

import pytest

_TABLE = Path("build") / "faults.md"
_KEY = "fault"


class Ledger:
    """What a test saw of one kind of fault."""

    def __init__(self, node):
        self._node = node

    def enter(self, fault, *, injected, lost=0, doubled=0, recovered=()):
        """One row: times injected, trials lost and doubled, seconds until all was as it should be, each time."""
        seconds = [float(value) for value in recovered]
        self._node.user_properties.append((_KEY, (fault, injected, lost, doubled, seconds)))


@pytest.fixture
def ledger(request):
    return Ledger(request.node)


def pytest_terminal_summary(terminalreporter):
    """Rows of the same fault, from whichever process ran them, added up; on the screen and in build/faults.md."""
    rows = {}
    for report in terminalreporter.stats.get("passed", []):
        for key, value in report.user_properties:
            if key == _KEY:
                fault, injected, lost, doubled, seconds = value
                row = rows.setdefault(fault, [0, 0, 0, []])
                row[0] += injected
                row[1] += lost
                row[2] += doubled
                row[3] += seconds
    if not rows:
        return
    lines = [
        "| fault | times injected | lost | doubled | recovered in (s) |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {fault} | {injected} | {lost} | {doubled} | {_seconds(times)} |"
            for fault, (injected, lost, doubled, times) in sorted(rows.items())
        ),
    ]
    terminalreporter.section("faults")
    terminalreporter.write_line("\n".join(lines))
    _TABLE.parent.mkdir(exist_ok=True)
    _TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _seconds(times):
    """Median and longest."""
    if not times:
        return "-"
    return f"{statistics.median(times):.1f} (longest {max(times):.1f})" if times[1:] else f"{times[0]:.1f}"
