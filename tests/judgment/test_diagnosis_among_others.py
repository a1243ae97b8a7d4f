"""Findings that rest on what was seen inside a network, and on what the study's other trials came to."""

import numpy as np
import pytest

from hpsearch.judgment.diagnosis import diagnose
from hpsearch.judgment.experience import Experience
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


def layers(looks, *, ratio, gradient=1.0):
    names = ("1 dense", "2 dense")
    return {f"update_ratio/{name}": (ratio,) * looks for name in names} | {
        f"gradient_norm/{name}": (gradient,) * looks for name in names
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
