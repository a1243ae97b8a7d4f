"""Trainers that tests search with."""

import numpy as np

CLOSED = []
"""The parameters of generators that have been closed or have come to their end."""


class Softmax:
    """A linear classifier."""

    def __init__(self, weights):
        self.weights = weights

    def predict_proba(self, x):
        scores = x @ self.weights
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def loss(self, part):
        return -np.log(self.predict_proba(part.x)[np.arange(len(part)), part.y] + 1e-12).mean()


def softmax(parameters, data):
    """Linear classification by steepest descent."""
    x, y = data.train.x, np.eye(len(data.task.classes))[data.train.y]
    model = Softmax(0.1 * np.random.default_rng(data.seed).normal(size=(x.shape[1], y.shape[1])))
    try:
        for _ in range(data.epochs):
            model.weights = model.weights + parameters["step"] * x.T @ (y - model.predict_proba(x)) / len(x)
            yield {
                "train_loss": model.loss(data.train),
                "validation_loss": model.loss(data.validation),
                "model": model,
            }
    finally:
        CLOSED.append(parameters)


def labels(parameters, data):
    """The same, but its model tells labels alone."""
    for epoch in softmax(parameters, data):
        model = epoch["model"]
        yield {**epoch, "model": Labels(model)}


class Labels:
    """A classifier that tells no probabilities."""

    def __init__(self, model):
        self._model = model

    def predict(self, x):
        return self._model.predict_proba(x).argmax(axis=1)


def secretive(parameters, data):
    """The same, without its model."""
    for epoch in softmax(parameters, data):
        del epoch["model"]
        yield epoch


def moody(parameters, data):
    """Fails for small steps, and has no number for large ones."""
    if parameters["step"] < 0.03:
        raise RuntimeError("too small a step")
    for epoch in softmax(parameters, data):
        yield {**epoch, "validation_loss": np.nan} if parameters["step"] > 0.3 else epoch
