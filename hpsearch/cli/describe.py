"""Words, numbers and tables for the terminal."""

import os
from typing import Any, Final

from rich.console import Console
from rich.table import Table

_PIPE_WIDTH: Final = 160
_ENDLESS: Final = 100_000
_FEWEST: Final = 3


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """A console as wide as the terminal; where there is none, lines are left whole for whoever reads them."""
    made = Console(stderr=stderr, quiet=quiet, highlight=False, emoji=False)
    if not _has_an_edge(made):
        made.soft_wrap = True
        made.width = _PIPE_WIDTH
    return made


def _has_an_edge(out: Console) -> bool:
    """Whether lines end somewhere: on a terminal, or where one is drawn, with its colours and `COLUMNS`."""
    return out.file.isatty() or (out.is_terminal and bool(os.environ.get("COLUMNS")))


def is_watched(out: Console) -> bool:
    """Whether someone sits before a terminal and sees a bar move: CI keeps what is printed as a text."""
    return out.file.isatty() and not out.is_dumb_terminal and not os.environ.get("CI")


def plain_table(*headers: str) -> Table:
    """A table without a frame, as the verbs print them."""
    table = Table(box=None, pad_edge=False, show_header=bool(headers), header_style="dim")
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def print_table(out: Console, table: Table) -> None:
    """Print a table of many columns: to a pipe all, on a terminal those that it has room for, and the others' names."""
    left_out: list[str] = []
    if not _has_an_edge(out):
        out.width = max(out.width, _width(out, table))
    while len(table.columns) > _FEWEST and _width(out, table) > out.width:
        left_out.insert(0, str(table.columns.pop().header))
    out.print(table)
    if left_out:
        out.print(
            f"no room here for {', '.join(left_out)}: a wider terminal, a pipe or --json has all", style="dim"
        )


def _width(out: Console, table: Table) -> int:
    """The columns that a table takes where nothing is folded."""
    return out.measure(table, options=out.options.update_width(_ENDLESS)).maximum


def number(value: Any) -> str:
    """Four significant digits for a float; nothing as the study file says it; anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else "null" if value is None else str(value)


def span(seconds: float) -> str:
    """A time for people: `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
