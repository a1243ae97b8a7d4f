import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler

from hpsearch.data.columns import tidy
from hpsearch.data.preprocessing import CategoricalColumn, NumericColumn, Preprocessor
from hpsearch.errors import DataError
from hpsearch.spec import PreprocessSpec

SCALERS = {"standardize": StandardScaler, "min_max": MinMaxScaler, "none": FunctionTransformer}


def table(rows=40, seed=0):
    random = np.random.default_rng(seed)
    numbers = random.normal(5, 3, size=(rows, 3))
    numbers[random.random(numbers.shape) < 0.2] = np.nan
    frame = pd.DataFrame(numbers, columns=["a", "b", "c"])
    frame.insert(1, "kind", random.choice(["x", "y", "z"], size=rows))
    frame["same"] = 0.1
    return frame


def fitted(frame=None, **how):
    return Preprocessor.fit(tidy(table() if frame is None else frame), PreprocessSpec(**how))


@pytest.mark.parametrize("missing", ["median", "mean"])
@pytest.mark.parametrize("numeric", SCALERS)
def test_features_agree_with_scikit_learn(numeric, missing):
    """Imputer, scaler and one-hot encoder, fitted on one table and applied to another."""
    train, other = table(), table(seed=1)
    numbers = ["a", "b", "c", "same"]
    scaler = make_pipeline(SimpleImputer(strategy=missing), SCALERS[numeric]()).fit(train[numbers].to_numpy())
    codes = OneHotEncoder(sparse_output=False).fit(train[["kind"]].to_numpy(dtype=object))
    preprocessor = fitted(train, numeric=numeric, missing=missing)
    for frame in (train, other):
        scaled = scaler.transform(frame[numbers].to_numpy())
        encoded = codes.transform(frame[["kind"]].to_numpy(dtype=object))
        expected = np.column_stack([scaled[:, 0], encoded, scaled[:, 1:]])
        np.testing.assert_allclose(preprocessor.transform(frame), expected, rtol=1e-6, atol=1e-6)


def test_a_constant_column_becomes_zeros():
    assert (fitted().transform(table())[:, -1] == 0).all()


def test_features_are_named_by_column_and_category():
    assert fitted().feature_names == ("a", "kind=x", "kind=y", "kind=z", "b", "c", "same")
    assert fitted().columns == ("a", "kind", "b", "c", "same")


def test_unknown_and_missing_categories_are_all_zeros():
    frame = table().head(3).assign(kind=["unheard of", None, "y"])
    assert fitted().transform(frame)[:, 1:4].tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_any_form_of_the_same_rows_gives_the_same_features():
    """DataFrame (columns in any order, and more), mapping, object array, list of rows, nullable types."""
    frame, preprocessor = table().dropna(), fitted()
    expected = preprocessor.transform(frame)
    forms = [
        frame[frame.columns[::-1]].assign(more="ignored"),
        {name: frame[name].tolist() for name in frame.columns},
        frame.to_numpy(dtype=object),
        frame.to_numpy().tolist(),
        frame.convert_dtypes(),
        frame.astype({"kind": "category"}),
        frame.astype(str),
    ]
    for form in forms:
        np.testing.assert_array_equal(preprocessor.transform(form), expected)
    one_row = {name: frame[name].iloc[0] for name in frame.columns}
    np.testing.assert_array_equal(preprocessor.transform(one_row), expected[:1])


def test_features_are_contiguous_float32_even_for_no_rows():
    features = fitted().transform(table().head(0))
    assert features.shape == (0, 7)
    assert features.dtype == np.float32
    assert features.flags.c_contiguous
    assert fitted().transform([]).shape == (0, 7)


GOOD = {"a": [1.0], "kind": ["x"], "b": [2.0], "c": [3.0], "same": [4.0]}
COLUMNS = "a table of rows with 5 columns ('a', 'kind', 'b', 'c', 'same')"
REFUSED = [
    (
        {"kind": ["x"], "a": [1.0], "c": [1.0]},
        "inputs: lack the columns 'b', 'same'; given: 'kind', 'a', 'c'",
    ),
    (
        {**GOOD, "a": ["1.5", "old"], "b": [1, 2], "c": ["2", "new"], "kind": "xx", "same": [1, 1]},
        "inputs: columns must be of one length, got {'a': 2, 'kind': 1, 'b': 2, 'c': 2, 'same': 2}",
    ),
    (
        {**GOOD, "a": ["old"], "c": ["new"]},
        (
            "inputs: column 'a': must be a number, got 'old' in row 1\n"
            "inputs: column 'c': must be a number, got 'new' in row 1"
        ),
    ),
    ({**GOOD, "b": [float("inf")]}, "inputs: column 'b': must be finite, got inf in row 1"),
    (
        {**GOOD, "b": [1e300]},
        "inputs: column 'b': holds values too large to compute with; bring its values to a smaller unit",
    ),
    ([[1.0, "x", 2.0]], f"inputs: must be {COLUMNS}, got 3"),
    (np.ones(5), f"inputs: must be {COLUMNS}, got one dimension; wrap a row as [row]"),
    (
        pd.DataFrame([[1, 1]], columns=["a", "a"]),
        "inputs: lack the columns 'kind', 'b', 'c', 'same'; given: 'a', 'a'",
    ),
]


@pytest.mark.parametrize(("inputs", "message"), REFUSED)
def test_inputs_that_do_not_fit_are_refused_by_name(inputs, message):
    with pytest.raises(DataError) as caught:
        fitted().transform(inputs)
    assert str(caught.value) == message


def test_columns_that_occur_twice_are_refused():
    frame = pd.concat([table(), table()["a"]], axis=1)
    with pytest.raises(DataError, match="hold the column 'a' more than once"):
        fitted().transform(frame)


finite = st.floats(allow_nan=False, allow_infinity=False)
columns = st.one_of(
    st.builds(NumericColumn, name=st.text(), fill=finite, center=finite, scale=finite),
    st.builds(CategoricalColumn, name=st.text(), categories=st.lists(st.text(), unique=True).map(tuple)),
)


@given(st.lists(columns).map(tuple))
def test_a_preprocessor_survives_json_exactly(fitted_columns):
    preprocessor = Preprocessor(fitted=fitted_columns)
    assert Preprocessor.from_json(json.loads(json.dumps(preprocessor.to_json()))) == preprocessor
