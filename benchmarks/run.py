"""Measure the rows, print the table, keep it in RESULTS.md with a figure.

    python -m benchmarks.run [name ...]

Names are rows (`dense-alone`), or else beginnings of them (`dense`). What was measured before and is not measured now stays as
it was, with its date.
"""

import sys
import time
import traceback
from dataclasses import asdict
from datetime import UTC, datetime

from benchmarks import machine, report
from benchmarks.measure import MissingPeerError, SideError
from benchmarks.row import Row
from benchmarks.rows import ROWS


def main() -> int:
    """Measure what was asked for; fails when a name is unknown or a side failed."""
    names = sys.argv[1:]
    chosen = [row for row in ROWS if not names or any(_matches(row, name) for name in names)]
    if not chosen:
        print(f"no row begins with {' or '.join(names)}; there are: {', '.join(row.name for row in ROWS)}")
        return 2
    start, stored, failed = time.perf_counter(), report.load(), False
    for row in chosen:
        entry = _measure(row)
        failed |= "failed" in entry
        stored[row.name] = entry
        report.save(stored)
        print(report.line(row, entry), flush=True)
    report.write(ROWS, stored)
    print(f"{len(chosen)} rows in {(time.perf_counter() - start) / 60:.1f} minutes; see benchmarks/RESULTS.md")
    return int(failed)


def _matches(row: Row, name: str) -> bool:
    exact = any(row.name == name for row in ROWS)
    return row.name == name if exact else row.name.startswith(name)


def _measure(row: Row) -> dict[str, object]:
    """The row's entry: its result, or why there is none."""
    start = time.perf_counter()
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    entry: dict[str, object] = {"date": date, "commit": machine.commit(), "machine": machine.describe()}
    try:
        entry["result"] = asdict(row.measure())
    except MissingPeerError as error:
        entry["missing"] = str(error)
    except Exception as error:  # noqa: BLE001 - whatever spoils a row, the others are measured
        print(error if isinstance(error, SideError) else traceback.format_exc(), file=sys.stderr)
        entry["failed"] = (str(error) or type(error).__name__).splitlines()[-1]
    return entry | {"took": time.perf_counter() - start}


if __name__ == "__main__":
    sys.exit(main())
