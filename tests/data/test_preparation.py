from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hpsearch.data import RawData, prepare, prepare_raw
from hpsearch.errors import DataError
from hpsearch.spec import PreprocessSpec, SplitSpec
from tests.support.tables import HOUSES_HEADER, house_rows, settings, write_csv


@pytest.fixture
def houses(tmp_path):
    """Prepares the made-up houses after the test has had its way with their cells."""

    def go(spoil=lambda rows: None, *, header=HOUSES_HEADER, **given):
        rows = house_rows()
        spoil(rows)
        write_csv(tmp_path / "table.csv", header, rows)
        return prepare(settings(**given), seed=0, base=tmp_path)

    return go


def messages(prepared, *arguments, **given):
    with pytest.raises(DataError) as caught:
        prepared(*arguments, **given)
    return str(caught.value).splitlines()


def put(column, **values):
    """Writes cells: `put(0, r3="x")` puts "x" into the fourth row."""

    def spoil(rows):
        for name, value in values.items():
            rows[int(name[1:])][column] = value

    return spoil


def test_digits_become_read_only_float32_parts():
    data = prepare(settings(source="sklearn/digits", target=None), seed=0, base=Path())
    train, validation = data.training.train, data.training.validation
    assert (train.x.shape, validation.x.shape, len(data.sealed)) == ((1079, 64), (359, 64), 359)
    for part in (train, validation, data.refit().part):
        assert part.x.dtype == np.float32
        assert part.y.dtype == np.int32
        for array in (part.x, part.y):
            assert array.flags.c_contiguous
            assert not array.flags.writeable
    assert data.task.classes == tuple(range(10))
    assert data.summary.class_counts["3"] == 183
    assert data.warnings == (
        (
            "sklearn/digits: 3 columns ('pixel_0_0', 'pixel_4_0', 'pixel_4_7') are constant: "
            "nothing can be learned from them"
        ),
    )


def test_a_table_with_texts_and_gaps_becomes_a_regression(houses):
    data = houses()
    assert data.task.kind == "regression"
    assert data.preprocessor.feature_names == (
        "area",
        "kind=flat",
        "kind=house",
        "kind=loft",
        "garden",
        "rooms",
    )
    assert np.isfinite(data.training.train.x).all()
    np.testing.assert_allclose(data.training.train.y.mean(), 0, atol=1e-5)
    assert (data.summary.rows, data.summary.inputs, data.summary.features) == (60, 4, 6)
    assert data.warnings == ()


def test_the_same_table_can_be_learned_as_classes(houses):
    data = houses(target="kind", drop=("price",))
    assert data.task.classes == ("flat", "house", "loft")
    assert data.preprocessor.columns == ("area", "garden", "rooms")
    assert "without a value in 'kind' left out" in data.warnings[0]


