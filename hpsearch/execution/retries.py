"""What is done when the process that trained a cohort dies: train again, and find the trial that kills it."""

import time
from collections.abc import Callable
from typing import Final

from hpsearch.execution.cohorts import CohortTask
from hpsearch.execution.outcome import Outcome, failed

DEATHS: Final = 3
"""How often a trial may kill the process that trains it, alone, before it is given up."""


class WorkerDiedError(Exception):
    """The process that trained a task died, or had no memory left."""


def train_in_spite(
    task: CohortTask,
    train: Callable[[CohortTask], list[Outcome]],
    *,
    died: Callable[[CohortTask, WorkerDiedError], None],
) -> list[Outcome]:
    """A cohort's outcomes, whatever becomes of the processes that train it.

    A cohort whose process died is trained again, trial by trial: each alone needs least memory, and the one that is to
    blame is found. A trial that kills its process alone, three times, has failed. Since a trial learns alone
    as in company, to the bit, none of this shows in the outcomes of the others.

    `train` raises `WorkerDiedError`; `died` is told each time.
    """
    if len(task.trials) > 1:
        try:
            return train(task)
        except WorkerDiedError as error:
            died(task, error)
            return [train_in_spite(single, train, died=died)[0] for single in task.singles()]
    for _ in range(DEATHS):
        try:
            return train(task)
        except WorkerDiedError as error:
            died(task, error)
            reason = str(error)
    return [given_up(task, DEATHS, reason)]


def given_up(task: CohortTask, deaths: int, reason: str) -> Outcome:
    """The outcome of a cohort of one that killed its process again and again."""
    text = f"the process that trained it died {deaths} times ({reason}); smaller networks or batches need less memory"
    return failed(task.trials[0], text, started=time.time())
