"""All rows, in the order of the table."""

from benchmarks.row import Row
from benchmarks.rows import dense, folds, search

ROWS: list[Row] = [*dense.ROWS, *folds.ROWS, *search.ROWS]
