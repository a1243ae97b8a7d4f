"""The labelled set: real trials on random tasks with random recipes, each with what is known of it beyond its curves.

`python -m tests.support.labelled` makes tests/judgment/labelled.json.gz anew (minutes). Every trial is trained as a
search trains it. What it deserves is then found by means that diagnosis does not have: a thousand held-out samples and
the whole training part at every epoch, training twice as long, the norm of every single step's gradient, the gradient
of all batches layer by layer, and the same trial with a tenth, a third, three and ten times the learning rate and
without any regularization, and what a network that is large enough reaches. `tests.support.labels` draws the labels.
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hpsearch.data.prepared import Fold, Part, Task, TrainingData, frozen
from hpsearch.engine import LOSSES, Buffers, Cohort, Member, Network, evaluate
from hpsearch.engine.arrays import quiet
from hpsearch.engine.losses import Work
from hpsearch.engine.probes import StepProbe, learning_layers
from hpsearch.execution import CohortTask, TrialTask, train_cohort
from hpsearch.execution.evaluation import EvaluationSet
from hpsearch.judgment.metrics import baseline_loss, largest_share
from hpsearch.randomness import Address
from hpsearch.spec import EarlyStopping, Objective
from hpsearch.spec.hyperparameters import Hyperparameters
from tests.support.recipes import recipe

PLACE = Path(__file__).parents[1] / "judgment" / "labelled.json.gz"
TRIALS = 800
HELD_OUT = 1000


@dataclass(frozen=True)
class Problem:
    """A task with a training, a validation and a large held-out part."""

    kind: str
    data: TrainingData
    held_out: Part

    @property
    def loss(self) -> str:
        return self.data.task.default_loss()


def problem(number: int) -> Problem:
    """The task of a trial: what a random network says of random inputs, or classes around centres, or pure chance."""
    rng = np.random.default_rng([2024, number])
    kind = str(rng.choice(["classes", "network", "numbers", "chance", "rare"], p=[0.3, 0.25, 0.25, 0.1, 0.1]))
    train = int(rng.choice([24, 80, 250, 500]))
    inputs, total = int(rng.choice([3, 8, 20])), train + 250 + HELD_OUT
    x = rng.standard_normal((total, inputs))
    y, task = _targets(kind, x, rng)
    parts = np.split(np.arange(total), [train, train + 250])
    learned, judged, held = (frozen(x[rows].astype(np.float32), y[rows]) for rows in parts)
    data = TrainingData(folds=(Fold(train=learned, validation=judged, task=task),))
    return Problem(kind, data, held)


def _targets(kind: str, x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, Task]:
    """Targets (N,) ids or (N, 1) standardized numbers; `x` is changed where classes have centres."""
    classes = int(rng.choice([2, 3, 6]))
    teacher = np.tanh(x @ rng.standard_normal((x.shape[1], 12))) @ rng.standard_normal((12, classes))
    if kind == "numbers":
        y = teacher[:, :1] / teacher[:, 0].std() + rng.choice([0.05, 0.3]) * rng.standard_normal((len(x), 1))
        return ((y - y.mean()) / y.std()).astype(np.float32), Task(
            kind="regression", target_names=("y",), target_mean=(0.0,), target_scale=(1.0,)
        )
    if kind == "network":
        y = (teacher / teacher.std(axis=0) + 0.3 * rng.standard_normal(teacher.shape)).argmax(axis=1)
    elif kind == "rare":
        classes = 2
        y = (rng.random(len(x)) < 0.12).astype(int)
        x += y[:, None] * 0.8
    else:
        y = rng.integers(classes, size=len(x))
        if kind == "classes":
            x += rng.standard_normal((classes, x.shape[1]))[y] * rng.choice([0.7, 1.5])
    names = tuple(f"class {number}" for number in range(classes))
    return y.astype(np.int32), Task(
        kind="multiclass" if classes > 2 else "binary", target_names=("y",), classes=names
    )


def draw(number: int, loss: str) -> Hyperparameters:
    """A recipe from a space in which much goes wrong."""
    rng = np.random.default_rng([2025, number])
    depth = int(rng.choice([1, 2, 3, 6, 10], p=[0.3, 0.3, 0.15, 0.15, 0.1]))
    optimizer = str(rng.choice(["sgd", "momentum", "adam", "rmsprop"]))
    high = 1.0 if optimizer in ("sgd", "momentum") else -0.5
    strong = rng.random() < 0.2
    return recipe(
        hidden=(int(rng.choice([4, 16, 48])),) * depth,
        activation=str(rng.choice(["relu", "tanh", "sigmoid"], p=[0.5, 0.25, 0.25])),
        loss=loss,
        batch_size=int(rng.choice([8, 16, 32])),
        epochs=int(rng.choice([8, 15, 30, 60])),
        learning_rate=float(10 ** rng.uniform(-4 if optimizer in ("adam", "rmsprop") else -3, high)),
        optimizer=optimizer,
        initializer=str(rng.choice(["he", "xavier", "normal"], p=[0.45, 0.4, 0.15])),
        dropout=float(rng.choice([0.0, 0.2, 0.5])) if not strong else float(rng.choice([0.0, 0.8])),
        l2=float(10 ** rng.uniform(-6, -2.5)) if not strong else float(10 ** rng.uniform(-2, 0)),
        beta2=0.999,
    )


def trial(number: int) -> dict[str, Any]:
    """One trial: what a search keeps of it (`curves`, `samples`, ...) and the truth about it."""
    given = problem(number)
    h = draw(number, given.loss)
    task = CohortTask(
        trials=(
            TrialTask(
                number=number,
                hyperparameters=h,
                address=Address(seed=0, trial=number),
                thresholds=np.full(h.epochs, np.nan),
            ),
        ),
        objectives=(Objective(),),
        early_stopping=EarlyStopping(patience=None),
    )
    [outcome] = train_cohort(task, given.data, evaluation=EvaluationSet.draw(given.data, 0))
    validation = given.data.validation.y
    return {
        "number": number,
        "problem": given.kind,
        "baseline": baseline_loss(validation, task=given.data.task, loss=h.loss),
        "class_share": float(np.bincount(validation).max() / len(validation))
        if validation.ndim == 1
        else None,
        "recipe": {**asdict(h), "hidden": list(h.hidden)},
        "state": {"finished": "complete", "diverged": "diverged"}[outcome.verdict.value],
        "curves": {name: _short(curve, 5) for name, curve in outcome.curves.items()},
        "samples": {name: list(curve) for name, curve in outcome.samples.items()},
        "truth": truth(given, h, number),
    }


def truth(given: Problem, h: Hyperparameters, number: int) -> dict[str, Any]:
    """The trial and its variants, trained twice as long, measured on all the data; losses in units of the baseline."""
    free = {"l1": 0.0, "l2": 0.0, "dropout": 0.0, "weight_decay": 0.0}
    variants = {
        "itself": h,
        "slow": replace(h, learning_rate=h.learning_rate / 3),
        "slower": replace(h, learning_rate=h.learning_rate / 10),
        "fast": replace(h, learning_rate=h.learning_rate * 3),
        "faster": replace(h, learning_rate=h.learning_rate * 10),
        "free": replace(h, **free),
    }
    train, task = given.data.train, given.data.task
    cohort = Cohort(
        [Member(recipe, Address(seed=0, trial=number)) for recipe in variants.values()],
        train,
        outputs=task.outputs(h.loss),
    )
    unit = baseline_loss(given.held_out.y, task=task, loss=h.loss)
    x = np.concatenate([train.x, given.held_out.x])
    losses = {name: {"train": [], "held_out": []} for name in variants}
    found: dict[str, Any] = {"steps": [], "gradients": {}, "largest_share": []}
    for epoch in range(1, 2 * h.epochs + 1):
        if epoch == h.epochs + 1:
            cohort.leave(range(1, len(variants)))
        row = cohort.rows.index(0)
        found["steps"] += _with_norms(cohort, row)
        outputs = cohort.predict(x)
        for part, rows in (("train", slice(len(train))), ("held_out", slice(len(train), None))):
            y = train.y if part == "train" else given.held_out.y
            values = evaluate(h.loss, outputs[:, rows], y, huber_delta=np.ones(len(outputs))) / unit
            for name, value in zip(np.array(list(variants))[list(cohort.rows)], values, strict=True):
                losses[name][part].append(value)
        if task.is_classification and epoch <= h.epochs:
            found["largest_share"].append(float(largest_share(outputs[[row]], loss=h.loss)[0]))
        if epoch in (max(1, h.epochs // 4), h.epochs // 2, h.epochs):
            found["gradients"][str(epoch)] = _short(gradient_of_all(cohort, train, h, row), 3)
        if epoch == h.epochs:
            found["idle"] = _short(idle_of_all(cohort, x, row, h), 3)
    return {
        "losses": {part: _short(curve, 3) for part, curve in losses["itself"].items()},
        "variants": {
            "reference": _reference(given, h, number),
            **{name: _ends(both) for name, both in losses.items() if name != "itself"},
        },
        "steps": _jump(found["steps"][: len(found["steps"]) // 2], len(found["steps"]) // (2 * h.epochs)),
        "gradients": found["gradients"],
        "largest_share": _short(found["largest_share"], 3),
        "idle": found["idle"],
    }


def _ends(losses: Mapping[str, list[float]]) -> dict[str, float]:
    """The training loss of the last quarter, and the least held-out loss."""
    end, best = np.median(losses["train"][-max(3, len(losses["train"]) // 4) :]), min(losses["held_out"])
    return {"train": float(f"{end:.3g}"), "held_out": float(f"{best:.3g}")}


def _reference(given: Problem, h: Hyperparameters, number: int) -> dict[str, float]:
    """What a network that is large enough and trains well reaches on the same task in 60 epochs."""
    settled = recipe(
        hidden=(64, 64),
        activation="relu",
        initializer="he",
        optimizer="adam",
        learning_rate=0.003,
        beta2=0.999,
        loss=h.loss,
        batch_size=h.batch_size,
        epochs=60,
    )
    train, task, huber = given.data.train, given.data.task, np.ones(1)
    unit = baseline_loss(given.held_out.y, task=task, loss=h.loss)
    cohort = Cohort([Member(settled, Address(seed=1, trial=number))], train, outputs=task.outputs(h.loss))
    parts = {"train": train, "held_out": given.held_out, "validation": given.data.validation}
    losses: dict[str, list[float]] = {name: [] for name in parts}
    for epoch in range(60):
        cohort.train_epoch()
        if epoch % 4 == 3:
            for name, part in parts.items():
                value = evaluate(h.loss, cohort.predict(part.x), part.y, huber_delta=huber)[0]
                losses[name].append(float(value / unit))
    return {**_ends(losses), "validation": float(f"{min(losses['validation']):.3g}")}


def _with_norms(cohort: Cohort, row: int) -> list[float]:
    """Train an epoch; the norm of every step's gradient of one network."""
    steps, norms = cohort._steps, []
    run = steps.run

    def measured(step: int, batch: Any) -> None:
        run(step, batch)
        norms.append(float(np.linalg.norm(steps._gradients[row].astype(np.float64))))

    steps.run = measured
    cohort.train_epoch()
    del steps.run
    return norms


