"""What is known of a labelled trial beyond its curves: it and its variants trained on, and measured on all the data."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hpsearch.data.prepared import Part
from hpsearch.engine import LOSSES, Buffers, Cohort, Member, Network, evaluate
from hpsearch.engine.arrays import quiet
from hpsearch.engine.losses import Work
from hpsearch.engine.probes import StepProbe, learning_layers
from hpsearch.judgment.metrics import baseline_loss, largest_share
from hpsearch.randomness import Address
from hpsearch.spec.hyperparameters import Hyperparameters
from tests.support.problems import Problem
from tests.support.recipes import recipe

SEEDS = (1, 2, 3)
"""Each variant is trained from other initial values and in another order than the trial, so that luck draws no label.

No such network is one that the trial's own seed, 0, gives: nothing that examines a trial has seen any of them.
"""

FREE = {"l1": 0.0, "l2": 0.0, "dropout": 0.0, "weight_decay": 0.0}


def variants(h: Hyperparameters) -> dict[str, Hyperparameters]:
    """The recipe and what it is compared with."""
    return {
        "itself": h,
        "slow": replace(h, learning_rate=h.learning_rate / 3),
        "slower": replace(h, learning_rate=h.learning_rate / 10),
        "slowest": replace(h, learning_rate=h.learning_rate / 100),
        "fast": replace(h, learning_rate=h.learning_rate * 3),
        "faster": replace(h, learning_rate=h.learning_rate * 10),
        "fastest": replace(h, learning_rate=h.learning_rate * 100),
        "free": replace(h, **FREE),
    }


def truth(given: Problem, h: Hyperparameters, number: int) -> dict[str, Any]:
    """The first member is the trial itself, trained twice as long; losses are in units of a constant guess's."""
    recipes = variants(h)
    names = [name for name in recipes for _ in SEEDS]
    others = [Member(each, Address(seed=seed, trial=number)) for each in recipes.values() for seed in SEEDS]
    members = [Member(h, Address(seed=0, trial=number)), *others]
    train, task = given.data.train, given.data.task
    cohort = Cohort(members, train, outputs=task.outputs(h.loss))
    measure = Measure(given, h.loss)
    found: dict[str, Any] = {"train": [], "held_out": [], "norms": [], "gradients": {}, "largest_share": []}
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    quarter = max(3, h.epochs // 4)
    for epoch in range(1, 2 * h.epochs + 1):
        if epoch == h.epochs + 1:
            cohort.leave(range(1, len(members)))
        row = cohort.rows.index(0)
        found["norms"].append(_norms_of_epoch(cohort, row))
        all_rows = epoch > h.epochs - quarter or epoch % max(1, h.epochs // 8) == 0
        losses = measure(cohort, None if all_rows and epoch <= h.epochs else [row])
        if all_rows and epoch <= h.epochs:
            order = np.argsort(cohort.rows)
            seen.append((losses["train"][order][1:], losses["held_out"][order][1:]))
        own = row if all_rows and epoch <= h.epochs else 0
        for part in ("train", "held_out"):
            found[part].append(float(losses[part][own]))
        if task.is_classification and epoch <= h.epochs:
            found["largest_share"].append(float(largest_share(measure.outputs[[own]], loss=h.loss)[0]))
        if epoch in (max(1, h.epochs // 4), h.epochs // 2, h.epochs):
            found["gradients"][str(epoch)] = short(gradient_of_all(cohort, train, h, row), 3)
        if epoch == h.epochs:
            found["idle"] = short(idle_of_all(cohort, measure.x, row, h), 3)
    return {
        **{name: short(found[name], 3) for name in ("train", "held_out", "largest_share")},
        "norms": [short(pair, 3) for pair in found["norms"][: h.epochs]],
        "gradients": found["gradients"],
        "idle": found["idle"],
        "variants": _ends(names, seen, quarter),
    }


class Measure:
    """The losses of networks over the whole training part and the held-out samples."""

    def __init__(self, given: Problem, loss: str) -> None:
        task, train = given.data.task, given.data.train
        self._loss, self._split = loss, len(train)
        self._targets = {"train": train.y, "held_out": given.held_out.y}
        self._units = {part: baseline_loss(y, task=task, loss=loss) for part, y in self._targets.items()}
        self.x = np.concatenate([train.x, given.held_out.x])
        self.outputs = np.empty(0)

    def __call__(self, cohort: Cohort, rows: Sequence[int] | None) -> dict[str, np.ndarray]:
        self.outputs = cohort.predict(self.x, rows=rows)
        both = {"train": slice(self._split), "held_out": slice(self._split, None)}
        return {
            part: evaluate(
                self._loss,
                self.outputs[:, where],
                self._targets[part],
                huber_delta=np.ones(len(self.outputs)),
            )
            / self._units[part]
            for part, where in both.items()
        }


def _ends(names: list[str], seen: list[tuple[np.ndarray, np.ndarray]], quarter: int) -> dict[str, Any]:
    """By variant and seed: the training loss of the last quarter, the least held-out loss."""
    train, held = np.array([one for one, _ in seen]), np.array([other for _, other in seen])
    end, best = np.median(train[-quarter:], axis=0), held.min(axis=0)
    found: dict[str, Any] = {}
    for place, name in enumerate(names):
        ends = found.setdefault(name, {"train": [], "held_out": []})
        ends["train"].append(float(f"{end[place]:.3g}"))
        ends["held_out"].append(float(f"{best[place]:.3g}"))
    return found


def reference(given: Problem, study: int) -> dict[str, float]:
    """What networks that train well reach on the task in 60 epochs: the better of a large and a small one."""
    ends = [_reached(given, study, hidden, activation) for hidden, activation in _SETTLED]
    return {part: min(end[part] for end in ends) for part in ends[0]}


_SETTLED = (((64, 64), "relu"), ((12,), "tanh"))


def _reached(given: Problem, study: int, hidden: tuple[int, ...], activation: str) -> dict[str, float]:
    settled = recipe(
        hidden=hidden,
        activation=activation,
        initializer="he",
        optimizer="adam",
        learning_rate=0.003,
        beta2=0.999,
        loss=given.loss,
        batch_size=16,
        epochs=60,
    )
    task = given.data.task
    cohort = Cohort(
        [Member(settled, Address(seed=1, trial=study))],
        given.data.train,
        outputs=task.outputs(given.loss),
    )
    measure, losses = Measure(given, given.loss), []
    for epoch in range(60):
        cohort.train_epoch()
        if epoch % 4 == 3:
            losses.append({part: float(values[0]) for part, values in measure(cohort, None).items()})
    return {part: float(f"{min(each[part] for each in losses):.3g}") for part in ("train", "held_out")}


def _norms_of_epoch(cohort: Cohort, row: int) -> tuple[float, float]:
    """Train an epoch; the mean and the largest norm of one network's gradient of the data over all its steps."""
    steps, norms = cohort._steps, []
    passes = steps._full, steps._last

    def measuring(learn: Any) -> Any:
        def measured(inputs: Any, batch: Any) -> None:
            learn(inputs, batch)
            norms.append(float(np.linalg.norm(steps._gradients[row].astype(np.float64))))

        return measured

    steps._full, steps._last = map(measuring, passes)
    cohort.train_epoch()
    steps._full, steps._last = passes
    return float(np.mean(norms)), max(norms) if np.isfinite(norms).all() else np.inf


def gradient_of_all(cohort: Cohort, part: Part, h: Hyperparameters, row: int) -> list[float]:
    """The norm of each layer's gradient, the mean over batches of the part in a random order, without dropout.

    Random as in training: the rows lie so that neighbours balance each other's errors.
    """
    plan, batch = cohort._plan, min(h.batch_size, len(part))
    parameters = cohort._parameters[[row]].copy()
    state = cohort._state[[row]].copy()
    buffers = Buffers(parameters=parameters, gradients=np.zeros_like(parameters), state=state)
    network, loss = Network(plan, buffers, batch=batch), LOSSES[h.loss]
    inputs = np.concatenate([part.x, np.ones((len(part), 1), np.float32)], axis=1)
    targets = loss.table(part.y, plan.outputs, np.dtype(np.float32)) / np.float32(
        batch if loss.classifies else 1
    )
    work, norms = Work.allocate(network.outputs, np.ones(1)), []
    order = np.random.default_rng(0).permutation(len(part))
    probe = StepProbe(learning_layers(plan), parameters, buffers.gradients)
    with quiet():
        for start in range(0, len(part) - batch + 1, batch):
            rows = order[start : start + batch]
            loss.gradient(network.forward(inputs[None, rows]), targets[None, rows], work, network.delta)
            network.backward()
            probe.before()
            norms.append(probe.gradient_norm[0].copy())
    return np.mean(norms, axis=0).tolist()  # type: ignore[no-any-return]


def idle_of_all(cohort: Cohort, x: np.ndarray, row: int, h: Hyperparameters) -> list[float]:
    """The share of units that pass less than a hundredth of a gradient for each of the rows, by hidden layer."""
    parameters, shares, values = cohort._parameters[row].astype(np.float64), [], x.astype(np.float64)
    with np.errstate(all="ignore"):
        for block in cohort._plan.layout.blocks[:-1]:
            matrix = block.view(parameters)
            z = values @ matrix[:-1] + matrix[-1]
            if h.activation == "relu":
                values, slope = np.maximum(z, 0), (z > 0).astype(float)
            elif h.activation == "tanh":
                values = np.tanh(z)
                slope = 1 - values**2
            else:
                values = 1 / (1 + np.exp(-z))
                slope = 4 * values * (1 - values)
            shares.append(float((slope.max(axis=0) < 0.01).mean()))
    return shares


def short(values: Any, digits: int) -> list[float]:
    """Numbers with so many digits."""
    return [float(f"{value:.{digits}g}") for value in values]


def over_seeds(ends: Mapping[str, Any], part: str) -> np.ndarray:
    """A variant's losses, sorted; 9 where it diverged."""
    return np.sort(np.nan_to_num(np.minimum(ends[part], 9.0), nan=9.0, posinf=9.0))
