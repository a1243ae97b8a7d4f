"""The forms of a parameter, and what a study file means by them."""

import pytest

from hpsearch.spec import Choice, Fixed, Range, is_active, parse_study
from hpsearch.spec.study import DEFAULT_SPACE

HEAD = "study: s\ndata: {source: sklearn/iris}\n"


def space(text, model="{}"):
    return parse_study(f"{HEAD}model: {model}\nspace: {text}\n").space


FORMS = [
    ("{epochs: 3}", "epochs", Fixed(value=3)),
    ("{l2: 1}", "l2", Fixed(value=1.0)),
    ("{max_norm: null}", "max_norm", Fixed(value=None)),
    ("{max_norm: [null, 2]}", "max_norm", Choice(values=(None, 2.0))),
    ("{epochs: {value: 3}}", "epochs", Fixed(value=3)),
    ("{optimizer: [sgd, adam]}", "optimizer", Choice(values=("sgd", "adam"))),
    ("{optimizer: {values: [sgd]}}", "optimizer", Choice(values=("sgd",))),
    ("{dropout: {min: 0, max: 0.5}}", "dropout", Range(min=0.0, max=0.5)),
    ("{epochs: {min: 5, max: 50, step: 5}}", "epochs", Range(min=5, max=50, step=5, integer=True)),
    ("{l2: {min: 1e-6, max: 1, log: true}}", "l2", Range(min=1e-6, max=1.0, log=True)),
    ("{l2: {min: 0, max: 1, step: null, log: false}}", "l2", Range(min=0.0, max=1.0)),
    ("{hidden: [[64], [64, 32], []]}", "hidden", Choice(values=("64", "64-32", "linear"))),
    ("{hidden: ['8-8', linear]}", "hidden", Choice(values=("8-8", "linear"))),
    ("{hidden: {value: [8, 4]}}", "hidden", Fixed(value="8-4")),
    (
        "{optimizer: [sgd, adam], beta1: {min: .8, max: .9, when: {optimizer: [adam]}}}",
        "beta1",
        Range(min=0.8, max=0.9, when={"optimizer": ("adam",)}),
    ),
]


@pytest.mark.parametrize(("text", "name", "parameter"), FORMS)
def test_a_form_means_a_parameter(text, name, parameter):
    found = space(text)[name]
    assert found == parameter
    assert repr(found) == repr(parameter)  # 1 and 1.0 are told apart


def test_a_parameter_of_ones_own_takes_the_rule_of_its_place():
    found = space("{w: {min: 4, max: 64}, a: [relu]}", "{hidden: [$w, $w], activation: $a}")
    assert found == {"w": Range(min=4, max=64, integer=True), "a": Choice(values=("relu",))}


def test_the_file_keeps_the_order_of_parameters():
    assert list(space("{l2: 0, dropout: 0, epochs: 3}")) == ["l2", "dropout", "epochs"]


def test_without_a_space_the_default_is_searched():
    assert list(parse_study(HEAD).space) == list(DEFAULT_SPACE)


def test_an_empty_space_searches_nothing():
    assert space("{}") == {}


def test_several_objectives_switch_the_default_pruning_off():
    text = HEAD + "objectives: [{}, {metric: weights, direction: minimize}]\n"
    spec = parse_study(text)
    assert spec.pruning.rule == "none"
    assert [objective.metric for objective in spec.objectives] == ["validation_loss", "weights"]


SHORT = [
    ("sampler: random", "sampler: {name: random}"),
    ("pruning: hyperband", "pruning: {rule: hyperband}"),
    ("pruning: null", "pruning: {rule: none}"),
    ("pruning: off", "pruning: {rule: none}"),
    ("early_stopping: none", "early_stopping: {patience: null}"),
    ("early_stopping: false", "early_stopping: {patience: null}"),
    ("budget: {time: 1h30m}", "budget: {time: 5400}"),
    ("budget: {in_flight: auto}", "budget: {in_flight: null}"),
    ("objective: {}", "objectives: [{}]"),
]


@pytest.mark.parametrize(("short", "long"), SHORT)
def test_a_short_form_means_the_long_one(short, long):
    assert parse_study(HEAD + short) == parse_study(HEAD + long)


@pytest.mark.parametrize(
    ("params", "active"),
    [
        ({}, False),
        ({"optimizer": "sgd"}, False),
        ({"optimizer": "adam"}, False),
        ({"optimizer": "adam", "l2": 0.1}, True),
    ],
)
def test_a_parameter_is_active_where_all_its_conditions_hold(params, active):
    parameter = Fixed(value=1, when={"optimizer": ("adam", "adamw"), "l2": (0.1,)})
    assert is_active(parameter, params) is active


def test_the_losses_of_a_study_are_all_that_a_trial_may_have():
    assert parse_study(HEAD).losses() == {"auto"}
    assert parse_study(HEAD + "model: {loss: mse}").losses() == {"mse"}
    assert parse_study(HEAD + "space: {loss: [mae, huber]}").losses() == {"mae", "huber"}
    assert parse_study(HEAD + "model: {loss: $x}\nspace: {x: mae}").losses() == {"mae"}
    conditional = "space: {optimizer: [sgd, adam], loss: {value: mae, when: {optimizer: sgd}}}"
    assert parse_study(HEAD + conditional).losses() == {"mae", "auto"}


def test_a_value_searched_is_not_written_in_the_model_too():
    """A model written out leaves to the space what the space gives."""
    spec = parse_study(HEAD + "space: {activation: [relu, tanh]}")
    assert "activation" not in spec.written()["model"]