def _jump(norms: list[float], an_epoch: int) -> dict[str, float]:
    """The largest ratio of a step's gradient to the median of all steps before it, after the first epoch, and when."""
    values = np.array(norms)
    best, when = 0.0, 0
    for step in range(max(an_epoch, 3), len(values)):
        usual = np.median(values[:step])
        ratio = values[step] / usual if np.isfinite(values[step]) and usual > 0 else np.inf
        if ratio > best:
            best, when = float(ratio), step
    return {"ratio": min(best, 1e9), "epoch": when // max(an_epoch, 1) + 1}


def gradient_of_all(cohort: Cohort, part: Part, h: Hyperparameters, row: int) -> list[float]:
    """The norm of each layer's gradient, the mean over all batches of the part in their order, without dropout."""
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
    probe = StepProbe(learning_layers(plan), parameters, buffers.gradients)
    with quiet():
        for start in range(0, len(part) - batch + 1, batch):
            rows = slice(start, start + batch)
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


def _short(values: Any, digits: int) -> list[float]:
    return [float(f"{value:.{digits}g}") for value in values]


def make() -> None:
    """Make the file anew."""
    with np.errstate(all="ignore"):
        trials = [trial(number) for number in range(TRIALS)]
    text = json.dumps(trials, separators=(",", ":"))
    with gzip.GzipFile(PLACE, "wb", mtime=0) as file:
        file.write(text.encode())


def stored() -> list[Mapping[str, Any]]:
    """The trials as they were made."""
    return json.loads(gzip.decompress(PLACE.read_bytes()))  # type: ignore[no-any-return]


if __name__ == "__main__":
    make()
