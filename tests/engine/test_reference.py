"""Whole training runs in float64 against a naive trainer of one network."""

import numpy as np
import pytest

from hpsearch.engine import ACTIVATIONS, INITIALIZERS, LOSSES, RULES, SCHEDULES, Cohort
from tests.support.recipes import member, part_for
from tests.support.reference import train

EPOCHS = 4
MONITORED = [1.0, 1.2, 1.1, 0.9, 0.95, 0.99]


def compare(*, training_epochs=EPOCHS, n=29, **changes):
    one = member(**changes)
    part, outputs = part_for(one.hyperparameters.loss, n=n)
    beside = member(trial=9, **{**changes, "optimizer": "sgd", "learning_rate": 0.02})
    cohort = Cohort([one, beside], part, outputs=outputs, dtype=np.float64)
    for epoch in range(training_epochs):
        cohort.train_epoch()
        cohort.observe(np.full(2, MONITORED[epoch % len(MONITORED)]))
    expected = train(one, part, outputs, training_epochs, MONITORED)
    for (w, b), (v, c) in zip(cohort.weights(0).layers, expected, strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(b, c, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("optimizer", sorted(RULES))
def test_every_optimizer(optimizer, dropout):
    compare(optimizer=optimizer, dropout=dropout, learning_rate=0.01, weight_decay=0.02)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation(activation):
    compare(activation=activation, dropout=0.2, optimizer="momentum", learning_rate=0.02)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss(loss):
    compare(loss=loss, huber_delta=0.4, optimizer="adam", learning_rate=0.01)


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
@pytest.mark.parametrize("warmup_epochs", [0, 2])
def test_every_schedule(schedule, warmup_epochs):
    compare(
        schedule=schedule, warmup_epochs=warmup_epochs, min_learning_rate=0.015, training_epochs=6, epochs=6
    )


@pytest.mark.parametrize("initializer", sorted(INITIALIZERS))
def test_every_initializer(initializer):
    compare(initializer=initializer)


@pytest.mark.parametrize(
    "changes",
    [
        {"l1": 0.01},
        {"l2": 0.1},
        {"l1": 0.01, "l2": 0.1, "optimizer": "adam"},
        {"max_norm": 0.8, "learning_rate": 0.5},
        {"clip_norm": 0.05},
        {"clip_norm": 0.05, "l2": 0.5, "optimizer": "adamw", "weight_decay": 0.1},
        {"label_smoothing": 0.2},
        {"label_smoothing": 0.2, "loss": "binary_cross_entropy"},
        {"input_dropout": 0.4},
        {"input_dropout": 0.4, "dropout": 0.2, "activation": "relu"},
        {"hidden": ()},
        {"hidden": (), "dropout": 0.5, "input_dropout": 0.5},
        {"batch_size": 1},
        {"batch_size": 29},
        {"batch_size": 1000, "dropout": 0.5},
        {"batch_size": 14, "dropout": 0.5},
    ],
    ids=str,
)
def test_every_penalty_bound_and_batch_size(changes):
    compare(**changes)
