"""Pictures of experiments: how training went when one thing was changed."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from hpsearch.search.fact import TrialFact
from studies.expectation import Run, Seen
from studies.measures import last
from studies.pictures.paper import COLORS, curve, figure, finish

CHANCE = float(np.log(10))


def _by(trials: Sequence[TrialFact], parameter: str) -> list[TrialFact]:
    return sorted(trials, key=lambda fact: _values([fact], parameter))


def _values(trials: Sequence[TrialFact], parameter: str) -> list[float]:
    """A numeric parameter's values, trial by trial."""
    return [float(fact.params[parameter] or 0) for fact in trials]


def _best(trials: Sequence[TrialFact], name: str) -> TrialFact:
    return min(trials, key=lambda fact: last(fact, name))


def digits(seen: Seen) -> Figure:
    """Every trial by its learning rate and its score; what was pruned is faint."""
    (run,) = seen["digits"]
    made, (axes,) = figure(width=6)
    for color, name in zip(COLORS, ["sgd", "momentum", "adagrad", "rmsprop", "adam"], strict=False):
        for finished, strength in ((True, 1.0), (False, 0.25)):
            there = [
                fact for fact in run.facts if fact.params["optimizer"] == name and fact.finished == finished
            ]
            losses = [min(fact.curves["validation_loss"]) for fact in there]
            label = name if finished else None
            rates = _values(there, "learning_rate")
            axes.scatter(rates, losses, s=16, color=color, alpha=strength, label=label)
    axes.set(xscale="log", yscale="log")
    finish(axes, title="100 trials; faint: pruned", x="learning rate", y="best validation loss")
    return made


def diabetes(seen: Seen) -> Figure:
    """The winner's curves, the epoch that was kept, and where training stopped."""
    (run,) = seen["diabetes"]
    fact = run.facts[run.result["trial"]]
    made, (axes,) = figure(width=6)
    curve(axes, fact.curves["train_loss"], color=COLORS[0], label="training")
    curve(axes, fact.curves["validation_loss"], color=COLORS[1], label="validation")
    best = int(fact.scores["best_epoch"])
    axes.axvline(best, color="gray", linestyle=":", label=f"weights kept: epoch {best}")
    finish(axes, title=f"{fact.name}: {fact.state.replace('_', ' ')}", x="epoch", y="loss")
    return made


def optimizers(seen: Seen) -> Figure:
    """Each optimizer at its best learning rate, and what the learning rate does to each."""
    (run,) = seen["optimizers"]
    made, (left, right) = figure(2)
    for color, name in zip(COLORS, ["sgd", "momentum", "adagrad", "rmsprop", "adam"], strict=False):
        trials = _by(run.trials(optimizer=name), "learning_rate")
        best = _best(trials, "train_loss")
        label = f"{name}, {best.params['learning_rate']:g}"
        curve(left, best.curves["train_loss"], color=color, label=label)
        rates = _values(trials, "learning_rate")
        losses = [min(last(fact, "train_loss"), 1e2) for fact in trials]
        right.plot(rates, losses, "o-", color=color, markersize=4, label=name)
    left.set_yscale("log")
    right.set(xscale="log", yscale="log")
    right.axhline(CHANCE, color="gray", linestyle=":")
    finish(left, title="each at its best learning rate", x="epoch", y="training loss")
    finish(right, title="every learning rate", x="learning rate", y="training loss after 30 epochs")
    return made


def learning_rate(seen: Seen) -> Figure:
    """The valley, and the curves at its ends and its bottom."""
    (run,) = seen["learning-rate"]
    trials = _by(run.facts, "learning_rate")
    made, (left, right) = figure(2)
    rates = _values(trials, "learning_rate")
    losses = [last(fact, "validation_loss") for fact in trials]
    left.plot(rates, np.minimum(losses, 1e2), "o-", color=COLORS[0], markersize=4)
    left.axhline(CHANCE, color="gray", linestyle=":", label="a constant guess")
    left.set(xscale="log", yscale="log")
    finish(left, title="after 20 epochs", x="learning rate", y="validation loss")
    for color, fact in zip(COLORS, [trials[i] for i in (0, 3, 5, 7, -2, -1)], strict=False):
        curve(right, fact.curves["train_loss"], color=color, label=f"{fact.params['learning_rate']:.2g}")
    right.set_yscale("log")
    finish(right, title="some of them, epoch by epoch", x="epoch", y="training loss")
    return made


def initial_values(seen: Seen) -> Figure:
    """A panel an activation, a curve a way to draw first weights."""
    (run,) = seen["initial-values"]
    made, panels = figure(3, width=3.6)
    for axes, activation in zip(panels, ["relu", "tanh", "sigmoid"], strict=True):
        for color, name in zip(COLORS, ["zeros", "normal", "xavier", "lecun", "he"], strict=False):
            (fact,) = run.trials(initializer=name, activation=activation)
            curve(axes, fact.curves["train_loss"], color=color, label=name)
        axes.set_ylim(0, 2.6)
        finish(axes, title=activation, x="epoch", y="training loss")
    return made


