"""Tables to prepare, and the settings to prepare them with."""

import csv
from pathlib import Path

import numpy as np

from hpsearch.spec import DataSpec


def settings(**given):
    """The data section of a study on `table.csv`, to learn its column `price`."""
    return DataSpec(**{"source": "table.csv", "target": "price", **given})


HOUSES_HEADER = ("area", "kind", "garden", "rooms", "price")


def house_rows(count: int = 60, *, seed: int = 0) -> list[list[str]]:
    """Cells of a made-up table: numbers and texts with gaps, booleans, counts, and a price that follows."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        area, kind, garden = (
            random.uniform(20, 200),
            random.choice(["flat", "house", "loft"]),
            random.random() < 0.5,
        )
        price = 3 * area + 50 * (kind == "house") + random.normal()
        cells = [f"{area:.2f}", str(kind), str(garden).lower(), str(random.integers(1, 9)), f"{price:.3f}"]
        if random.random() < 0.15:
            cells[random.integers(0, 2)] = random.choice(["", "NA"])
        rows.append(cells)
    return rows


def write_csv(path: Path, header: tuple[str, ...], rows: list[list[str]], *, delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows([header, *rows])
    return path
