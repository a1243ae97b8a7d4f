"""What stands behind a score, against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from hpsearch.data.prepared import Task
from hpsearch.judgment.inspection import (
    MOST_CLASSES,
    MOST_INPUTS,
    WORST,
    calibration,
    confusion,
    inspect,
    per_class,
    permutation_importance,
    residuals,
)
from hpsearch.randomness import Address

LOSS = {2: "binary_cross_entropy"}


def classes(count, kind="multiclass"):
    return Task(kind=kind, target_names=("y",), classes=tuple(f"c{i}" for i in range(count)))


@st.composite
def classified(draw):
    """Outputs and class ids of a few rows, for two classes (one output) or more."""
    count, rows = draw(st.integers(2, 5)), draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    outputs = random.normal(size=(rows, 1 if count == 2 else count)).astype(np.float32)
    return count, outputs, random.integers(count, size=rows)


@given(classified())
def test_confusions_and_scores_by_class_are_those_of_scikit_learn(drawn):
    count, outputs, y = drawn
    task, loss = classes(count), LOSS.get(count, "cross_entropy")
    table = confusion(outputs, y, task=task, loss=loss)
    predicted = (outputs[:, 0] > 0).astype(int) if count == 2 else outputs.argmax(axis=1)
    assert (table == confusion_matrix(y, predicted, labels=range(count))).all()
    expected = precision_recall_fscore_support(y, predicted, labels=range(count), zero_division=np.nan)
    found = per_class(table, task)
    for name, column in zip(("precision", "recall", "f1", "rows"), expected, strict=True):
        ours = [np.nan if row[name] is None else row[name] for row in found]
        np.testing.assert_allclose(ours, column, rtol=1e-12)


def test_a_network_that_is_right_as_often_as_it_is_sure_is_calibrated():
    random = np.random.default_rng(0)
    logits = random.normal(scale=2, size=(40_000, 1)).astype(np.float32)
    y = (random.random(40_000) < 1 / (1 + np.exp(-logits[:, 0]))).astype(int)
    assert calibration(logits, y, loss="binary_cross_entropy")["error"] < 0.01
    assert calibration(logits * 5, y, loss="binary_cross_entropy")["error"] > 0.1


def test_the_calibration_error_by_hand():
    """Two rows sure by .8, one right; two sure by .6, both right: (2 * .3 + 2 * .4) / 4."""
    odds = np.log([[4.0], [4.0], [1.5], [1.5]]).astype(np.float32)
    found = calibration(odds, np.array([1, 0, 1, 1]), loss="binary_cross_entropy")
    assert found["error"] == pytest.approx(0.35, abs=1e-6)
    assert [each["rows"] for each in found["bins"]] == [2, 2]
    assert [each["accuracy"] for each in found["bins"]] == [1.0, 0.5]


@given(classified())
def test_every_row_is_in_one_bin(drawn):
    count, outputs, y = drawn
    found = calibration(outputs * 100, y, loss=LOSS.get(count, "cross_entropy"))
    assert sum(each["rows"] for each in found["bins"]) == len(y)
    assert 0 <= found["error"] <= 1


def test_the_worst_are_missed_rows_the_surest_first():
    outputs = np.array([[3, 0], [0, 5], [0, 1], [2, 0]], np.float32)
    found = inspect(outputs, np.array([0, 0, 0, 1]), task=classes(2), loss="cross_entropy")["worst"]
    assert [each["row"] for each in found] == [1, 3, 2]
    assert found[0]["true"] == "c0"
    assert found[0]["predicted"] == "c1"
    assert found[0]["probability_of_true"] == pytest.approx(1 / (1 + np.exp(5)))


def test_numbers_are_compared_in_their_own_unit():
    task = Task(kind="regression", target_names=("price",), target_mean=(100.0,), target_scale=(10.0,))
    outputs, y = np.array([[0.0], [1.0], [3.0]]), np.array([[0.0], [1.0], [1.0]])
    [found] = residuals(outputs, y, task=task)
    assert found["true"] == [100.0, 110.0, 110.0]
    assert found["predicted"] == [100.0, 110.0, 130.0]
    assert found["bias"] == pytest.approx(20 / 3)
    worst = inspect(outputs, y, task=task, loss="mse")["worst"]
    assert worst[0] == {"row": 2, "true": [110.0], "predicted": [130.0]}


def test_of_many_rows_and_classes_no_more_is_kept_than_can_be_read():
    random = np.random.default_rng(1)
    many = classes(MOST_CLASSES + 1)
    outputs = random.normal(size=(300, MOST_CLASSES + 1))
    found = inspect(outputs, random.integers(MOST_CLASSES + 1, size=300), task=many, loss="cross_entropy")
    assert "confusion" not in found
    assert len(found["worst"]) == WORST


class TestPermutationImportance:
    task = Task(kind="regression", target_names=("y",), target_mean=(0.0,), target_scale=(1.0,))

    def importance(self, weights, inputs, rows=800):
        random = np.random.default_rng(2)
        x = random.normal(size=(rows, len(weights)))
        y = x @ np.array(weights)[:, None]
        return permutation_importance(
            lambda features: features @ np.array(weights)[:, None],
            x,
            y,
            inputs,
            task=self.task,
            loss="mse",
            stream=Address(seed=0).stream("permutation"),
        )

    def test_an_input_that_is_not_used_has_none_and_the_strongest_comes_first(self):
        found = self.importance([1.0, 0.0, 3.0], {name: slice(i, i + 1) for i, name in enumerate("abc")})
        assert list(found) == ["c", "a", "b"]
        assert found["b"] == 0
        # shuffling w x leaves an error of w (x - x'), whose standard deviation is w sqrt(2)
        assert found["c"] == pytest.approx(3 * np.sqrt(2), rel=0.1)

    def test_features_of_one_input_are_shuffled_together(self):
        """Two features that cancel: shuffled as one they still do, one by one they would not."""
        random = np.random.default_rng(3)
        x = np.repeat(random.normal(size=(400, 1)), 2, axis=1)
        difference = np.array([[1.0], [-1.0]])
        arguments = {"task": self.task, "loss": "mse", "stream": Address(seed=0).stream("permutation")}
        together = permutation_importance(
            lambda features: features @ difference, x, x @ difference, {"a": slice(0, 2)}, **arguments
        )
        assert together["a"] == 0

    def test_of_too_many_inputs_it_is_not_taken(self):
        assert (
            self.importance(
                [1.0] * (MOST_INPUTS + 1), {str(i): slice(i, i + 1) for i in range(MOST_INPUTS + 1)}, 10
            )
            == {}
        )

    def test_the_same_address_gives_the_same_numbers(self):
        inputs = {"a": slice(0, 1), "b": slice(1, 2)}
        assert self.importance([1.0, 2.0], inputs) == self.importance([1.0, 2.0], inputs)
