"""Workers in threads, each task with a delay of the test's choosing, so that they are done in any order."""

import time
from concurrent.futures import ThreadPoolExecutor


class Delayed:
    """`train` a task's cohort in a thread, after the next of `delays` in seconds."""

    def __init__(self, train, count, delays):
        self.count = count
        self._train, self._delays = train, iter(delays)
        self._threads = ThreadPoolExecutor(count)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._threads.shutdown()

    def submit(self, task):
        return self._threads.submit(self._work, next(self._delays), task)

    @staticmethod
    def wait(future):
        return future.result()

    def _work(self, delay, task):
        time.sleep(delay)
        return self._train(task)
