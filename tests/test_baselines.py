"""Baselines are what they are called: as good as an independent library's."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from hpsearch.baselines import baselines
from hpsearch.data import prepare
from tests.support.studies import spec_of


def parts(source):
    spec = spec_of(f"study: baseline\ndata: {{source: sklearn/{source}}}")
    data = prepare(spec.data, seed=0, base=spec.base)
    refit = data.refit()
    return refit.part, data.sealed.open(refit.preprocessor, refit.task), refit.task


@pytest.mark.parametrize("source", ["digits", "iris", "wine", "breast_cancer"])
def test_logistic_regression_is_as_good_as_scikit_learns(source):
    """Accuracy within two rows or 2%, log loss within 10% (and 0.02) of the converged solution."""
    train, test, task = parts(source)
    ours = baselines(train, test, task, seed=0)["logistic regression"]
    model = LogisticRegression(max_iter=10_000).fit(train.x, train.y)
    theirs = model.score(test.x, test.y)
    loss = -np.log(model.predict_proba(test.x)[np.arange(len(test)), test.y]).mean()
    assert ours["accuracy"] == pytest.approx(theirs, abs=max(0.02, 2 / len(test)))
    assert ours["log_loss"] == pytest.approx(loss, rel=0.1, abs=0.02)


@pytest.mark.parametrize("source", ["diabetes", "linnerud"])
def test_linear_regression_is_least_squares(source):
    """The same errors as scikit-learn's, in the targets' own units."""
    train, test, task = parts(source)
    ours = baselines(train, test, task, seed=0)
    predicted = task.unscale(LinearRegression().fit(train.x, train.y).predict(test.x))
    error = task.unscale(test.y) - predicted
    expected = np.sqrt((error**2).mean(axis=0)).mean()
    assert ours["linear regression"]["rmse"] == pytest.approx(expected, rel=1e-3)
    assert ours["mean"]["r2"] <= 0


def test_the_majority_class_is_a_constant_guess():
    """Its accuracy is the share of the most frequent training class among the test rows."""
    train, test, task = parts("breast_cancer")
    frequent = np.bincount(train.y).argmax()
    assert baselines(train, test, task, seed=0)["majority class"]["accuracy"] == pytest.approx(
        (test.y == frequent).mean()
    )
