"""Parts that the data give: a column, files of their own, lists of row numbers; and columns to split by."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hpsearch.data import prepare
from hpsearch.errors import DataError
from tests.support.tables import settings


def frame(rows=60, seed=0):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": random.normal(size=rows),
            "b": random.normal(size=rows),
            "patient": random.integers(0, 12, rows),
            "day": pd.date_range("2020-01-01", periods=rows).strftime("%Y-%m-%d"),
            "part": random.choice(["train", "Validation", "test"], rows),
            "price": random.normal(size=rows),
        }
    )


def prepared(tmp_path, table, **split):
    table.to_csv(tmp_path / "table.csv", index=False)
    drop = [n for n in ("patient", "day", "part") if n not in split.values() and n in table.columns]
    return prepare(settings(split=split, drop=drop), seed=0, base=tmp_path)


def values(data, part):
    """The input `a` of a part, as it came in."""
    column = data.preprocessor.fitted[0]
    return sorted(np.round(getattr(data.training, part).x[:, 0] * column.scale + column.center, 4))


def test_a_column_says_where_rows_belong_and_is_no_input(tmp_path):
    table = frame()
    data = prepared(tmp_path, table, column="part")
    assert data.preprocessor.columns == ("a", "b")
    assert values(data, "train") == sorted(np.round(table["a"][table["part"] == "train"], 4))
    assert values(data, "validation") == sorted(np.round(table["a"][table["part"] == "Validation"], 4))
    assert len(data.sealed) == (table["part"] == "test").sum()


@pytest.mark.parametrize("ending", ["npz", "json"])
def test_lists_of_row_numbers_say_where_rows_belong(tmp_path, ending):
    table, lists = frame(), {"train": list(range(30)), "test": list(range(40, 60))}
    if ending == "npz":
        np.savez(tmp_path / "rows.npz", **lists)
    else:
        (tmp_path / "rows.json").write_text(json.dumps(lists))
    data = prepared(tmp_path, table, rows=f"rows.{ending}", validation=0.2)
    assert data.summary.train_rows + data.summary.validation_rows == 30
    assert data.summary.test_rows == 20
    assert sorted(values(data, "train") + values(data, "validation")) == sorted(np.round(table["a"][:30], 4))


def test_a_file_of_its_own_is_the_test_part(tmp_path):
    table, test = frame(), frame(20, seed=9)
    test.to_csv(tmp_path / "test.csv", index=False)
    data = prepared(tmp_path, table, test="test.csv")
    assert (data.summary.rows, data.summary.test_rows) == (80, 20)
    opened = data.sealed.open(data.preprocessor, data.task)
    column = data.preprocessor.fitted[0]
    np.testing.assert_allclose(opened.x[:, 0] * column.scale + column.center, test["a"], atol=1e-6)


def test_rows_of_one_group_are_in_one_part_and_the_latest_rows_test(tmp_path):
    table = frame()
    grouped = prepared(tmp_path, table, group="patient", folds=3)
    assert grouped.preprocessor.columns == ("a", "b")
    assert len(grouped.training.folds) == 3
    timed = prepared(tmp_path, table.sample(frac=1, random_state=1), time="day")
    assert values(timed, "train") == sorted(np.round(table["a"][:36], 4))
    assert values(timed, "validation") == sorted(np.round(table["a"][36:48], 4))


def test_how_rows_are_split_is_part_of_the_fingerprint(tmp_path):
    table = frame()
    one = prepared(tmp_path, table, column="part").fingerprint
    table.loc[0, "part"] = "test" if table.loc[0, "part"] == "train" else "train"
    assert prepared(tmp_path, table, column="part").fingerprint != one


def test_folds_are_prepared_on_their_own_training_rows(tmp_path):
    """Each fold's inputs are standardized, and its targets scaled, by what trains in it."""
    data = prepared(tmp_path, frame(), folds=4, seeds=2)
    assert (len(data.training.folds), data.training.members) == (4, 8)
    for fold in data.training.folds:
        np.testing.assert_allclose(fold.train.x.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(fold.train.y.std(), 1, atol=1e-5)
    assert len({fold.task.target_mean for fold in data.training.folds}) == 4
    assert len(data.refit().part) == 48


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"group": "patent"}, "data.split.group: the table has no column 'patent'; did you mean 'patient'?"),
        ({"column": "patient"}, "must say train, validation or test, got"),
        ({"time": "part"}, "must hold numbers or dates, got 'train'"),
        ({"rows": "none.npz"}, "data.split.rows: there is no file"),
        ({"rows": "bad.json"}, "train must hold numbers from 0 to 59, the last row, got 60"),
        ({"rows": "twice.json"}, "row 3 is named more than once"),
        ({"rows": "odd.json"}, "holds 'trian', not train, validation, test"),
        ({"rows": "text.json"}, "is no file of row numbers"),
        ({"test": "other.csv"}, "data.split.test: lacks 1 of the columns of table.csv: 'b'"),
        ({"group": "patient", "folds": 50}, "12 groups of rows cannot be shared out to 51 parts"),
    ],
)
def test_what_cannot_be_split_is_told(tmp_path, split, said):
    files = {"bad": {"train": [60]}, "twice": {"train": [3], "test": [3]}, "odd": {"trian": [1]}}
    for name, lists in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(lists))
    (tmp_path / "text.json").write_text("train: 1")
    frame().drop(columns="b").to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(DataError) as caught:
        prepared(tmp_path, frame(), **split)
    assert said in str(caught.value)


def test_pictures_that_a_table_lists_are_split_by_its_columns(tmp_path):
    """By a person in each of them: no person is in two parts."""
    table = pd.DataFrame({"file": [f"{i}.png" for i in range(40)], "label": ["cat", "dog"] * 20})
    table["who"] = np.arange(40) % 8
    for name, who in zip(table["file"], table["who"], strict=True):
        Image.new("L", (4, 4), color=20 * int(who)).save(tmp_path / name)
    table.to_csv(tmp_path / "table.csv", index=False)
    how = {"split": {"group": "who"}, "image": {"path": "file", "scale": "none"}, "kind": "image"}
    data = prepare(settings(target="label", **how), seed=0, base=tmp_path)
    test = data.sealed.open(data.preprocessor, data.task)
    parts = [
        set(part.x[:, 0, 0, 0].tolist()) for part in (data.training.train, data.training.validation, test)
    ]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 8
