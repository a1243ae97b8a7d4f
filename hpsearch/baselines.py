"""What needs no hidden layer: a constant guess and a linear model, the marks that a network must beat."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.parts import in_memory
from hpsearch.data.prepared import EmbeddedColumn, Part, Task
from hpsearch.engine import Cohort, Member, forward
from hpsearch.judgment.metrics import final_scores
from hpsearch.randomness import Address
from hpsearch.spec import ModelSpec
from hpsearch.spec.hyperparameters import Hyperparameters
from hpsearch.spec.resolution import resolve

_EPOCHS: Final = 20  # at least, and so many that there are
_STEPS: Final = 3000  # steps: small data takes many epochs to settle
_BATCH: Final = 32
_LARGEST: Final = 16 << 20
_WIDEST: Final = 512  # features of a column
_RARE: Final = 1e-12  # the probability given to a class that the training rows lack


def baselines(
    train: Part, test: Part, task: Task, *, seed: int, embedded: Sequence[EmbeddedColumn] = ()
) -> dict[str, dict[str, float]]:
    """The scores of each baseline on the test rows, fitted to the training rows.

    Of parts that lie in files, those rows that 16 MB hold are taken. A linear model gets embedded columns one-hot.
    """
    stream = Address(seed=seed).stream("baseline")
    train, test = in_memory(train, stream, most=_LARGEST), in_memory(test, stream, most=_LARGEST)
    train, test = (replace(part, x=_one_hot(part.x, embedded)) for part in (train, test))
    outputs: dict[str, NDArray[Any]]
    tokens = train.x.dtype.kind in "iu"  # they are names: no linear function of their numbers says anything
    if task.is_classification:
        outputs = {"majority class": _prior(train, test, task)}
        outputs |= {} if tokens else {"logistic regression": _logistic(train, test, task, seed)}
        loss = "cross_entropy"
    else:
        outputs = {"mean": _mean(train, test)}
        outputs |= {} if tokens else {"linear regression": _linear(train, test)}
        loss = "mse"
    return {name: final_scores(output, test.y, task=task, loss=loss) for name, output in outputs.items()}


def _one_hot(x: NDArray[Any], embedded: Sequence[EmbeddedColumn]) -> NDArray[Any]:
    """Features in which each number of a category is so many of zero and one; of many categories, some share one."""
    wide = [np.delete(x, [column.place for column in embedded], axis=1)] if embedded else [x]
    for column in embedded:
        width = min(column.categories, _WIDEST)
        codes = x[:, column.place].astype(np.intp)
        wide.append(((codes[:, None] - 1) % width == np.arange(width)) & (codes[:, None] > 0))
    return np.concatenate(wide, axis=1, dtype=x.dtype) if embedded else x


def _prior(train: Part, test: Part, task: Task) -> NDArray[np.float64]:
    """The classes' shares of the training rows, for every test row; (N, C) log probabilities."""
    share = np.bincount(train.y.astype(np.intp), minlength=len(task.classes)) / len(train)
    return np.tile(np.log(np.maximum(share, _RARE)), (len(test), 1))


def _logistic(train: Part, test: Part, task: Task, seed: int) -> NDArray[np.float32]:
    """Multinomial logistic regression: the engine with no hidden layer, (N, C) logits.

    The strength of L2 is 1 / N, the penalty that scikit-learn's `LogisticRegression` has by default (C = 1). Two
    classes are one column there and two opposite halves of it here, hence twice the strength.
    """
    recipe = _recipe(len(train), len(task.classes))
    member = Member(recipe, Address(seed=seed, trial=None))
    cohort = Cohort([member], train, outputs=len(task.classes))
    for _ in range(recipe.epochs):
        cohort.train_epoch()
    return forward(cohort.weights(0), test.x, test.lengths)


def _recipe(rows: int, classes: int) -> Hyperparameters:
    """Softmax regression by Adam, its learning rate falling to zero along a cosine, so that it settles."""
    defaults = resolve(ModelSpec(hidden=(), activation="identity"), {}, {}, default_loss="cross_entropy")
    return replace(
        defaults,
        epochs=max(_EPOCHS, ceil(_STEPS * _BATCH / rows)),
        batch_size=_BATCH,
        learning_rate=0.02,
        schedule="cosine",
        initializer="zeros",
        l2=(2.0 if classes == 2 else 1.0) / rows,
    )


def _mean(train: Part, test: Part) -> NDArray[np.float64]:
    return np.tile(train.y.astype(np.float64).mean(axis=0), (len(test), 1))


def _linear(train: Part, test: Part) -> NDArray[np.float64]:
    """Least squares with a constant, the solution of least norm where there are many."""
    solution, *_ = np.linalg.lstsq(_with_constant(train.x), train.y.astype(np.float64))
    return np.asarray(_with_constant(test.x) @ solution)


def _with_constant(x: NDArray[Any]) -> NDArray[np.float64]:
    return np.column_stack([x.reshape(len(x), -1).astype(np.float64), np.ones(len(x))])
