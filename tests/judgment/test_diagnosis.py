"""Each finding in both directions: curves built to deserve it have it, healthy ones of every kind have none.

The curves are made from a simple picture of learning (decay to a floor, a gap, noise), not from the rules.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.judgment.diagnosis import diagnose

BASELINES = [np.log(2), np.log(10), 1.0, 2500.0]


def judge(train, validation, *, baseline=1.0, state="complete", planned=None, rate=0.01, gradient=None):
    """Diagnose losses given in units of the baseline; (names, verdict, findings)."""
    n = len(train)
    curves = {
        "train_loss": tuple(np.multiply(train, baseline)),
        "validation_loss": tuple(np.multiply(validation, baseline)),
        "learning_rate": (rate,) * n,
        "gradient_norm": tuple(np.linspace(1, 0.1, n) if gradient is None else gradient),
    }
    findings, verdict = diagnose(curves, state=state, epochs_planned=planned or n, baseline_loss=baseline)
    return {finding.name for finding in findings}, verdict, findings


def decay(n, *, scale, floor, start=1.0):
    return floor + (start - floor) * np.exp(-np.arange(n) / scale)


def noise(n, size, seed=0):
    return size * np.random.default_rng(seed).normal(size=n)


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("n", [10, 30, 100])
@pytest.mark.parametrize("floor", [0.01, 0.1, 0.4])
@pytest.mark.parametrize("seed", range(4))
def test_learning_that_comes_down_and_settles_is_healthy(baseline, n, floor, seed):
    train = decay(n, scale=n / 10, floor=floor) * (1 + noise(n, 0.02, seed))
    validation = decay(n, scale=n / 10, floor=floor * 1.15) * (1 + noise(n, 0.02, seed + 9))
    names, verdict, findings = judge(train, validation, baseline=baseline)
    assert names <= {"healthy", "budget_wasted"}
    assert verdict in names
    assert findings[0].severity in ("good", "hint")


@pytest.mark.parametrize("baseline", BASELINES)
def test_a_validation_loss_that_rises_while_training_goes_on_falling_is_overfitting(baseline):
    n = 40
    train = decay(n, scale=5, floor=0.0)
    validation = decay(n, scale=5, floor=0.2) + 0.01 * np.maximum(np.arange(n) - 14, 0)
    _, verdict, findings = judge(train, validation, baseline=baseline)
    assert verdict == "overfitting"
    assert abs(findings[0].evidence["since_epoch"] - (validation.argmin() + 1)) <= 1


def test_a_validation_loss_that_stays_far_above_the_training_loss_is_overfitting():
    """20 samples and a large network: the training loss is gone at once, the validation loss stays."""
    _, verdict, _ = judge(decay(40, scale=2, floor=0.0), decay(40, scale=2, floor=0.7))
    assert verdict == "overfitting"


def test_patience_running_out_by_noise_is_no_overfitting():
    train = decay(20, scale=3, floor=0.05)
    validation = np.append(
        decay(15, scale=3, floor=0.07), 0.07 + np.array([0.01, 0.008, 0.012, 0.009, 0.011])
    )
    assert judge(train, validation, state="stopped_early", planned=50)[1] == "healthy"


def test_a_training_loss_that_levels_off_high_is_underfitting():
    names, verdict, _ = judge(decay(30, scale=3, floor=0.7), decay(30, scale=3, floor=0.72))
    assert (names, verdict) == ({"underfitting", "budget_wasted"}, "underfitting")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("n", [1, 2, 8])
def test_a_loss_that_is_not_finite_is_divergence_and_names_the_epoch(bad, n):
    losses = [*np.linspace(1, 2, n - 1), bad]
    _, verdict, findings = judge(losses, losses, state="diverged")
    assert verdict == "diverged"
    assert findings[0].evidence["epoch"] == n
    assert "0.0003 to 0.003 instead of 0.01" in findings[0].advice


def test_a_finite_loss_far_above_a_constant_guess_is_divergence():
    assert judge([900, 1500, 1200, 2000], [900, 1500, 1200, 2000])[1] == "diverged"


def test_a_bad_start_that_comes_down_is_no_divergence():
    assert (
        judge(decay(30, scale=2, floor=0.1, start=20), decay(30, scale=2, floor=0.12, start=20))[1]
        == "healthy"
    )


def test_a_loss_that_goes_up_and_down_more_than_it_falls_is_a_learning_rate_too_large():
    n = 20
    losses = 0.6 + 0.25 * (-1.0) ** np.arange(n) + noise(n, 0.05)
    _, verdict, findings = judge(losses, losses + 0.02)
    assert verdict == "learning_rate_too_large"
    assert findings[0].severity == "warning"
    assert findings[0].evidence["swing"] > findings[0].evidence["decrease"]
    assert "0.001 to 0.003" in findings[0].advice


def test_an_oscillation_in_which_nothing_is_learned_is_a_failure():
    losses = 1.5 + 0.3 * (-1.0) ** np.arange(20)
    names, verdict, findings = judge(losses, losses)
    assert verdict == "learning_rate_too_large"
    assert findings[0].severity == "failure"
    assert "at_chance" in names


def test_noise_on_a_long_descent_is_no_oscillation():
    """Summed over 80 epochs the small rises exceed the whole descent; each is small against it."""
    n = 80
    train = decay(n, scale=20, floor=0.3) + noise(n, 0.04)
    assert "learning_rate_too_large" not in judge(train, train + 0.05)[0]
    assert np.maximum(np.diff(train), 0).sum() > train[0] - train.min()


def test_what_was_gained_and_lost_again_is_a_learning_rate_too_large():
    losses = [0.97, 1.0, 0.92, 0.88, 0.9, 1.01, 1.01, 1.02]
    assert judge(losses, losses)[1] == "learning_rate_too_large"


@pytest.mark.parametrize(("size", "advice"), [(0.0005, "0.1 to 1 "), (0.008, "0.0001 to 0.001 ")])
def test_at_chance_a_still_loss_wants_a_larger_rate_and_a_jumping_one_a_smaller(size, advice):
    losses = 1.1 + noise(30, size)
    _, verdict, findings = judge(losses, losses)
    assert verdict == "at_chance"
    assert advice in findings[0].advice


def test_a_loss_that_comes_down_from_above_a_constant_guess_is_not_yet_at_chance():
    losses = np.linspace(2.6, 1.05, 20)
    assert "at_chance" not in judge(losses, losses + 0.1)[0]


def test_a_loss_that_creeps_down_in_a_straight_line_is_a_learning_rate_too_small():
    n = 25
    names, verdict, findings = judge(decay(n, scale=150, floor=0.05), decay(n, scale=150, floor=0.06))
    assert verdict == "learning_rate_too_small"
    assert "0.03 to 0.3" in findings[0].advice
    assert "underfitting" not in names


def test_a_pruned_trial_is_told_that_it_crept():
    losses = decay(8, scale=200, floor=0.0)
    assert judge(losses, losses, state="pruned", planned=50)[1] == "learning_rate_too_small"


@pytest.mark.parametrize("n", [3, 10, 60])
@pytest.mark.parametrize("baseline", BASELINES)
def test_losses_that_stay_at_a_constant_guess_are_at_chance(n, baseline):
    names, verdict, _ = judge(1 + noise(n, 0.002), 1.003 + noise(n, 0.002, 1), baseline=baseline)
    assert (names - {"budget_wasted"}, verdict) == ({"at_chance"}, "at_chance")


def test_permuted_labels_are_at_chance_however_well_they_are_memorized():
    names, verdict, findings = judge(decay(30, scale=5, floor=0.0), 1 + 0.05 * np.arange(30))
    assert verdict == "at_chance"
    assert "overfitting" in names
    assert "does not carry over" in findings[0].sentence


@pytest.mark.parametrize("n", [2, 4, 12, 40])
def test_a_validation_loss_still_falling_at_the_last_epoch_is_still_improving(n):
    losses = decay(n, scale=max(n / 3, 2), floor=0.0)
    names, verdict, _ = judge(losses, losses + 0.02)
    assert (names, verdict) == ({"still_improving"}, "still_improving")


@pytest.mark.parametrize("state", ["pruned", "stopped_early"])
def test_only_a_trial_that_trained_all_epochs_can_have_stopped_too_early(state):
    losses = decay(12, scale=4, floor=0.0)
    assert judge(losses, losses + 0.02, state=state, planned=50)[1] == "healthy"


def test_a_loss_that_stands_still_and_then_falls_was_on_a_plateau():
    losses = np.concatenate([np.full(15, 0.95), decay(40, scale=4, floor=0.05, start=0.95)])
    names, verdict, findings = judge(losses + noise(55, 0.001), losses + 0.02)
    assert (names, verdict) == ({"plateau"}, "plateau")
    assert findings[0].evidence["last_epoch"] == pytest.approx(16, abs=1)


def test_a_loss_that_swings_above_its_least_is_on_no_plateau():
    losses = np.concatenate([[0.9], 1.4 + noise(30, 0.1), decay(12, scale=2, floor=0.3, start=0.9)])
    assert "plateau" not in judge(losses, losses)[0]


def test_a_loss_that_goes_up_and_down_to_the_end_oscillates():
    swinging = decay(24, scale=4, floor=0.4) + 0.1 * (-1.0) ** np.arange(24)
    names, _, findings = judge(swinging, swinging + 0.02)
    assert "oscillation" in names
    found = next(finding for finding in findings if finding.name == "oscillation")
    assert found.evidence["swing"] == pytest.approx(0.2, abs=0.02)
    assert "rose 5 and fell 6 times" in found.sentence
    assert "cosine" in found.advice


@pytest.mark.parametrize("size", [0.0, 0.01, 0.02])
def test_a_loss_that_trembles_or_settles_does_not_oscillate(size):
    trembling = decay(24, scale=4, floor=0.4) + size * (-1.0) ** np.arange(24)
    settled = decay(24, scale=4, floor=0.4) + 0.1 * (-1.0) ** np.arange(24) * (np.arange(24) < 11)
    for losses in (trembling, settled):
        assert "oscillation" not in judge(losses, losses + 0.02)[0]


def test_a_gradient_of_nearly_nothing_with_the_loss_still_there_has_vanished():
    names, verdict, findings = judge(1 + noise(20, 1e-4), 1 + noise(20, 1e-4, 1), gradient=np.full(20, 1e-6))
    assert (names - {"budget_wasted"}, verdict) == (
        {"vanishing_gradients", "at_chance"},
        "vanishing_gradients",
    )
    assert "relu" in findings[0].advice


def test_a_gradient_that_is_small_because_all_is_learned_has_not_vanished():
    names, *_ = judge(
        decay(40, scale=3, floor=0.001),
        decay(40, scale=3, floor=0.01),
        gradient=10.0 ** -np.linspace(0, 6, 40),
    )
    assert names <= {"healthy", "budget_wasted"}


@pytest.mark.parametrize("peak", [1e4, np.inf, np.nan])
def test_a_gradient_that_jumps_as_the_loss_rises_explodes(peak):
    losses = [1.0, 0.8, 0.7, 0.6, 2.5]
    names, verdict, findings = judge(losses, losses, gradient=[1.0, 1.1, 0.9, 1.0, peak])
    assert verdict == "exploding_gradients"
    assert findings[0].evidence["epoch"] == 5
    assert "clip_norm" in findings[0].advice
    assert len(names) == 1


def test_divergence_with_an_exploding_gradient_shows_both():
    losses = [1.0, 2.0, np.nan]
    names, verdict, _ = judge(losses, losses, state="diverged", gradient=[1.0, 40.0, np.nan])
    assert (names, verdict) == ({"diverged", "exploding_gradients"}, "diverged")


@pytest.mark.parametrize("state", ["pruned", "complete"])
def test_one_epoch_is_too_few_to_say_anything(state):
    assert judge([0.9], [0.9], state=state, planned=20)[1] == "too_short"


def test_a_trial_without_curves_has_its_state_for_a_verdict():
    assert diagnose({}, state="failed", epochs_planned=5, baseline_loss=1.0) == ((), "failed")


def test_losses_alone_are_enough():
    curve = tuple(decay(20, scale=2, floor=0.1))
    losses = {"train_loss": curve, "validation_loss": curve}
    assert diagnose(losses, state="complete", epochs_planned=20, baseline_loss=1.0)[1] == "healthy"


@given(seed=st.integers(0, 2**32 - 1))
def test_any_curves_get_a_verdict_with_sentences_and_finite_evidence(seed):
    """Short, long, wild, broken off: never an error or a warning, the verdict is the first finding's name."""
    stream = np.random.default_rng(seed)
    n = int(stream.integers(1, 40))
    losses = np.exp(np.cumsum(stream.normal(-0.1, stream.choice([0.01, 0.3, 3]), size=(2, n)), axis=1))
    gradient = np.exp(stream.normal(0, 3, size=n))
    state = str(stream.choice(["complete", "stopped_early", "pruned", "diverged"]))
    if state == "diverged":
        losses[:, -1] = stream.choice([np.nan, np.inf, 1e300])
        gradient[-1] = stream.choice([np.nan, np.inf, 1e300])
    baseline = float(stream.choice([0.0, 1.0, np.nan, 7.0]))
    curves = {"train_loss": losses[0], "validation_loss": losses[1], "gradient_norm": gradient}
    curves = {name: tuple(curve) for name, curve in curves.items()}
    findings, verdict = diagnose(curves, state=state, epochs_planned=n, baseline_loss=baseline)
    assert verdict == findings[0].name
    severities = ["failure", "warning", "hint", "good"]
    ranks = [severities.index(finding.severity) for finding in findings]
    assert ranks == sorted(ranks)
    assert len({finding.name for finding in findings}) == len(findings)
    for finding in findings:
        assert finding.sentence.endswith(".")
        assert finding.advice
        assert all(np.isfinite(value) for value in finding.evidence.values())
        assert "nan" not in finding.sentence.split()


