"""One BLAS thread for whatever trains: results are the same to the bit, and cores are not fought over."""

from typing import Final

from threadpoolctl import threadpool_limits

from hpsearch.overlapping import Overlapping

one_blas_thread: Final = Overlapping(lambda: threadpool_limits(limits=1, user_api="blas"))
"""`with one_blas_thread(): ...`, in any thread: the number is one for the whole process."""
