"""All rows, in the order of the table."""

from benchmarks.row import Row
from benchmarks.rows import dense, diagnostics, driver, folds, layers, search, tracking

ROWS: list[Row] = [*dense.ROWS, *layers.ROWS, *folds.ROWS, *search.ROWS, *driver.ROWS, *tracking.ROWS, *diagnostics.ROWS]
