"""Networks built to deserve a finding, trained as a search trains them, have it; healthy ones have none of them."""

import numpy as np
import pytest

from hpsearch.data.prepared import Fold, Task, TrainingData, frozen
from hpsearch.execution import CohortTask, TrialTask, train_cohort
from hpsearch.execution.evaluation import EvaluationSet
from hpsearch.judgment.diagnosis import diagnose
from hpsearch.judgment.metrics import baseline_loss, largest_class
from hpsearch.randomness import Address
from hpsearch.spec import EarlyStopping, Objective
from tests.support.recipes import recipe

BREAKING = {
    "diverged",
    "exploding_gradients",
    "vanishing_gradients",
    "dead_units",
    "class_collapse",
    "at_chance",
}


def classes(n, *, seed=0, permuted=False, rare=False, leak=False):
    """(n + 200) rows of 8 inputs around three centres that overlap."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, size=n + 200, p=[0.8, 0.1, 0.1] if rare else None)
    x = rng.standard_normal((n + 200, 8)) + np.random.default_rng(1).standard_normal((3, 8))[y] * 1.2
    if permuted:
        y = rng.permutation(y)
    if leak:
        x[:, :3] = 40 * np.eye(3)[y]
    parts = [
        frozen(x[rows].astype(np.float32), y[rows].astype(np.int32)) for rows in (slice(n), slice(n, None))
    ]
    task = Task(kind="multiclass", target_names=("y",), classes=("a", "b", "c"))
    return TrainingData(folds=(Fold(train=parts[0], validation=parts[1], task=task),))


def findings_of(data, **changes):
    """Of one trial: names, the findings by name, the verdict."""
    plain = {
        "optimizer": "adam",
        "learning_rate": 3e-3,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "activation": "relu",
    }
    h = recipe(
        **{**plain, "initializer": "he", "hidden": (32, 32), "batch_size": 32, "epochs": 15, **changes}
    )
    trial = TrialTask(
        number=0, hyperparameters=h, address=Address(seed=0, trial=0), thresholds=np.full(h.epochs, np.nan)
    )
    task = CohortTask(trials=(trial,), objectives=(Objective(),), early_stopping=EarlyStopping(patience=None))
    [outcome] = train_cohort(task, data, evaluation=EvaluationSet.draw(data, 0))
    found, verdict = diagnose(
        outcome.curves,
        state="diverged" if outcome.verdict.value == "diverged" else "complete",
        epochs_planned=h.epochs,
        baseline_loss=baseline_loss(data.validation.y, task=data.task, loss="cross_entropy"),
        samples=outcome.samples,
        recipe={name: getattr(h, name) for name in ("dropout", "l2", "l1", "weight_decay", "activation")},
        class_share=largest_class(data),
    )
    return {finding.name: finding for finding in found}, verdict


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu"])
@pytest.mark.parametrize("seed", [0, 1])
def test_healthy_networks_have_no_trouble(activation, seed):
    """At most a hint about the number of epochs."""
    found, _ = findings_of(classes(400, seed=seed), activation=activation, initializer="xavier")
    assert set(found) <= {"healthy", "budget_wasted", "still_improving"}


def test_sigmoids_ten_layers_deep_have_vanishing_gradients_and_rectifiers_have_not():
    deep = {"hidden": (16,) * 10, "epochs": 8}
    found, _ = findings_of(classes(300), activation="sigmoid", initializer="xavier", **deep)
    finding = found["vanishing_gradients"]
    assert finding.severity == "failure"
    assert finding.evidence["ratio"] < 1e-3
    assert "gradient_norm/1 dense" in finding.evidence
    assert {change.parameter for change in finding.changes} == {"activation", "initializer", "hidden"}
    assert "vanishing_gradients" not in findings_of(classes(300), **deep)[0]


def test_a_learning_rate_of_ten_breaks_down():
    found, verdict = findings_of(classes(300), optimizer="sgd", learning_rate=10.0, hidden=(64, 64, 64))
    assert set(found) & {"diverged", "exploding_gradients", "learning_rate_too_large", "dead_units"}
    assert found[verdict].severity == "failure"
    assert any(
        change.parameter == "learning_rate" and change.way == "lower" for change in found[verdict].changes
    )


def test_twenty_samples_and_six_layers_of_a_hundred_overfit():
    found, verdict = findings_of(classes(20), hidden=(100,) * 6, epochs=40, learning_rate=1e-3)
    assert verdict == "overfitting"
    assert found["overfitting"].evidence["gap"] > 0.25


def test_permuted_labels_are_at_chance():
    found, verdict = findings_of(classes(300, permuted=True), epochs=30)
    assert verdict == "at_chance"
    assert found["at_chance"].evidence["best_validation_loss_ratio"] > 0.98


def test_biases_far_below_zero_are_dead_units():
    """Large steps in the first epoch throw rectifiers to where they never open again."""
    found, _ = findings_of(
        classes(300), optimizer="sgd", learning_rate=3.0, hidden=(24, 24, 24), clip_norm=5.0
    )
    assert found["dead_units"].evidence["share"] > 0.5
    assert "zero for every sample" in found["dead_units"].sentence


def test_penalties_that_outweigh_the_data_are_too_strong():
    found, _ = findings_of(classes(300), l2=0.3, epochs=30)
    assert found["regularization_too_strong"].evidence["pull"] > 0.3
    assert found["regularization_too_strong"].changes[0].parameter == "l2"
    assert "regularization_too_strong" not in findings_of(classes(300), l2=1e-5, epochs=30)[0]


def test_one_class_for_all_rows_is_a_collapse_and_unequal_classes_are_none():
    found, _ = findings_of(classes(300, rare=True), l2=1.0, epochs=20)
    assert found["class_collapse"].evidence["largest_share"] > 0.98
    assert "class_collapse" not in findings_of(classes(300, rare=True))[0]


def test_an_input_that_holds_the_target_is_suspicious():
    found, verdict = findings_of(classes(400, leak=True), hidden=(32,), learning_rate=0.01)
    assert verdict == "suspicious_score"
    assert found["suspicious_score"].evidence["epoch"] <= 2


def test_steps_that_throw_weights_about_are_too_large_and_usual_ones_are_not():
    hot = {"activation": "tanh", "initializer": "xavier", "hidden": (4, 4), "batch_size": 8}
    assert "learning_rate_too_large" in findings_of(classes(300), **hot, learning_rate=0.2)[0]
    assert "learning_rate_too_large" not in findings_of(classes(300), **hot, learning_rate=0.01)[0]


def test_a_tiny_learning_rate_creeps():
    found, verdict = findings_of(classes(300), learning_rate=2e-5, initializer="xavier")
    assert verdict == "learning_rate_too_small"
    assert found["learning_rate_too_small"].changes[0].way == "higher"


def test_epochs_after_all_is_learned_are_wasted():
    found, _ = findings_of(classes(400), epochs=60, l2=3e-3)
    assert found["budget_wasted"].evidence["wasted_epochs"] >= 30
