"""BLAS and its threads, when several studies run in threads of one process."""

from contextlib import ExitStack

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from hpsearch.execution.blas import one_blas_thread


def threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


@pytest.mark.parametrize("first", ["entered first", "entered last"])
def test_the_last_block_that_is_left_gives_the_threads_back(first):
    """Whichever was entered first."""
    with threadpool_limits(limits=2, user_api="blas"):
        before = threads()
        one, other = ExitStack(), ExitStack()
        one.enter_context(one_blas_thread())
        other.enter_context(one_blas_thread())
        left, last = (one, other) if first == "entered first" else (other, one)
        left.close()
        assert threads() == {1}
        last.close()
        assert threads() == before
