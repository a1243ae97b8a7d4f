"""Trials of a trainer of one's own: `(parameters, data) -> one dict of metrics an epoch`."""

import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from hpsearch.data.prepared import Part, Task, TrainingData
from hpsearch.errors import TrainingError
from hpsearch.execution.cohorts import CohortTask, TrialTask
from hpsearch.execution.outcome import Outcome, StoppedError, failed
from hpsearch.extensions import Extension
from hpsearch.judgment.stopping import Verdict, Watch
from hpsearch.randomness import Address
from hpsearch.spec.hyperparameters import Hyperparameters
from hpsearch.spec.rules import NAME

MODEL: Final = "model"
"""What an epoch calls its model, beside its metrics."""

Metrics = dict[str, float]


class TrainerError(Exception):
    """A trainer does not keep to what trainers are to give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerData:
    """What a trainer learns from.

    Attributes:
        train: inputs `x` and targets `y` to learn from.
        validation: those that its metrics are to be taken on; in a refit, the same as `train`.
        task: what is learned: `kind`, `classes`, `target_names`.
        epochs: how many epochs are asked for, at most.
        seed: what all its random numbers are to follow from, below 2 ** 32.
    """

    train: Part
    validation: Part
    task: Task
    epochs: int
    seed: int


class Epochs(Iterator[tuple[Metrics, Any]]):
    """The epochs of one model, each its metrics and the model as it is then (None where the trainer gives none)."""

    def __init__(
        self, trainer: Callable[..., Any], hyperparameters: Hyperparameters, data: TrainerData
    ) -> None:
        given = trainer(dict(hyperparameters.own or ()), data)
        if isinstance(given, Mapping) or not isinstance(given, Iterable):
            raise TrainerError(f"the trainer gives {type(given).__name__}, not dicts one after another")
        self._given, self._epochs = given, iter(given)
        self._names: frozenset[str] | None = None
        self._epoch = 0

    def __next__(self) -> tuple[Metrics, Any]:
        """The next epoch.

        Raises:
            StopIteration: the trainer has come to its end.
            TrainerError: what it gives is no dict of metrics.
        """
        said = next(self._epochs)
        self._epoch += 1
        if not isinstance(said, Mapping):
            raise self._error(f" is {type(said).__name__}, not a dict of metrics")
        metrics = {str(name): self._number(name, value) for name, value in said.items() if name != MODEL}
        self._names = self._names or frozenset(metrics)
        if metrics.keys() != self._names:
            differs = ", ".join(sorted(self._names ^ metrics.keys()))
            raise self._error(f" has other metrics than the first: {differs}")
        return metrics, said.get(MODEL)

    def close(self) -> None:
        """Tell the trainer that no further epoch is asked for; a generator's `finally` runs."""
        with suppress(Exception):
            getattr(self._given, "close", lambda: None)()

    def _number(self, name: object, value: object) -> float:
        if NAME.finding(name) is not None:
            raise self._error(f" has a metric {name!r}, whose name is no word")
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise self._error(f": {name} is no number but {type(value).__name__}") from None

    def _error(self, text: str) -> TrainerError:
        return TrainerError(f"epoch {self._epoch} of the trainer{text}")


def train_own(
    task: CohortTask, trainer: Extension, data: TrainingData, stop: Callable[[], bool]
) -> list[Outcome]:
    """Have the trainer train the task's trials, one after another. An exception of its own fails its trial alone.

    Raises:
        StoppedError: `stop` became true; asked once an epoch.
        InputError: the trainer cannot be imported here.
    """
    function = trainer.function
    return [_train(function, trial, task, data, stop) for trial in task.trials]


