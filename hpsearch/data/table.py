"""A table as its source gives it, before targets are told from inputs."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Named columns. `target`: the source's own, if any; `line`: a row's line, in a file that has lines."""

    frame: pd.DataFrame
    target: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    line: Callable[[int], int] | None = None
