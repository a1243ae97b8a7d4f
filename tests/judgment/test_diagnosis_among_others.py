"""Findings that rest on what was seen inside a network, and on what the study's other trials came to."""

import numpy as np
import pytest

from hpsearch.engine import sampled_epochs
from hpsearch.judgment.diagnosis import diagnose
from hpsearch.judgment.experience import FEW, REMEMBERED, Experience
from tests.support.studies import run_quick


def others(*losses):
    """Earlier trials of a study, of which nothing but the best losses is known."""
    experience = Experience()
    for loss in losses:
        experience.add({}, loss)
    return experience


def judge_inside(losses, *, samples, recipe, experience, weights=1.0, updates=30):
    """Diagnose equal training and validation losses, with what was seen inside and what other trials came to."""
    n, losses = len(losses), tuple(losses)
    curves = {"train_loss": losses, "validation_loss": losses, "weight_norm": (weights,) * n}
    findings, _ = diagnose(
        {**curves, "learning_rate": (recipe["learning_rate"],) * n},
        state="complete",
        epochs_planned=n,
        baseline_loss=1.0,
        samples=samples,
        recipe=recipe,
        updates=updates,
        experience=experience,
    )
    return {finding.name: finding for finding in findings}


def layers(looks, *, ratio, gradient=1.0, distance=None):
    """`distance`: a function of the epochs that were looked into; None: it was not measured."""
    seen = {"update_ratio": (ratio,) * looks, "gradient_norm": (gradient,) * looks}
    if distance is not None:
        seen["distance"] = tuple(map(distance, sampled_epochs(100)[:looks]))
    return {
        f"{statistic}/{name}": values for statistic, values in seen.items() for name in ("1 dense", "2 dense")
    }


def test_weights_that_hardly_move_are_a_learning_rate_too_small_where_others_learn():
    still = 1 + 1e-4 * np.random.default_rng(0).normal(size=16)
    recipe = {"learning_rate": 1e-4, "optimizer": "sgd"}
    short = {"samples": layers(8, ratio=1e-4), "recipe": recipe}
    found = judge_inside(still, **short, experience=others(0.3, 0.9))["learning_rate_too_small"]
    assert found.evidence["moved"] == pytest.approx(16 * 30 * 1e-4)
    assert "moved the weights by at most 4.8% of their size" in found.sentence
    for other in (
        {**short, "experience": others(0.99)},
        {**short, "experience": others(0.3), "samples": layers(8, ratio=0.1)},
        {**short, "experience": others(0.3), "samples": layers(8, ratio=1e-4, gradient=1e-3)},
    ):
        assert "learning_rate_too_small" not in judge_inside(still, **other)


def test_weights_that_are_far_from_where_they_began_are_a_learning_rate_too_large():
    calm, hot = 0.6 + 0.4 * np.exp(-np.arange(16)), {"learning_rate": 0.2, "optimizer": "adam"}
    far = layers(8, ratio=0.01, distance=lambda epoch: 1 + epoch**0.5)
    given = {"samples": far, "recipe": hot, "experience": others(0.3)}
    found = judge_inside(calm, **given)["learning_rate_too_large"]
    assert found.evidence["distance"] == pytest.approx(5)
    assert "The weights are 5.0 times their initial size away from where they began" in found.sentence
    for other in (
        {"experience": others(0.59)},
        {"recipe": {**hot, "learning_rate": 0.01}},
        {"recipe": {**hot, "dropout": 0.5, "learning_rate": 0.05}},
        {"samples": layers(8, ratio=0.01, distance=lambda epoch: 0.05 * epoch)},
        {"samples": layers(8, ratio=0.01)},
    ):
        assert "learning_rate_too_large" not in judge_inside(calm, **{**given, **other})


def test_a_loss_that_jumps_where_the_weights_stayed_near_is_no_learning_rate_too_large():
    jumps = {"recipe": {"learning_rate": 0.03, "optimizer": "adam"}, "experience": others(0.3)}
    losses = 0.6 + 0.1 * (np.arange(16) % 2)
    for distance, found in ((lambda _: 0.4, False), (lambda _: 4.0, True), (None, True)):
        seen = layers(8, ratio=0.01, distance=distance)
        assert ("learning_rate_too_large" in judge_inside(losses, samples=seen, **jumps)) is found


