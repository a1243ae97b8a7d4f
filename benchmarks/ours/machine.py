"""The machine's limit: single-precision matrix products as fast as NumPy's BLAS can multiply them on one core."""

import time
from typing import Any

import numpy as np

_SIZE = 1024


class Sgemm:
    """A repetition is one product of two 1024 x 1024 matrices; reports the best rate seen."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self._a, self._b = (rng.standard_normal((_SIZE, _SIZE)).astype(np.float32) for _ in range(2))
        self._out = np.empty_like(self._a)
        self._best = float("inf")

    def repeat(self) -> None:
        start = time.perf_counter()
        np.matmul(self._a, self._b, out=self._out)
        self._best = min(self._best, time.perf_counter() - start)

    def report(self) -> dict[str, Any]:
        return {"flops": 2 * _SIZE**3 / self._best}