@pytest.mark.parametrize(
    ("train", "validation", "said"),
    [
        (
            [0.9, 0.5, 0.2, 0.1, 0.05],
            [0.9, 0.5, 0.25, 0.2, 0.201],
            "The validation loss came down to 20.0% of a constant guess's in epoch 4, the training loss to 10.0%.",
        ),
        (
            [0.9, 0.6, 0.4],
            [0.9, 0.6, 0.45],
            "The validation loss fell by 25% in the last of 3 epochs: as many epochs again may take off 59%.",
        ),
        (
            [0.5, 0.6, 0.9],
            [1.0, 1.1, 1.2],
            "The training loss rose in 2 of 2 epochs, in sum by 40% of a constant guess's loss, and never came down.",
        ),
        (
            [0.9, 0.864, 0.862, 0.861, 0.86],
            [0.9, 0.9, 1.0, 1.1, 1.2],
            (
                "Since epoch 1 the validation loss has risen from 90.0% to 110.0% of a constant guess's, while the "
                "training loss fell from 90.0% to 86.0%."
            ),
        ),
    ],
)
def test_sentences_say_numbers_in_shares_of_a_constant_guess(train, validation, said):
    findings, _ = diagnose(
        {"train_loss": train, "validation_loss": validation, "learning_rate": [0.01] * len(train)},
        state="complete",
        epochs_planned=len(train),
        baseline_loss=1.0,
    )
    assert said in [finding.sentence for finding in findings]