def test_refitting_learns_preprocessing_from_training_and_validation_rows(houses):
    data = houses()
    refit = data.refit()
    assert len(refit.part) == data.summary.train_rows + data.summary.validation_rows
    numeric = [0, 5]
    np.testing.assert_allclose(refit.part.x[:, numeric].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(refit.part.y.std(), 1, atol=1e-5)
    assert refit.preprocessor != data.preprocessor
    test = data.sealed.open(refit.preprocessor, refit.task)
    assert test.x.shape == (12, 6)


def test_the_seed_alone_decides_the_parts(houses, tmp_path):
    first, again = houses(), houses()
    other = prepare(settings(), seed=1, base=tmp_path)
    np.testing.assert_array_equal(first.training.train.x, again.training.train.x)
    assert not np.array_equal(first.training.train.x, other.training.train.x)
    assert first.fingerprint == other.fingerprint


def test_the_raw_example_is_the_first_training_rows_in_their_own_types(houses):
    data = houses()
    example = data.raw_example()
    assert example.shape == (5, 4)
    assert example.dtypes.map(str).to_dict() == {
        "area": "float64",
        "kind": "object",
        "garden": "bool",
        "rooms": "int64",
    }
    np.testing.assert_array_equal(data.preprocessor.transform(example), data.training.train.x[:5])


def test_the_fingerprint_is_of_the_content(houses, tmp_path):
    """Not of the file's format, name or place; any value, name or role changes it."""
    data = houses()
    frame = pd.read_csv(tmp_path / "table.csv")
    frame.to_parquet(tmp_path / "same.parquet")
    assert prepare(settings(source="same.parquet"), seed=0, base=tmp_path).fingerprint == data.fingerprint
    changed = [
        houses(put(3, r7="99")),
        houses(put(1, r7="castle")),
        houses(header=("area", "type", "garden", "rooms", "price")),
        houses(target="rooms"),
        houses(drop=("area",)),
    ]
    assert len({data.fingerprint, *(other.fingerprint for other in changed)}) == 6


def test_every_problem_is_told_at_once_with_its_line(houses):
    def spoil(rows):
        rows[3][0], rows[5][3], rows[9][4] = "inf", "two", "?"

    assert messages(houses, spoil) == [
        "table.csv:5: column 'area': must be finite, got inf (line 5); correct or empty these cells",
        (
            "table.csv:7: column 'rooms': nearly all values are numbers, but not 'two' (line 7); "
            "correct or empty these cells"
        ),
        (
            "table.csv:11: column 'price': nearly all values of the target are numbers, but not "
            "'?' (line 11); "
            "correct or empty these cells, or set data.task: classification"
        ),
    ]


def test_more_than_three_bad_cells_are_counted(houses):
    message = messages(houses, put(3, r0="?", r1="?", r2="?", r3="?", r4="?"))
    assert message == [
        (
            "table.csv:2: column 'rooms': nearly all values are numbers, but not '?' (line 2), "
            "'?' (line 3), '?' (line 4) "
            "and 2 more; correct or empty these cells"
        )
    ]


def test_a_number_beyond_float32_is_refused(houses):
    expected = (
        "table.csv:2: column 'area': must be finite and below 3.4e38 in size, got -1e+39 (line 2); "
        "correct or empty these cells"
    )
    assert messages(houses, put(0, r0="-1e39")) == [expected]


def empty(column):
    return lambda rows: [row.__setitem__(column, "") for row in rows]


def fill(column, value):
    return lambda rows: [row.__setitem__(column, value(i)) for i, row in enumerate(rows)]


def test_a_column_without_any_value_is_refused(houses):
    assert messages(houses, empty(0)) == [
        "table.csv: column 'area': holds no value in the training part; leave it out with data.drop: [area]"
    ]


def test_more_than_a_thousand_categories_are_refused():
    frame = pd.DataFrame({"name": [f"n{i}" for i in range(2000)], "a": np.arange(2000) % 7})
    raw = RawData(name="data", inputs=frame, targets=pd.DataFrame({"y": np.arange(2000) / 3}))
    assert messages(prepare_raw, raw, settings(), seed=0) == [
        (
            "data: column 'name': 1600 different texts, of at most 1000 that can be one-hot encoded; "
            "leave it out with data.drop: [name], or encode it by embedding or hashing"
        )
    ]


SUSPICIOUS = [
    (fill(1, lambda i: "flat"), "column 'kind' is constant: nothing can be learned from it"),
    (fill(3, lambda i: "4"), "column 'rooms' is constant: nothing can be learned from it"),
    (fill(3, lambda i: str(100 + i)), "column 'rooms' only counts the rows; leave it out with data.drop"),
    (
        fill(1, lambda i: f"k{i}"),
        "column 'kind' holds 48 different texts in 48 rows, like an identifier; leave it out with data.drop",
    ),
    (
        fill(1, lambda i: f"{1 + i // 12:02}.{1 + i % 12:02}.2024"),
        (
            "column 'kind' holds 48 different dates or times in 48 rows, like an identifier; leave it out with "
            "data.drop, or write dates as in 2024-12-31, or with a time as in 2024-12-31T23:59:59"
        ),
    ),
]


@pytest.mark.parametrize(("spoil", "warning"), SUSPICIOUS)
def test_a_suspicious_column_is_warned_of(houses, spoil, warning):
    assert houses(spoil).warnings == (f"table.csv: {warning}",)


def test_copies_across_the_parts_are_counted(houses):
    def double(rows):
        rows[30:] = [list(row) for row in rows[:30]]

    data = houses(double)
    (warning,) = data.warnings
    assert warning.startswith("table.csv: ")
    assert warning.endswith("are copies of training rows: scores will look better than they are")
    counted = [int(word) for word in warning.split() if word.isdigit()]
    train = {tuple(row) for row in np.column_stack([data.training.train.x, data.training.train.y]).tolist()}
    validation = np.column_stack([data.training.validation.x, data.training.validation.y]).tolist()
    assert counted[0] == sum(tuple(row) in train for row in validation) > 0


def raw_classes(*counts):
    labels = np.repeat([f"c{i}" for i in range(len(counts))], counts)
    inputs = pd.DataFrame({"a": np.random.default_rng(0).normal(size=len(labels))})
    return RawData(name="data", inputs=inputs, targets=pd.DataFrame({"y": labels}))


def test_a_text_that_is_there_or_missing_is_no_constant(houses):
    """A missing text is encoded as all zeros: whether it is there can be learned from."""
    data = houses(fill(1, lambda i: "flat" if i % 3 else ""))
    assert data.warnings == ()
    assert "kind=flat" in data.preprocessor.feature_names
    assert len(set(data.training.train.x[:, data.preprocessor.feature_names.index("kind=flat")])) == 2


BAD_SPLITS = [
    (
        (20, 1, 2),
        SplitSpec(),
        (
            "data: data.split.stratify: too few rows of column 'y' for a stratified split into 3 parts in "
            "class 'c1' (1 row); set it to false, or bring more rows of it"
        ),
    ),
    (
        (20, 1, 2),
        SplitSpec(stratify=True),
        (
            "data: data.split.stratify: too few rows of column 'y' for a stratified split into 3 parts in "
            "classes 'c1' (1 row), 'c2' (2 rows); set it to false, or bring more rows of them"
        ),
    ),
    (
        (10, 10),
        SplitSpec(validation=0.05),
        (
            "data: data.split: the validation part of 20 rows would have 1, and needs at least 2; "
            "change the fractions, or bring more rows"
        ),
    ),
    (
        (10, 10),
        SplitSpec(validation=0.5, test=0.49),
        (
            "data: data.split: the training part of 20 rows would have 0, and needs at least 2; "
            "change the fractions, or bring more rows"
        ),
    ),
]


@pytest.mark.parametrize(("counts", "splitting", "message"), BAD_SPLITS)
def test_a_split_that_cannot_be_made_is_refused(counts, splitting, message):
    assert messages(prepare_raw, raw_classes(*counts), settings(split=splitting), seed=0) == [message]


def test_a_class_of_two_is_warned_of_and_trained_on():
    data = prepare_raw(raw_classes(30, 2), settings(), seed=0)
    assert data.warnings == ("data: too few rows to be in all 3 parts in class 'c1' (2 rows)",)
    assert 1 in data.training.train.y


def test_an_unstratified_split_takes_a_class_of_one():
    data = prepare_raw(raw_classes(30, 1), settings(split=SplitSpec(stratify=False)), seed=0)
    assert data.task.classes == ("c0", "c1")


def test_a_regression_cannot_be_stratified(houses):
    assert messages(houses, split=SplitSpec(stratify=True)) == [
        "table.csv: data.split.stratify: stratify needs classes; leave it out for a regression"
    ]


def test_a_table_of_the_target_alone_is_refused(houses):
    assert messages(houses, drop=("area", "kind", "garden", "rooms")) == [
        "table.csv: no input columns are left; keep at least one besides the target"
    ]


@pytest.mark.parametrize("source", ["iris", "wine", "breast_cancer", "diabetes", "linnerud"])
@pytest.mark.parametrize("numeric", ["standardize", "min_max", "none"])
def test_every_shipped_set_can_be_prepared(source, numeric):
    given = settings(source=f"sklearn/{source}", target=None, preprocess=PreprocessSpec(numeric=numeric))
    data = prepare(given, seed=0, base=Path())
    kinds = {"iris": "multiclass", "wine": "multiclass", "breast_cancer": "binary"}
    assert data.task.kind == kinds.get(source, "regression")
    assert np.isfinite(data.refit().part.x).all()
