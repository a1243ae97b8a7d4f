"""Fixed-lag windows: which trials are proposed together, as a function of the study file alone.

The trials that need no knowledge (the sampler's start-up) form the first window. Later windows grow with what is
known: an eighth of the trials issued so far, within bounds, so that not seeing one's own window costs an
eighth of the budget at most. Neither the number of workers nor the budget enters: a raised budget goes on as
if it had been that large from the start.
"""

from collections.abc import Iterator
from typing import Final

DEPTH: Final = 2
_SMALLEST: Final = 4
_LARGEST: Final = 16


def windows(*, startup: int, in_flight: int | None) -> Iterator[range]:
    """Trial numbers, window by window, without end.

    `in_flight` is the number of trials under way at most (None: automatic). A window is proposed when the window
    `DEPTH` before it has been retired.
    """
    first, size = 0, max(1, startup)
    if in_flight is not None:
        size = max(1, in_flight // DEPTH)
    while True:
        yield range(first, first + size)
        first += size
        if in_flight is None:
            size = min(_LARGEST, max(_SMALLEST, first // 8))


def depth(in_flight: int | None) -> int:
    """How many windows are under way at once; one trial in flight means one window of one."""
    return 1 if in_flight == 1 else DEPTH