def trained_model(
    trainer: Callable[..., Any], hyperparameters: Hyperparameters, data: TrainerData, epochs: int
) -> Any:
    """The model after so many epochs; None where the trainer gives none.

    Raises:
        TrainingError: the trainer failed.
    """
    try:
        following = Epochs(trainer, hyperparameters, data)
        try:
            last = deque((model for _, (_, model) in zip(range(epochs), following, strict=False)), maxlen=1)
        finally:
            following.close()
    except Exception as error:  # it is somebody else's code
        raise TrainingError(
            f"the trainer failed when the winner was to be refitted: {told(error)}"
        ) from error
    return last.pop() if last else None


def told(error: Exception) -> str:
    """An exception of a trainer, with its line in the trainer's own code."""
    if isinstance(error, TrainerError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    at = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{at}" if str(error) else f"{type(error).__name__}{at}"


def _train(
    trainer: Callable[..., Any],
    trial: TrialTask,
    task: CohortTask,
    data: TrainingData,
    stop: Callable[[], bool],
) -> Outcome:
    started, before = time.time(), time.perf_counter()
    members: list[Epochs] = []
    try:
        members += (Epochs(trainer, trial.hyperparameters, each) for each in _data_of(trial, data))
        outcome = _followed(members, trial, task, stop)
    except StoppedError:
        raise
    except Exception as error:  # noqa: BLE001 - it is somebody else's code
        return failed(trial, told(error), started=started)
    finally:
        for member in members:
            member.close()
    return replace(outcome, started=started, seconds=time.perf_counter() - before)


def _data_of(trial: TrialTask, data: TrainingData) -> Iterator[TrainerData]:
    """What each of the trial's models learns from."""
    for member in range(data.members):
        fold = data.folds[data.fold_of(member)]
        yield TrainerData(
            train=fold.train,
            validation=fold.validation,
            task=fold.task,
            epochs=trial.hyperparameters.epochs,
            seed=trainer_seed(replace(trial.address, fold=member)),
        )


def trainer_seed(address: Address) -> int:
    """The seed that a trainer is given."""
    return address.integer("trainer")


def _followed(
    members: Sequence[Epochs], trial: TrialTask, task: CohortTask, stop: Callable[[], bool]
) -> Outcome:
    """The trial's models, trained side by side until they are judged to be done, or come to their end."""
    epochs, wanted = trial.hyperparameters.epochs, [objective.metric for objective in task.objectives]
    watch = Watch(
        1,
        epochs=np.array([epochs]),
        patience=task.early_stopping.patience,
        min_delta=task.early_stopping.min_delta,
        direction=task.objectives[0].direction,
        thresholds=trial.thresholds[None],
    )
    curves: dict[str, list[float]] = {}
    verdict, at_best = Verdict.CONTINUE, [Metrics()]
    for epoch in range(1, epochs + 1):
        if stop():
            raise StoppedError
        said = [metrics for member in members for metrics, _ in (next(member, ({}, None)),)]
        if not all(said):
            break
        if lacking := [name for name in wanted if name not in said[0]]:
            there = ", ".join(said[0])
            raise TrainerError(
                f"the trainer gives no {lacking[0]}, which is the objective (it gives {there})"
            )
        for name in said[0]:
            curves.setdefault(name, []).append(sum(each[name] for each in said) / len(said))
        (verdict,), (better,) = watch.update([0], epoch, np.array([curves[wanted[0]][-1]]))
        at_best = said if better else at_best
        if verdict is not Verdict.CONTINUE:
            break
    if not curves:
        raise TrainerError("the trainer gives no epoch at all")
    verdict = Verdict.FINISHED if verdict is Verdict.CONTINUE else verdict
    finished = verdict in (Verdict.FINISHED, Verdict.CONVERGED)
    return Outcome(
        number=trial.number,
        verdict=verdict,
        curves={name: tuple(curve) for name, curve in curves.items()},
        best_epoch=int(watch.best_epoch[0]),
        scores={},
        plateau_factors=(),
        weights=0,
        started=0.0,
        seconds=0.0,
        members=tuple(at_best) if finished and len(members) > 1 else (),
    )
