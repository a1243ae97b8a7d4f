"""One BLAS thread for whatever trains: results are the same to the bit, and cores are not fought over."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from threadpoolctl import threadpool_limits

_lock: Final = threading.Lock()
_open: Final[list[ExitStack]] = []
"""The blocks that are open now. The number of BLAS threads is one for the whole process."""


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS computes with one thread as long as any such block is open, in any thread of this process.

    The last one that is left gives it its threads back, not the first one that was entered.
    """
    mine = ExitStack()
    with _lock:
        if not _open:
            mine.enter_context(threadpool_limits(limits=1, user_api="blas"))
        _open.append(mine)
    try:
        yield
    finally:
        with _lock:
            _open.remove(mine)
            if _open:
                _open[0].push(mine.pop_all())
            else:
                mine.close()
