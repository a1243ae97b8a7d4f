"""Memory against the size of the data: a table of numbers, prepared and trained from files that are mapped.

`python -m benchmarks.memory 0.5 1 2 4` makes a table for each size in GB of float32 (in pieces, gone afterwards), runs a study
of one trial on it, prints what was resident at most: anonymous pages (the process's own) and pages of files (which the
system may take back at any time), and draws docs/images/memory.png.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = 256
FIGURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "memory.png"
STUDY = """
study: large
data: {{source: table.parquet, target: y, storage: {storage}, split: {{validation: 0.1, test: 0.1}}}}
model: {{hidden: [64]}}
space: {{epochs: 1, batch_size: 1024, learning_rate: 0.001}}
budget: {{trials: {trials}}}
"""


def make_table(path: Path, gigabytes: float) -> int:
    """Write a table of that size in memory, in pieces; the number of rows."""
    rows, random = int(gigabytes * 1e9 / (4 * COLUMNS)), np.random.default_rng(0)
    weights = random.normal(size=COLUMNS).astype(np.float32)
    names = [f"x{i}" for i in range(COLUMNS)]
    schema = pa.schema([*((name, pa.float32()) for name in names), ("y", pa.float32())])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, rows, 16384):
            x = random.standard_normal((min(16384, rows - start), COLUMNS), dtype=np.float32)
            y = x @ weights + random.standard_normal(len(x), dtype=np.float32)
            writer.write_table(pa.table([*(pa.array(column) for column in x.T), pa.array(y)], schema=schema))
    return rows


def peak_of(command: list[str], directory: Path) -> dict[str, float]:
    """Run a command; the largest of its resident parts, in MB, seen every 20 ms, and its seconds."""
    began, peaks = time.perf_counter(), {"RssAnon": 0, "RssFile": 0, "VmRSS": 0}
    with (directory / "output.txt").open("w") as output:
        process = subprocess.Popen(command, cwd=directory, stdout=output, stderr=subprocess.STDOUT)
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        for line in status.splitlines():
            name, _, value = line.partition(":")
            if name in peaks:
                peaks[name] = max(peaks[name], int(value.split()[0]))
        time.sleep(0.02)
    if process.wait():
        raise SystemExit((directory / "output.txt").read_text())
    return {name: kilobytes / 1e3 for name, kilobytes in peaks.items()} | {"seconds": time.perf_counter() - began}


def measure(gigabytes: float, *, storage: str = "disk", trials: int = 1) -> dict[str, float]:
    """Memory of one study on a table of that size; all its files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hpsearch-memory-") as name:
        directory = Path(name)
        make_table(directory / "table.parquet", gigabytes)
        (directory / "study.yaml").write_text(STUDY.format(storage=storage, trials=trials))
        command = [sys.executable, "-m", "hpsearch", "run", "study.yaml", "--workers", "1", "--quiet", "--store", "mlruns"]
        return peak_of(command, directory)


def main() -> None:
    """Print a table for the sizes on the command line."""
    print("| data (GB) | anonymous (MB) | files (MB) | resident (MB) | seconds |\n| --- | --- | --- | --- | --- |")
    peaks = {}
    for size in map(float, sys.argv[1:] or ["0.5", "1", "2", "4"]):
        peak = peaks[size] = measure(size)
        print(f"| {size:g} | {peak['RssAnon']:.0f} | {peak['RssFile']:.0f} | {peak['VmRSS']:.0f} | {peak['seconds']:.0f} |", flush=True)
    draw(peaks)


def draw(peaks: dict[float, dict[str, float]]) -> None:
    """What was resident, by the size of the data, beside data that would all be in memory."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes, sizes = figure.subplots(), list(peaks)
    for part, label in (("RssAnon", "anonymous pages"), ("RssFile", "pages of files"), ("VmRSS", "resident")):
        axes.plot(sizes, [peaks[size][part] for size in sizes], marker="o", markersize=3, label=label)
    axes.plot(sizes, [1000 * size for size in sizes], ":", color="gray", label="the data themselves")
    axes.set(xlabel="data (GB)", ylabel="most at once (MB)", ylim=(0, 1000))
    axes.legend(frameon=False)
    figure.savefig(FIGURE, dpi=110)


if __name__ == "__main__":
    main()
