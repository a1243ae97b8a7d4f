"""All rows, in the order of the table."""

from benchmarks.row import Row
from benchmarks.rows import dense, driver, folds, search, tracking

ROWS: list[Row] = [*dense.ROWS, *folds.ROWS, *search.ROWS, *driver.ROWS, *tracking.ROWS]
