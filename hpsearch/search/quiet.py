"""Optuna's own messages, off while hpsearch is the one who calls it, and only then."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hpsearch.overlapping import Overlapping


@contextmanager
def _kept_back() -> Iterator[None]:
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="optuna")
            warnings.filterwarnings("ignore", module="hpsearch.search")
            yield
    finally:
        logger.setLevel(level)


quiet: Final = Overlapping(_kept_back)
"""Keeps back optuna's INFO messages and its warnings about experimental and deprecated options.

The study file says what is wanted, and its reader has judged it; a program that uses Optuna besides keeps its own
settings.
"""
