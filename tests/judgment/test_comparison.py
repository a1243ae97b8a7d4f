"""Whether trials differ: paired tests, and how far the best of many is flattered."""

import numpy as np
import pytest

from hpsearch.judgment.comparison import leaders, optimism, paired_members
from hpsearch.judgment.sample_losses import sample_losses, wrong


def rows(means, n=400, seed=0, own=0.1):
    """Losses of trials on the same rows: rows differ much, trials little."""
    rng = np.random.default_rng(seed)
    hard = rng.exponential(1.0, n)
    return [hard + mean + own * rng.standard_normal(n) for mean in means]


def test_trials_that_differ_less_than_by_chance_lead_together():
    found = leaders(rows([0.0, 0.001, 0.002, 0.2, 0.3]))
    assert (found.same, found.compared) == (3, 5)
    assert found.p_values[2] < 0.001 < found.p_values[0]


def test_a_clear_winner_leads_alone_and_a_single_trial_too():
    assert leaders(rows([0.0, 0.1, 0.2])).same == 1
    assert leaders(rows([0.0])).same == 1


def test_equal_trials_are_rarely_told_apart():
    """At 5%, corrected for nineteen comparisons: in at most a few of a hundred studies is anything found."""
    alone = 0
    for seed in range(100):
        losses = rows([0.0] * 20, n=100, seed=seed)
        best_first = sorted(losses, key=np.mean)
        alone += leaders(best_first).same == 1
    assert alone == 0


def test_identical_trials_cannot_be_told_apart():
    losses = rows([0.0])[0]
    assert leaders([losses, losses, losses]).same == 3


def test_optimism_is_what_choosing_adds_and_grows_with_the_number_of_equal_trials():
    stream = np.random.default_rng(0)
    few, many = (optimism(rows([0.0] * n, n=60, own=1.0), np.random.default_rng(0)) for n in (2, 50))
    assert 0 < few < many
    truth = np.mean(
        [-min(np.mean(r) for r in rows([0.0] * 50, n=60, own=1.0, seed=s)) + 1.0 for s in range(1, 40)]
    )
    assert many == pytest.approx(truth, abs=0.15)
    assert abs(optimism(rows([0.0, 5.0], n=2000), stream)) < 0.02


def test_members_are_compared_pair_by_pair():
    best = [0.1, 0.2, 0.3, 0.4, 0.5]
    assert paired_members(best, [loss + 0.01 for loss in best]) == pytest.approx(1 / 32)
    assert paired_members(best, best) == 1.0
    assert paired_members(best, [0.2, 0.1, 0.4, 0.3, 0.5]) > 0.3


def test_losses_of_rows_average_to_the_loss():
    from hpsearch.engine import evaluate

    rng = np.random.default_rng(0)
    outputs, y = rng.standard_normal((50, 3)).astype(np.float32), rng.integers(3, size=50).astype(np.int32)
    mean = evaluate("cross_entropy", outputs[None], y)[0]
    assert sample_losses(outputs, y, loss="cross_entropy").mean() == pytest.approx(mean, rel=1e-9)
    assert wrong(outputs, y, loss="cross_entropy").mean() == pytest.approx(
        np.mean(outputs.argmax(axis=1) != y)
    )


def test_a_trial_that_ran_away_is_worse_and_disturbs_nobody():
    """Losses that half precision cannot hold are infinite: in one trial, in two, in all."""
    endless = [np.inf] * 10 + [1.0] * 390
    sound = rows([0.0, 0.001])
    assert leaders([*sound, endless, endless]).same == 2
    assert leaders([endless, endless]).same == 2
    assert np.isfinite(optimism([*sound, endless], np.random.default_rng(0)))
