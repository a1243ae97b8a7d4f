"""What is set for a whole process while any of its threads needs it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any


class Overlapping:
    """A context that threads may be in at the same time: the first one enters it, the last one leaves it.

    `with Overlapping(make)(): ...`; `make` gives the context anew each time.
    """

    def __init__(self, make: Callable[[], AbstractContextManager[Any]]) -> None:
        self._make = make
        self._lock, self._inside, self._held = threading.Lock(), 0, ExitStack()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Be in the context."""
        with self._lock:
            if not self._inside:
                self._held.enter_context(self._make())
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._held.close()
