"""From a trial's parameters to its recipe."""

from dataclasses import asdict

import pytest

from hpsearch.spec import parse_study

HEAD = "study: s\ndata: {source: sklearn/iris}\n"
DEFAULTS = {
    "hidden": (64, 64),
    "activation": "relu",
    "loss": "mse",
    "batch_size": 32,
    "epochs": 30,
    "learning_rate": 1e-3,
    "optimizer": "adam",
    "momentum": 0.9,
    "beta1": 0.9,
    "beta2": 0.999,
    "rho": 0.9,
    "epsilon": 1e-8,
    "schedule": "constant",
    "warmup_epochs": 0,
    "decay_rate": 0.5,
    "decay_epochs": 10,
    "plateau_patience": 5,
    "min_learning_rate": 0.0,
    "initializer": "he",
    "initial_scale": 0.01,
    "dropout": 0.0,
    "input_dropout": 0.0,
    "l1": 0.0,
    "l2": 0.0,
    "weight_decay": 0.0,
    "max_norm": None,
    "clip_norm": None,
    "label_smoothing": 0.0,
    "huber_delta": 1.0,
    "layers": None,
    "augment": (),
    "embedding": (),
    "own": None,
}


def changed(text, params=()):
    """What a recipe has other than by default."""
    recipe = asdict(parse_study(HEAD + text).resolve(dict(params), default_loss="mse"))
    return {key: value for key, value in recipe.items() if value != DEFAULTS[key]}


CONDITIONAL = "space: {optimizer: [sgd, adam], rho: {value: .5, when: {optimizer: sgd}}}"
CHAINED = """
space:
  optimizer: sgd
  l1: {value: 1, when: {rho: .5}}
  rho: {value: .5, when: {optimizer: sgd}}
"""
WIDTH_AT_TIMES = """
model: {hidden: [8, $w]}
space: {optimizer: [sgd, adam], w: {value: 4, when: {optimizer: sgd}}}
"""

CASES = [
    ("", {}, {}),
    ("", {"dropout": 0.25, "batch_size": 128.0}, {"dropout": 0.25, "batch_size": 128}),
    ("space: {epochs: 7}", {}, {"epochs": 7}),
    ("space: {epochs: 7}", {"epochs": 7}, {"epochs": 7}),
    ("space: {max_norm: [null, 2]}", {"max_norm": None}, {}),
    ("space: {max_norm: [null, 2]}", {"max_norm": 2}, {"max_norm": 2.0}),
    ("model: {hidden: []}", {}, {"hidden": ()}),
    ("model: {hidden: [8, $w]}\nspace: {w: [1, 2]}", {"w": 2}, {"hidden": (8, 2)}),
    ("model: {hidden: [$width, 4]}\nspace: {width: [1, 2]}", {"width": 2}, {"hidden": (2, 4)}),
    ("model: {hidden: $l}\nspace: {l: [[8, 4], []]}", {"l": "8-4"}, {"hidden": (8, 4)}),
    ("model: {hidden: $l}\nspace: {l: [[8, 4], []]}", {"l": "linear"}, {"hidden": ()}),
    ("space: {hidden: [[8, 4]]}", {"hidden": "8-4"}, {"hidden": (8, 4)}),
    ("model: {depth: 3}", {}, {"hidden": (64, 64, 64)}),
    ("model: {depth: 0}", {}, {"hidden": ()}),
    ("model: {width: 5}", {}, {"hidden": (5, 5)}),
    ("model: {width: $w, depth: 1}\nspace: {w: [5, 6]}", {"w": 6}, {"hidden": (6,)}),
    ("space: {depth: [1, 2], width: 5}", {"depth": 1}, {"hidden": (5,)}),
    ("model: {width: 5}\nspace: {depth: [1, 3]}", {"depth": 3}, {"hidden": (5, 5, 5)}),
    ("model: {loss: huber, activation: tanh}", {}, {"loss": "huber", "activation": "tanh"}),
    ("space: {loss: [auto, mae]}", {"loss": "auto"}, {}),
    ("space: {loss: [auto, mae]}", {"loss": "mae"}, {"loss": "mae"}),
    ("model: {activation: $a}\nspace: {a: [silu]}", {"a": "silu"}, {"activation": "silu"}),
    (CONDITIONAL, {"optimizer": "sgd"}, {"optimizer": "sgd", "rho": 0.5}),
    (CONDITIONAL, {"optimizer": "adam"}, {}),
    (CHAINED, {}, {"optimizer": "sgd", "rho": 0.5, "l1": 1.0}),
    (WIDTH_AT_TIMES, {"optimizer": "adam"}, {"hidden": (8, 64)}),
    (WIDTH_AT_TIMES, {"optimizer": "sgd"}, {"hidden": (8, 4), "optimizer": "sgd"}),
]


@pytest.mark.parametrize(("text", "params", "expected"), CASES)
def test_a_recipe_is_the_defaults_but_for_what_study_and_trial_say(text, params, expected):
    assert changed(text, params) == expected


def test_integers_are_integers_whatever_they_came_through():
    recipe = parse_study(HEAD).resolve({"epochs": 7.0, "l2": 1}, default_loss="mse")
    assert (type(recipe.epochs), type(recipe.l2)) == (int, float)


def test_a_name_that_the_space_lacks_is_refused():
    with pytest.raises(ValueError, match="no parameter width"):
        parse_study(HEAD).resolve({"width": 3}, default_loss="mse")
