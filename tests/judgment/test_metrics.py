"""scikit-learn is the independent reference for every metric."""

import numpy as np
import pytest
from sklearn import metrics as reference

from hpsearch.data.prepared import Task
from hpsearch.judgment.metrics import (
    baseline_loss,
    curve_metric,
    direction,
    final_scores,
    metrics_of,
    primary_metric,
    resampled_metric,
)

MULTICLASS = Task(kind="multiclass", target_names=("kind",), classes=("a", "b", "c"))
BINARY = Task(kind="binary", target_names=("kind",), classes=("no", "yes"))
REGRESSION = Task(
    kind="regression", target_names=("u", "v"), target_mean=(5.0, -100.0), target_scale=(2.0, 30.0)
)


def classes(n, count, seed=0):
    """Logits (3, n, count) that know something of the labels (n,)."""
    stream = np.random.default_rng(seed)
    y = stream.integers(count, size=n).astype(np.int32)
    logits = stream.normal(size=(3, n, count)).astype(np.float32)
    logits[:, np.arange(n), y] += 1
    return logits, y


def binary(n, seed=0):
    logits, y = classes(n, 2, seed)
    return logits[..., 1:] - logits[..., :1], y


def numbers(n, seed=0):
    stream = np.random.default_rng(seed)
    y = stream.normal(size=(n, 2)).astype(np.float32)
    return (y + 0.3 * stream.normal(size=(3, n, 2))).astype(np.float32), y


CASES = [
    (MULTICLASS, "cross_entropy", *classes(157, 3)),
    (BINARY, "binary_cross_entropy", *binary(157)),
    (BINARY, "cross_entropy", *classes(157, 2)),
    (REGRESSION, "mse", *numbers(157)),
]


def softmax(logits):
    p = np.exp(logits.astype(np.float64))
    return p / p.sum(axis=-1, keepdims=True)


def expected(task, loss, outputs, y):
    """What scikit-learn gives for one network."""
    if task is REGRESSION:
        truth, guess = task.unscale(y), task.unscale(outputs)
        return {
            "rmse": reference.root_mean_squared_error(truth, guess),
            "mae": reference.mean_absolute_error(truth, guess),
            "r2": reference.r2_score(truth, guess),
        }
    wide = np.concatenate([np.zeros_like(outputs), outputs], axis=-1) if outputs.shape[-1] == 1 else outputs
    p = softmax(wide)
    ranked = {"y_score": p[:, 1]} if task is BINARY else {"y_score": p, "multi_class": "ovr"}
    return {
        "accuracy": reference.accuracy_score(y, p.argmax(axis=1)),
        "macro_f1": reference.f1_score(y, p.argmax(axis=1), average="macro"),
        "log_loss": reference.log_loss(y, p, labels=range(len(task.classes))),
        "roc_auc": reference.roc_auc_score(y, **ranked),
    }


@pytest.mark.parametrize(("task", "loss", "outputs", "y"), CASES)
def test_every_metric_agrees_with_scikit_learn(task, loss, outputs, y):
    for k, one in enumerate(outputs):
        wanted = expected(task, loss, one, y)
        assert set(wanted) == set(metrics_of(task))
        for name, value in wanted.items():
            assert curve_metric(name, outputs, y, task=task, loss=loss)[k] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(("task", "loss", "outputs", "y"), CASES)
def test_final_scores_are_the_metrics_of_one_network(task, loss, outputs, y):
    assert final_scores(outputs[0], y, task=task, loss=loss) == {
        name: curve_metric(name, outputs, y, task=task, loss=loss)[0] for name in metrics_of(task)
    }


@pytest.mark.parametrize("n", [1, 7, 64, 1001])
@pytest.mark.parametrize("count", [2, 3, 10])
def test_a_network_is_scored_alone_as_with_others_to_the_last_bit(n, count):
    """Law 1: also when the outputs are a slice of a larger buffer, and when a neighbour is NaN."""
    task = Task(kind="multiclass", target_names=("t",), classes=tuple(range(count)))
    logits, y = classes(n, count, seed=n)
    buffer = np.concatenate([logits, np.full_like(logits, np.nan), logits[::-1]])
    sliced = np.concatenate([np.zeros((9, 5, count), np.float32), buffer], axis=1)[:, 5:]
    for name in metrics_of(task):
        together = curve_metric(name, sliced, y, task=task, loss="cross_entropy")
        alone = [curve_metric(name, one[None], y, task=task, loss="cross_entropy")[0] for one in buffer]
        np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("n", [1, 7, 64, 1001])
def test_a_regression_is_scored_alone_as_with_others_to_the_last_bit(n):
    outputs, y = numbers(n)
    for name in metrics_of(REGRESSION):
        together = curve_metric(name, outputs, y, task=REGRESSION, loss="mse")
        alone = [curve_metric(name, one[None], y, task=REGRESSION, loss="mse")[0] for one in outputs]
        np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("task", "loss", "outputs", "y"), CASES)
def test_an_output_that_is_not_finite_gives_nan_without_a_warning(task, loss, outputs, y, bad):
    broken = outputs.copy()
    broken[1, 3, 0] = bad
    for name in metrics_of(task):
        scores = curve_metric(name, broken, y, task=task, loss=loss)
        np.testing.assert_array_equal(np.isnan(scores), [False, True, False])
    assert final_scores(broken[1], y, task=task, loss=loss) == {}


