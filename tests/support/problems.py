"""The tasks and the search spaces of the labelled set: each study draws one of either."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from hpsearch.data.prepared import Fold, Part, Task, TrainingData, frozen
from hpsearch.spec.hyperparameters import Hyperparameters
from tests.support.recipes import recipe

HELD_OUT = 1000
VALIDATION = 250
KINDS = {"classes": 0.25, "network": 0.2, "numbers": 0.2, "signs": 0.15, "chance": 0.1, "rare": 0.1}


@dataclass(frozen=True)
class Problem:
    """A task with a training, a validation and a large held-out part."""

    kind: str
    data: TrainingData
    held_out: Part

    @property
    def loss(self) -> str:
        return self.data.task.default_loss()


def problem(study: int) -> Problem:
    """What a random network says of random inputs, classes around centres, the sign of a product, or pure chance."""
    rng = np.random.default_rng([2024, study])
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    train = int(rng.choice([40, 120, 300]))
    inputs = int(rng.choice([3, 8, 20])) if kind != "signs" else int(rng.choice([2, 3]))
    x = rng.standard_normal((train + VALIDATION + HELD_OUT, inputs))
    y, task = _targets(kind, x, rng)
    order = np.arange(len(y)) if y.ndim > 1 else stratified(y)
    parts = np.split(order, [train, train + VALIDATION])
    if y.ndim > 1:
        y = ((y - y[parts[0]].mean()) / y[parts[0]].std()).astype(np.float32)
    learned, judged, held = (frozen(x[rows].astype(np.float32), y[rows]) for rows in parts)
    return Problem(kind, TrainingData(folds=(Fold(train=learned, validation=judged, task=task),)), held)


def stratified(y: np.ndarray) -> np.ndarray:
    """An order of the rows in which every stretch has each class about as often as all rows."""
    place = np.empty(len(y))
    for each in np.unique(y):
        rows = np.flatnonzero(y == each)
        place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return np.argsort(place, kind="stable")


def _targets(kind: str, x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, Task]:
    """Targets (N,) ids or (N, 1) numbers; `x` is changed where classes have centres."""
    classes = int(rng.choice([2, 3, 6]))
    teacher = np.tanh(x @ rng.standard_normal((x.shape[1], 12))) @ rng.standard_normal((12, classes))
    if kind == "numbers":
        y = teacher[:, :1] / teacher[:, 0].std() + rng.choice([0.05, 0.3]) * rng.standard_normal((len(x), 1))
        return y, Task(kind="regression", target_names=("y",), target_mean=(0.0,), target_scale=(1.0,))
    if kind == "network":
        y = (teacher / teacher.std(axis=0) + 0.3 * rng.standard_normal(teacher.shape)).argmax(axis=1)
    elif kind == "signs":
        classes, y = 2, (np.prod(x, axis=1) > 0).astype(int)
        x += 0.7 * np.sign(x)
    elif kind == "rare":
        classes, y = 2, (rng.random(len(x)) < 0.12).astype(int)
        x += y[:, None] * 0.8
    else:
        y = rng.integers(classes, size=len(x))
        if kind == "classes":
            x += rng.standard_normal((classes, x.shape[1]))[y] * rng.choice([0.7, 1.5])
    names = tuple(f"class {number}" for number in range(classes))
    return y.astype(np.int32), Task(
        kind="multiclass" if classes > 2 else "binary", target_names=("y",), classes=names
    )


_TEMPERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "hot": {"learning_rate": (-1.0, 1.3)},
    "held": {
        "learning_rate": (-2.0, 0.0),
        "dropout": (0.2, 0.9),
        "l2": (-4.0, 0.0),
        "depth": (1, 2, 3),
        "epochs": (25, 40),
    },
    "narrow": {
        "learning_rate": (-1.5, 0.0),
        "width": (1, 2, 3, 24),
        "depth": (1, 2),
        "initializer": ("he", "xavier"),
        "epochs": (25, 40),
    },
    "slow to start": {
        "learning_rate": (-2.0, 0.0),
        "activation": ("tanh", "sigmoid"),
        "initializer": ("normal", "xavier"),
        "depth": (2, 3, 4),
        "epochs": (40, 60),
    },
}
"""What spaces have in place of what is drawn for the plain ones."""

SLOW = {name: _TEMPERS["slow to start"][name] for name in ("depth", "initializer")}
"""By which a space that is slow to start is known."""


@dataclass(frozen=True)
class Space:
    """What a study searches: choices, and ranges; learning rates and L2 strengths as powers of ten."""

    optimizer: tuple[str, ...]
    activation: tuple[str, ...]
    initializer: tuple[str, ...]
    depth: tuple[int, ...]
    width: tuple[int, ...]
    batch_size: tuple[int, ...]
    epochs: tuple[int, ...]
    learning_rate: tuple[float, float]
    dropout: tuple[float, float]
    l2: tuple[float, float]

    @classmethod
    def draw(cls, study: int, kind: str) -> "Space":
        """A random space. One in four is plain; in each of the others one kind of thing goes wrong often."""
        rng = np.random.default_rng([2025, study])

        def some(*choices: Any) -> tuple[Any, ...]:
            kept = rng.choice(len(choices), size=rng.integers(1, len(choices) + 1), replace=False)
            return tuple(choices[place] for place in sorted(kept))

        depths = [(1, 2), (1, 2, 3), (2, 3, 6), (6, 10)]
        space = cls(
            optimizer=some("sgd", "momentum", "adam", "rmsprop"),
            activation=some("relu", "tanh", "sigmoid"),
            initializer=some("he", "xavier", "normal"),
            depth=depths[rng.choice(4, p=[0.35, 0.3, 0.2, 0.15])],
            width=some(4, 16, 48),
            batch_size=some(8, 16, 32),
            epochs=some(8, 15, 25, 40) if kind != "signs" else some(25, 40, 60),
            learning_rate=(float(rng.uniform(-3, -1.5)), float(rng.uniform(-1, 0.5))),
            dropout=(0.0, float(rng.choice([0.0, 0.3, 0.6]))),
            l2=(-6.0, float(rng.choice([-4.0, -3.0, -2.0]))),
        )
        return replace(space, **_TEMPERS[str(rng.choice(list(_TEMPERS), p=[0.25, 0.25, 0.2, 0.15, 0.15]))])

    def sample(self, study: int, trial: int, loss: str) -> Hyperparameters:
        """A trial's recipe; Adam's and RMSProp's learning rates are thirty times as small."""
        rng = np.random.default_rng([2026, study, trial])
        depth, width = int(rng.choice(self.depth)), int(rng.choice(self.width))
        optimizer = str(rng.choice(self.optimizer))
        rate = rng.uniform(*self.learning_rate) - (1.5 if optimizer in ("adam", "rmsprop") else 0.0)
        return recipe(
            hidden=(width,) * depth,
            activation=str(rng.choice(self.activation)),
            loss=loss,
            batch_size=int(rng.choice(self.batch_size)),
            epochs=int(rng.choice(self.epochs)),
            learning_rate=float(10**rate),
            optimizer=optimizer,
            initializer=str(rng.choice(self.initializer)),
            dropout=float(rng.uniform(*self.dropout)),
            l2=float(10 ** rng.uniform(*self.l2)),
            beta2=0.999,
        )


PLAIN = asdict(recipe(beta2=0.999))


def stored_recipe(h: Hyperparameters) -> dict[str, Any]:
    """What a recipe changes of the plain one."""
    changed = {field.name: getattr(h, field.name) for field in fields(h)}
    changed["hidden"] = list(h.hidden)
    return {name: value for name, value in changed.items() if value != PLAIN[name]}
