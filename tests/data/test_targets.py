import json

import numpy as np
import pandas as pd
import pytest

from hpsearch.data.prepared import Task
from hpsearch.data.raw import Findings
from hpsearch.data.targets import Targets, read_targets, scaled_task
from hpsearch.errors import DataError


def read(*columns, task="auto"):
    table = pd.DataFrame({name: pd.Series(values) for name, values in zip("yz", columns, strict=False)})
    findings = Findings(name="data")
    targets = read_targets(table, task, findings)
    findings.stop_if_any()
    return targets, findings.warnings


INFERRED = [
    ("texts", ["b", "a", "b", "a"], ("a", "b")),
    ("booleans", [True, False, True, True], (False, True)),
    ("two whole numbers", [3, 7, 3, 7], (3, 7)),
    ("few whole numbers, many rows", [0, 1, 2] * 10, (0, 1, 2)),
    ("whole floats", [0.0, 1.0, 2.0] * 10, (0, 1, 2)),
    ("a category", pd.Categorical([1, 2, 3] * 3), ("1", "2", "3")),
    ("many whole numbers", list(range(40)), ()),
    ("whole numbers of few rows each", [0, 1, 2] * 9, ()),
    ("fractions", [0.5, 1.5] * 10, ()),
]


@pytest.mark.parametrize(("what", "values", "classes"), INFERRED, ids=[what for what, *_ in INFERRED])
def test_the_task_follows_from_the_targets_values(what, values, classes):
    targets, _ = read(values)
    assert targets.question().classes == classes
    assert targets.is_classification == bool(classes)
    assert [type(c) for c in targets.question().classes] == [type(c) for c in classes]


def test_several_numeric_targets_are_one_regression_and_a_declared_task_wins():
    targets, _ = read([1, 2, 1, 2], [1, 1, 2, 2])
    assert targets.content.shape == (4, 2)
    assert targets.question().kind == "regression"
    assert read([1, 2, 1, 2], task="regression")[0].question().kind == "regression"
    assert read([0.5, 1.5, 0.5, 1.5], task="classification")[0].question().classes == (0.5, 1.5)


def test_rows_without_a_target_are_left_out_and_counted():
    targets, warnings = read(["a", None, "b", "", "a", "b"])
    assert targets.content.tolist() == ["a", "b", "a", "b"]
    assert targets.rows.tolist() == [0, 2, 4, 5]
    assert warnings == ["data: 2 rows without a value in 'y' left out"]


MANY = [str(i) for i in range(20)]
REFUSED = [
    (
        (["a", "b"] * 2, [1, 2] * 2),
        "auto",
        (
            "data: column 'y': the target of a regression must be numbers, got 'a' (row 1), 'b' "
            "(row 2), 'a' (row 3) and 1 more"
        ),
    ),
    (
        ([1, 2], [1, 2]),
        "classification",
        (
            "data: data.target: classification has one target, got 2; name one column, or set "
            "data.task: regression"
        ),
    ),
    (
        ([*MANY, "?"],),
        "auto",
        (
            "data: column 'y': nearly all values of the target are numbers, but not '?' (row 21); "
            "correct or empty these cells, or set data.task: classification"
        ),
    ),
    (
        ([1.0, np.inf, 2.5],),
        "auto",
        "data: column 'y': the target must be finite, got inf (row 2)",
    ),
    (([None, None],), "auto", "data: data.target: no row has a value in 'y'; name another column"),
    (
        (["a"] * 4,),
        "auto",
        (
            "data: data.target: column 'y' is 'a' in every row: there is nothing to tell apart; "
            "name another column"
        ),
    ),
    (
        ([2.5] * 4,),
        "auto",
        ("data: data.target: column 'y' is 2.5 in every row: there is nothing to learn; name another column"),
    ),
    (
        ([0.1, 0.2, 0.3, 0.4],),
        "classification",
        (
            "data: data.target: column 'y' has 4 classes in 4 rows: too few of a class to learn it from; "
            "set data.task: regression if these are measurements, or name another column"
        ),
    ),
]


@pytest.mark.parametrize(("columns", "task", "message"), REFUSED)
def test_targets_that_cannot_be_learned_are_refused(columns, task, message):
    with pytest.raises(DataError) as caught:
        read(*columns, task=task)
    assert str(caught.value) == message


@pytest.mark.parametrize("classes", [("a", "b", "c"), (1, 5, 9), (False, True), (0.5, 1.5)])
def test_labels_survive_encoding_and_keep_their_type(classes):
    task = Task(kind="multiclass", target_names=("y",), classes=classes)
    labels = [classes[i] for i in (1, 0, 1)]
    ids = task.encode(labels)
    assert ids.dtype == np.int32
    assert task.decode(ids).tolist() == labels
    with pytest.raises(DataError, match=r"targets: column 'y': 'other' is not a known class"):
        task.encode(["other"])


def test_regression_targets_are_standardized_and_come_back_in_their_units():
    values = np.random.default_rng(0).normal([10, -3], [5, 0.1], size=(50, 2))
    question = Targets(
        names=("u", "v"), content=values, rows=np.arange(50), is_classification=False
    ).question()
    task = scaled_task(question, values, how="standardize")
    y = task.encode(values)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=0), 1, atol=1e-5)
    np.testing.assert_allclose(task.unscale(y), values, rtol=1e-5)
    np.testing.assert_array_equal(
        scaled_task(question, values, how="none").encode(values), values.astype(np.float32)
    )


@pytest.mark.parametrize(
    "task",
    [
        Task(kind="binary", target_names=("y",), classes=(False, True)),
        Task(kind="regression", target_names=("u", "v"), target_mean=(0.1, 1e-17), target_scale=(1 / 3, 7.0)),
    ],
)
def test_a_task_survives_json_exactly(task):
    assert Task.from_json(json.loads(json.dumps(task.to_json()))) == task