def test_a_way_that_leads_on_asks_for_larger_steps_and_one_that_does_not_is_held():
    """A distance that grows with the epochs, and one that grows with their root."""
    still = 1 + 1e-4 * np.random.default_rng(0).normal(size=16)
    slow = {"recipe": {"learning_rate": 1e-4, "optimizer": "sgd"}, "experience": others(0.3)}
    held = {"recipe": {"learning_rate": 0.01, "dropout": 0.7, "hidden": (64, 64)}, "experience": others(0.2)}
    high = 0.6 + 0.4 * np.exp(-np.arange(30) / 3)
    for power, leads_on in ((1.0, True), (0.5, False)):

        def distance(epoch, power=power):
            return 0.02 * epoch**power

        found = judge_inside(still, samples=layers(8, ratio=1e-4, distance=distance), **slow)
        assert ("learning_rate_too_small" in found) is leads_on
        found = judge_inside(high, samples=layers(10, ratio=0.01, distance=distance), **held)
        assert ("regularization_too_strong" in found) is not leads_on


def test_a_network_that_has_hardly_left_its_initial_weights_is_not_too_small():
    high, recipe = 0.6 + 0.4 * np.exp(-np.arange(30) / 3), {"learning_rate": 0.01}
    for distance, found in ((2.0, True), (0.2, False)):
        seen = layers(10, ratio=0.01, distance=lambda _, distance=distance: distance)
        judged = judge_inside(high, samples=seen, recipe=recipe, experience=others(0.2))
        assert ("underfitting" in judged) is found


def test_weights_that_begin_at_zero_have_no_size_to_move_against():
    """Networks whose initial values are all zero: nothing is said of their steps, and nothing warned of."""
    losses = 0.9 + 0.1 * np.exp(-np.arange(16) / 3)
    recipe = {"learning_rate": 0.1, "optimizer": "adam", "initializer": "zeros"}
    found = judge_inside(losses, samples=layers(8, ratio=np.nan), recipe=recipe, experience=others(0.3))
    assert not {"learning_rate_too_large", "learning_rate_too_small"} & found.keys()


@pytest.mark.parametrize(
    ("recipe", "weights", "held"),
    [
        ({"dropout": 0.7, "hidden": (64, 64)}, 1.0, True),
        ({"dropout": 0.4, "hidden": (4, 4)}, 1.0, True),
        ({"dropout": 0.4, "hidden": (64, 64)}, 1.0, False),
        ({"l2": 0.05, "hidden": (64,)}, 3.0, True),
        ({"l2": 0.005, "hidden": (64,)}, 3.0, False),
    ],
)
def test_much_dropout_for_the_width_or_a_penalty_as_large_as_the_loss_is_too_strong(recipe, weights, held):
    losses, recipe = 0.6 + 0.4 * np.exp(-np.arange(30) / 3), {"learning_rate": 0.01, **recipe}
    seen = {"samples": layers(10, ratio=0.01), "recipe": recipe, "weights": weights}
    assert ("regularization_too_strong" in judge_inside(losses, **seen, experience=others(0.2))) is held
    assert "regularization_too_strong" not in judge_inside(losses, **seen, experience=others(0.58))


def test_a_study_tells_diagnosis_how_many_steps_there_were_and_what_others_reached(tmp_path):
    result, _ = run_quick(
        tmp_path,
        "study: still\nseed: 1\ndata: {source: sklearn/iris}\nmodel: {hidden: [8]}\n"
        "space: {epochs: 12, batch_size: 16, learning_rate: [1.0e-6, 0.05], optimizer: adam}\n"
        "sampler: grid\nbudget: {trials: 4}\n",
        seed=2,
    )
    slow = [fact for fact in result.facts if fact.params["learning_rate"] < 1e-3]
    fast = [fact.number for fact in result.facts if fact.params["learning_rate"] > 1e-3]
    told = [{finding.name: finding for finding in fact.findings} for fact in slow if fact.number > min(fast)]
    assert told
    assert all(0 < found["learning_rate_too_small"].evidence["moved"] < 0.01 for found in told)


def test_the_best_trial_is_known_however_many_came_after_it():
    """Ranges are read from the latest trials alone; what can be reached, from all."""
    experience = Experience()
    for _ in range(FEW):
        experience.add({"l2": 0.1}, 0.2)
    assert experience.better("l2", own=0.2, loss=0.9, higher=False) is not None
    for loss in (0.9,) * REMEMBERED:
        experience.add({"l2": 0.3}, loss)
    assert experience.better("l2", own=0.2, loss=0.9, higher=False) is None
    assert experience.best == 0.2
