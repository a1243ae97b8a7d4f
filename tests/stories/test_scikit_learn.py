"""Networks and searches as scikit-learn's estimators: its own checks, and its ways to combine them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from hpsearch.sklearn import HPSearchClassifier, HPSearchRegressor, NetworkClassifier, NetworkRegressor
from tests.support.studies import write_houses

SPACE = {"epochs": 40, "learning_rate": [0.01, 0.03], "optimizer": "adam", "batch_size": 16}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [
        NetworkClassifier(),
        NetworkRegressor(),
        HPSearchClassifier(SPACE, trials=2),
        HPSearchRegressor(SPACE, trials=2),
    ]
)
def test_scikit_learns_own_checks_pass(estimator, check):
    """`check_estimator`, whole."""
    check(estimator)


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True, as_frame=True)


def test_a_network_is_validated_like_any_classifier(iris):
    """In a pipeline, by cross-validation, on DataFrames that its forerunner sets."""
    x, y = iris
    pipeline = make_pipeline(
        StandardScaler(), NetworkClassifier((16,), epochs=60, learning_rate=0.01, random_state=0)
    )
    assert cross_val_score(pipeline, x, y, cv=3).min() > 0.9
    pipeline.set_output(transform="pandas").fit(x, y)
    assert list(pipeline[-1].feature_names_in_) == list(x.columns)


def test_scikit_learns_own_search_goes_over_networks_in_a_pipeline(iris):
    """Parameters by name, as of any estimator."""
    pipeline = make_pipeline(StandardScaler(), NetworkClassifier(epochs=30, random_state=0))
    grid = {"networkclassifier__hidden": [(8,), (16, 8)], "networkclassifier__learning_rate": [1e-5, 0.01]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(*iris)
    assert search.best_params_["networkclassifier__learning_rate"] == 0.01
    assert search.best_score_ > 0.9


def test_tables_of_texts_and_gaps_need_no_preparation(tmp_path):
    """As in a study: texts are coded, gaps filled."""
    table = pd.read_csv(write_houses(tmp_path / "houses.csv"))
    x, y = table.drop(columns="price"), table["price"]
    network = NetworkRegressor((32,), epochs=200, learning_rate=0.01, random_state=0).fit(x, y)
    assert network.score(x, y) > 0.9
    ready = make_column_transformer(("passthrough", ["area", "year"]))
    assert make_pipeline(ready, NetworkRegressor(epochs=2)).fit(x, y).predict(x[:3]).shape == (3,)


def test_a_search_finds_what_it_says(iris):
    """Parameters, score and table agree; the best parameters make a network."""
    x, y = iris
    search = HPSearchClassifier(
        {**SPACE, "dropout": {"min": 0.0, "max": 0.5}},
        trials=6,
        cv=KFold(3, shuffle=True, random_state=0),
        random_state=1,
    )
    search.fit(x, y)
    assert search.score(x, y) > 0.8
    assert search.best_score_ == search.trials_["validation_loss"].min()
    best = search.trials_.loc[search.trials_["validation_loss"].idxmin()]
    assert best["dropout"] == search.best_params_["dropout"]
    assert NetworkClassifier(parameters=search.best_params_, random_state=0).fit(x, y).score(x, y) > 0.9


def test_labels_of_any_kind_come_back_as_they_were(iris):
    """Texts, booleans, numbers: their own type and values."""
    x, y = iris
    for labels in (np.array(["a", "b", "c"])[y], y == 1, y * 2.0):
        predicted = NetworkClassifier(epochs=20, learning_rate=0.01, random_state=0).fit(x, labels).predict(x)
        assert predicted.dtype == np.asarray(labels).dtype
        assert set(predicted) <= set(labels)


def test_a_wrong_parameter_is_a_value_error_that_names_it(iris):
    """By the rules of the study file."""
    with pytest.raises(ValueError, match=r"space.dropout: .*below 1"):
        NetworkClassifier(dropout=1.5).fit(*iris)
    with pytest.raises(ValueError, match=r"sampler"):
        HPSearchClassifier(sampler="tpee").fit(*iris)
