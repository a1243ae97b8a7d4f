"""How processes of our own end: at once."""

import atexit
import gc


def leave_at_once() -> None:
    """Have this process end without Python's last search for garbage.

    With the libraries that are loaded it takes a fifth of a second, for memory that the system frees at once. Files are
    closed and exit functions called as ever. Only for processes that are ours: the command line's, workers.
    """
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