def test_extreme_outputs_are_scored_without_overflow():
    y = np.array([0, 1], dtype=np.int32)
    outputs = np.array([[[3e38], [3e38]]], dtype=np.float32)
    loss = curve_metric("log_loss", outputs, y, task=BINARY, loss="binary_cross_entropy")
    assert loss[0] == pytest.approx(1.5e38)
    targets, guesses = np.zeros((2, 2), np.float32), np.full((1, 2, 2), 3e38, np.float32)
    assert np.isfinite(curve_metric("rmse", guesses, targets, task=REGRESSION, loss="mse")).all()


def test_ties_count_half_in_roc_auc():
    outputs = np.array([[[0.0], [0.0], [1.0], [1.0], [1.0]]], dtype=np.float32)
    y = np.array([0, 1, 0, 1, 1], dtype=np.int32)
    score = curve_metric("roc_auc", outputs, y, task=BINARY, loss="binary_cross_entropy")[0]
    assert score == pytest.approx(reference.roc_auc_score(y, outputs[0, :, 0]))
    assert score == pytest.approx((0.5 + 1 + 1 + 0 + 0.5 + 0.5) / 6)


def test_saturated_probabilities_are_still_ranked():
    """float64 softmax is exactly 1 for both rows; their logits differ."""
    outputs = np.array([[[100.0], [200.0]]], dtype=np.float32)
    y = np.array([0, 1], dtype=np.int32)
    assert curve_metric("roc_auc", outputs, y, task=BINARY, loss="binary_cross_entropy")[0] == 1.0


def test_roc_auc_is_undefined_without_one_of_the_classes():
    logits, _ = classes(20, 3)
    y = np.array([0, 1] * 10, dtype=np.int32)
    scores = curve_metric("roc_auc", logits, y, task=MULTICLASS, loss="cross_entropy")
    assert np.isnan(scores).all()
    assert set(final_scores(logits[0], y, task=MULTICLASS, loss="cross_entropy")) == {
        "accuracy",
        "macro_f1",
        "log_loss",
    }


def test_r2_is_undefined_for_a_constant_target():
    outputs, y = numbers(10)
    y[:, 1] = 0.1
    assert np.isnan(curve_metric("r2", outputs, y, task=REGRESSION, loss="mse")).all()


def test_macro_f1_leaves_out_a_class_that_is_neither_true_nor_predicted():
    y = np.array([0, 1, 0, 1], dtype=np.int32)
    logits = np.array([[[1, 0, -1], [0, 1, -1], [0, 1, -1], [0, 1, -1]]], dtype=np.float32)
    score = curve_metric("macro_f1", logits, y, task=MULTICLASS, loss="cross_entropy")[0]
    assert score == pytest.approx(reference.f1_score(y, [0, 1, 1, 1], average="macro"))


@pytest.mark.parametrize(("task", "loss", "outputs", "y"), CASES)
def test_a_resample_by_counts_scores_as_the_rows_drawn(task, loss, outputs, y):
    rows = np.random.default_rng(1).integers(len(y), size=(6, len(y)))
    counts = np.stack([np.bincount(drawn, minlength=len(y)) for drawn in rows]).astype(np.float64)
    for name in metrics_of(task):
        by_rows = [
            curve_metric(name, outputs[:1, drawn], y[drawn], task=task, loss=loss)[0] for drawn in rows
        ]
        by_counts = resampled_metric(name, outputs[0], y, counts, task=task, loss=loss)
        np.testing.assert_allclose(by_counts, by_rows, rtol=1e-9)


def test_the_baseline_of_balanced_classes_is_the_logarithm_of_their_number():
    y = np.arange(30, dtype=np.int32) % 3
    assert baseline_loss(y, task=MULTICLASS, loss="cross_entropy") == pytest.approx(np.log(3))


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_no_constant_guess_beats_the_baseline(loss):
    _, y = numbers(101)
    y = (y**3).astype(np.float64)
    guesses = np.linspace(-1, 1, 2001)[:, None, None]
    error = np.abs(y - guesses)
    huber = np.where(error <= 1, error**2 / 2, error - 0.5)
    per_guess = {"mse": error**2, "mae": error, "huber": huber}[loss].mean(axis=1)
    best = per_guess.min(axis=0).mean()
    assert baseline_loss(y, task=REGRESSION, loss=loss) == pytest.approx(best, rel=1e-4)
    assert baseline_loss(y, task=REGRESSION, loss=loss) <= best + 1e-12


def test_the_primary_metric_comes_first():
    assert [primary_metric(task) for task in (MULTICLASS, BINARY, REGRESSION)] == [
        "accuracy",
        "accuracy",
        "rmse",
    ]


def test_a_known_metric_has_a_direction_whatever_the_part():
    assert direction("validation_accuracy") == "maximize"
    assert direction("best_train_loss") == "minimize"
    assert {direction(name) for name in ("rmse", "mae", "log_loss")} == {"minimize"}
    with pytest.raises(KeyError):
        direction("validation_surprise")