def depth(seen: Seen) -> Figure:
    """Accuracy by depth, and the loss of the deepest."""
    (run,) = seen["depth"]
    made, (left, right) = figure(2)
    for color, name in zip(COLORS, ["sigmoid", "relu"], strict=False):
        trials = _by(run.trials(activation=name), "depth")
        depths = _values(trials, "depth")
        left.plot(
            depths, [last(fact, "validation_accuracy") for fact in trials], "o-", color=color, label=name
        )
        for fact, style in zip(trials[::2], ("-", "--", ":"), strict=False):
            label = f"{name}, {fact.params['depth']} deep"
            curve(right, fact.curves["train_loss"], color=color, linestyle=style, label=label)
    left.set_ylim(0, 1)
    finish(left, title="after 30 epochs", x="hidden layers", y="validation accuracy")
    finish(right, title="some of them, epoch by epoch", x="epoch", y="training loss")
    return made


def batch_size(seen: Seen) -> Figure:
    """Quality and time by batch size."""
    (run,) = seen["batch-size"]
    made, (left, right) = figure(2)
    for color, rate in zip(COLORS, (0.02, 0.2), strict=False):
        trials = _by(run.trials(learning_rate=rate), "batch_size")
        sizes = _values(trials, "batch_size")
        losses = [min(last(fact, "validation_loss"), 1e2) for fact in trials]
        left.plot(sizes, losses, "o-", color=color, label=f"learning rate {rate:g}")
        seconds = [1000 * fact.seconds / fact.epochs for fact in trials]
        right.plot(sizes, seconds, "o-", color=color, label=f"learning rate {rate:g}")
    left.set(xscale="log", yscale="log")
    right.set(xscale="log", yscale="log")
    finish(left, title="after 20 epochs", x="batch size", y="validation loss")
    finish(right, title="three networks at once", x="batch size", y="milliseconds an epoch")
    return made


def local_optima(seen: Seen) -> Figure:
    """Where thirty networks that differ in nothing but random numbers ended."""
    (run,) = seen["local-optima"]
    losses = sorted(member["train_loss"] for member in run.facts[0].members)
    made, (axes,) = figure(width=6, height=3)
    axes.plot(range(1, len(losses) + 1), losses, "o", color=COLORS[0], markersize=5)
    axes.set_ylim(bottom=0)
    finish(
        axes, title="thirty beginnings", x="networks, in order", y="training loss at the end", legend=False
    )
    return made


def preprocessing(seen: Seen) -> Figure:
    """The same learning rates on columns as they are and on standardized ones."""
    made, (axes,) = figure(width=6)
    for color, name, run in zip(COLORS, ("standardized", "as they are"), seen["preprocessing"], strict=False):
        trials = _by(run.facts, "learning_rate")
        accuracies = [fact.curves["validation_accuracy"][-1] for fact in trials]
        rates = _values(trials, "learning_rate")
        axes.plot(rates, accuracies, "o-", color=color, label=name)
    axes.set(xscale="log", ylim=(0, 1.02))
    finish(axes, title="after 50 epochs", x="learning rate", y="validation accuracy")
    return made


def overfitting(seen: Seen) -> Figure:
    """Four panels: the network left alone, and with each remedy at its best strength."""
    made, panels = figure(4, width=3.1)
    for axes, (study, title) in zip(
        panels,
        {
            "overfitting": "left alone",
            "overfitting-dropout": "dropout",
            "overfitting-l2": "L2",
            "overfitting-augmentation": "augmentation",
        }.items(),
        strict=True,
    ):
        fact = _most_accurate(seen[study][0])
        curve(axes, fact.curves["train_loss"], color=COLORS[0], label="training")
        curve(axes, fact.curves["validation_loss"], color=COLORS[1], label="validation")
        axes.set_ylim(0, 2.4)
        accuracy = fact.curves["validation_accuracy"][-1]
        finish(axes, title=f"{title}: {accuracy:.1%} right", x="epoch", y="loss")
    return made


def _most_accurate(run: Run) -> TrialFact:
    return max(run.facts, key=lambda fact: fact.curves["validation_accuracy"][-1])


def transfer(seen: Seen) -> Figure:
    """Accuracy epoch by epoch, from trained weights and from random ones."""
    made, (axes,) = figure(width=6)
    for color, name, run in zip(
        COLORS, ("from trained weights", "from random ones"), seen["transfer"], strict=False
    ):
        curve(axes, run.facts[0].curves["validation_accuracy"], color=color, label=name)
    axes.set_ylim(0, 1)
    finish(axes, title="25 digits of kinds that are new", x="epoch", y="validation accuracy")
    return made
