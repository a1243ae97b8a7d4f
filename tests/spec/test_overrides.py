"""`-S key.path=value` lays values over the file, and is the place of what is wrong with them."""

import pytest

from hpsearch.errors import SpecError
from hpsearch.spec import parse_study

HEAD = "study: s\ndata: {source: sklearn/iris}\n"

EQUAL = [
    ("", ["budget.trials=5"], "budget: {trials: 5}"),
    ("budget: {trials: 3, time: 5m}", ["budget.trials=5"], "budget: {trials: 5, time: 5m}"),
    ("space: {l2: {min: 1, max: 2}}", ["space.l2.max=5"], "space: {l2: {min: 1, max: 5}}"),
    ("space: {l2: 1}", ["space.l2.min=1", "space.l2.max=5"], "space: {l2: {min: 1, max: 5}}"),
    ("space: {l2: 1}", ["space.optimizer=[adam, sgd]"], "space: {l2: 1, optimizer: [adam, sgd]}"),
    ("space: {l2: 1}", ["space={l1: 1}"], "space: {l1: 1}"),
    ("sampler: random", ["sampler.name=qmc"], "sampler: qmc"),
    ("sampler: tpe", ["sampler.n_startup_trials=3"], "sampler: {name: tpe, n_startup_trials: 3}"),
    ("pruning: percentile", ["pruning.percentile=10"], "pruning: {rule: percentile, percentile: 10}"),
    ("pruning: null", ["pruning=median"], ""),
    ("early_stopping: none", ["early_stopping.patience=3"], "early_stopping: {patience: 3}"),
    ("early_stopping: none", ["early_stopping="], "early_stopping: {patience: null}"),
    ("model: {hidden: [8, 8]}", ["model.hidden.1=4"], "model: {hidden: [8, 4]}"),
    ("objectives: [{}, {metric: weights, direction: minimize}]", ["objectives.0.value=last"],
     "objectives: [{value: last}, {metric: weights, direction: minimize}]"),
    ("", ["objective.value=last"], "objective: {value: last}"),
    ("", ["study=t", "study=s"], ""),
    ("", ["tracking.uri=http://host:5000/?a=b"], "tracking: {uri: 'http://host:5000/?a=b'}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "overrides", "meant"), EQUAL)
def test_an_override_means_what_the_file_would_say(text, overrides, meant):
    assert parse_study(HEAD + text, overrides=overrides) == parse_study(HEAD + meant)


def test_without_a_space_an_override_changes_the_default_space():
    spec = parse_study(HEAD, overrides=["space.learning_rate.max=0.01"])
    assert spec.changes(parse_study(HEAD).canonical()) == ["space.learning_rate.max: 0.1 -> 0.01"]


SHAPE = "must be key.path=value; for example -S budget.trials=20"
FORMS = "write a value, a list of values, or {min: ..., max: ...}"
UPSIDE = "space.dropout={min: 1, max: 0}"
CLOSE = "a value is missing, or a bracket or brace is not closed"

WRONG = [
    ("budget.trials", [SHAPE]),
    ("=3", [SHAPE]),
    ("a..b=3", [SHAPE]),
    ("budget.trials=x", ["budget.trials: must be an integer, got 'x'"]),
    ("budgt.trials=3", ["budgt: unknown key; did you mean 'budget'?"]),
    ("space.l2.max=5", [f"space.l2.min: is needed; {FORMS}"]),
    (
        UPSIDE,
        [
            "space.dropout.min: must be below 1, got 1",
            "space.dropout: the range is upside down: min 1 is above max 0; swap them",
        ],
    ),
    ("seed=[", [f"is not YAML at column 2: expected the node content, but found '<stream end>'; {CLOSE}"]),
    ("seed={a: 1, a: 2}", ["a: duplicate key (first on line 1); keep one"]),
    ("seed.x=3", ["seed: must be an integer, got a mapping"]),
    ("space.dropout.min.x=3", ["space.dropout.min: must be a number, got a mapping"]),
    (
        "model.hidden.5=3",
        ["model.hidden: is a list of 1, got '5'; count from 0, or replace all: model.hidden=[...]"],
    ),
    ("model.hidden.0.x=3", ["model.hidden: must be an integer, got a mapping"]),
]


@pytest.mark.parametrize(("override", "said"), WRONG)
def test_what_is_wrong_with_an_override_stands_at_the_override(override, said):
    text = HEAD + "space: {dropout: {min: 0.6, max: 0.9}}\nmodel: {hidden: [8]}"
    with pytest.raises(SpecError) as caught:
        parse_study(text, overrides=[override])
    assert str(caught.value).splitlines() == [f"-S {override}: {line}" for line in said]


def test_what_an_override_and_the_file_make_together_stands_in_the_file():
    with pytest.raises(SpecError) as caught:
        parse_study(HEAD + "space: {l2: {min: 6, max: 9}}", overrides=["space.l2.max=5"])
    said = "study.yaml:3: space.l2: the range is upside down: min 6 is above max 5; swap them"
    assert str(caught.value) == said


def test_the_file_and_all_overrides_are_judged_together():
    with pytest.raises(SpecError) as caught:
        parse_study(HEAD + "seed: x\n", overrides=["budget.trials=0", "nonsense", "budget.time=0"])
    assert [problem.place for problem in caught.value.problems] == [
        "study.yaml:3",
        "-S nonsense",
        "-S budget.trials=0",
        "-S budget.time=0",
    ]
