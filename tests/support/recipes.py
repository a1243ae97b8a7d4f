"""Recipes and data for engine tests: small, odd-sized, and drawn by hypothesis where a law wants many."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from hpsearch.data.prepared import Part
from hpsearch.engine import RULES, Member
from hpsearch.randomness import Address
from hpsearch.spec.hyperparameters import Hyperparameters

PLAIN = Hyperparameters(
    hidden=(7, 5),
    activation="tanh",
    loss="cross_entropy",
    batch_size=8,
    epochs=4,
    learning_rate=0.05,
    optimizer="sgd",
    momentum=0.9,
    beta1=0.9,
    beta2=0.99,
    rho=0.9,
    epsilon=1e-7,
    schedule="constant",
    warmup_epochs=0,
    decay_rate=0.5,
    decay_epochs=2,
    plateau_patience=1,
    min_learning_rate=0.0,
    initializer="xavier",
    initial_scale=0.1,
    dropout=0.0,
    input_dropout=0.0,
    l1=0.0,
    l2=0.0,
    weight_decay=0.0,
    max_norm=None,
    clip_norm=None,
    label_smoothing=0.0,
    huber_delta=1.0,
)
"""Nothing but stochastic gradient descent."""


def recipe(**changes: Any) -> Hyperparameters:
    """`PLAIN` with changes."""
    return replace(PLAIN, **changes)


def member(trial: int = 0, **changes: Any) -> Member:
    """A network of one trial of study 0."""
    return Member(recipe(**changes), Address(seed=0, trial=trial))


def blobs(n: int = 29, inputs: int = 5, classes: int = 3, seed: int = 0) -> Part:
    """Classes around different centres, overlapping a little."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n).astype(np.int32)
    y[:classes] = np.arange(classes)
    centres = rng.standard_normal((classes, inputs)) * 1.5
    return Part(x=(centres[y] + rng.standard_normal((n, inputs))).astype(np.float32), y=y)


def waves(n: int = 29, inputs: int = 3, targets: int = 2, seed: int = 0) -> Part:
    """Smooth functions of the inputs, with noise."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, inputs))
    y = np.sin(x @ rng.standard_normal((inputs, targets))) + 0.1 * rng.standard_normal((n, targets))
    return Part(x=x.astype(np.float32), y=y.astype(np.float32))


def part_for(loss: str, n: int = 29, inputs: int = 5, seed: int = 0) -> tuple[Part, int]:
    """Data that suit a loss, and how many outputs a network needs for them."""
    if loss == "cross_entropy":
        return blobs(n, inputs, 3, seed), 3
    if loss == "binary_cross_entropy":
        return blobs(n, inputs, 2, seed), 1
    return waves(n, inputs, 2, seed), 2


def columns() -> st.SearchStrategy[dict[str, Any]]:
    """Everything that may differ between the members of a cohort."""
    off = st.just(0.0)
    return st.fixed_dictionaries(
        {
            "learning_rate": st.sampled_from([0.001, 0.01, 0.1]),
            "optimizer": st.sampled_from(sorted(RULES)),
            "momentum": st.sampled_from([0.5, 0.9]),
            "beta1": st.sampled_from([0.0, 0.9]),
            "schedule": st.sampled_from(["constant", "step", "exponential", "cosine", "plateau"]),
            "warmup_epochs": st.integers(0, 2),
            "initializer": st.sampled_from(["normal", "xavier", "he", "lecun"]),
            "dropout": st.one_of(off, st.floats(0.01, 0.9)),
            "input_dropout": st.one_of(off, st.floats(0.01, 0.5)),
            "l1": st.one_of(off, st.just(1e-3)),
            "l2": st.one_of(off, st.just(1e-2)),
            "weight_decay": st.one_of(off, st.just(1e-2)),
            "max_norm": st.sampled_from([None, 0.5, 3.0]),
            "clip_norm": st.sampled_from([None, 0.1, 1.0]),
            "label_smoothing": st.one_of(off, st.just(0.1)),
            "huber_delta": st.sampled_from([0.3, 1.0]),
        }
    )
