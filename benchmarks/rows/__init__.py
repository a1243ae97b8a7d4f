"""All rows, in the order of the table."""

from benchmarks.row import Row
from benchmarks.rows import dense

ROWS: list[Row] = [*dense.ROWS]
