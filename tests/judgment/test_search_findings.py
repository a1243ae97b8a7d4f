"""What a search's trials say together: each finding in both directions."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from hpsearch.judgment.experience import Experience
from hpsearch.judgment.prospects import prospects
from hpsearch.judgment.search_findings import Table, judge_search
from hpsearch.spec import Choice, Fixed, Range
from hpsearch.spec.splitting import SplitSpec

SPACE = {
    "learning_rate": Range(min=1e-4, max=0.1, log=True),
    "dropout": Range(min=0.0, max=0.5),
    "batch_size": Choice(values=(16, 32, 64, 128)),
    "epochs": Fixed(value=10),
}


def table(loss, n=100, seed=0, errors=np.nan, noise=0.01):
    rng = np.random.default_rng(seed)
    params = [
        {
            "learning_rate": float(10 ** rng.uniform(-4, -1)),
            "dropout": float(rng.uniform(0, 0.5)),
            "batch_size": int(rng.choice([16, 32, 64, 128])),
            "epochs": 10,
        }
        for _ in range(n)
    ]
    losses = np.array([loss(p) for p in params]) + noise * rng.standard_normal(n)
    return Table(losses=losses, errors=np.full(n, errors), params=params, space=SPACE)


def bowl(place):
    """Least where the learning rate is 10 to the `place`."""
    return lambda p: (np.log10(p["learning_rate"]) - place) ** 2


def names(found):
    return {finding.name for finding in found}


@pytest.mark.parametrize(("place", "way", "reaches"), [(-1, "higher", 1.0), (-4, "lower", 1e-5)])
def test_best_trials_at_the_end_of_a_range_widen_it(place, way, reaches):
    found = [f for f in judge_search(table(bowl(place))) if f.name == "best_at_edge"]
    assert [(f.changes[0].parameter, f.changes[0].way) for f in found] == [("learning_rate", way)]
    assert (found[0].changes[0].high if way == "higher" else found[0].changes[0].low) == pytest.approx(
        reaches
    )
    assert "learning_rate with m" in found[0].advice


def test_beyond_listed_values_lies_the_next_by_their_ratio():
    larger, smaller = (
        next(f for f in judge_search(table(loss)) if f.name == "best_at_edge")
        for loss in (lambda p: -np.log(p["batch_size"]), lambda p: np.log(p["batch_size"]))
    )
    assert larger.advice == "Add 256 to the values of batch_size."
    assert (smaller.advice, smaller.changes[0].low) == ("Add 8 to the values of batch_size.", 8)


def test_best_trials_in_the_middle_of_all_ranges_widen_none():
    assert "best_at_edge" not in names(
        judge_search(table(lambda p: bowl(-2.5)(p) + 9 * (p["dropout"] - 0.25) ** 2))
    )


def test_there_is_nothing_below_no_dropout():
    assert "best_at_edge" not in names(judge_search(table(lambda p: p["dropout"])))


def test_a_search_that_found_its_best_early_is_exhausted_and_one_that_still_gains_is_not():
    settled, gaining = table(bowl(-2.5)), table(bowl(-2.5))
    early = Table(losses=np.sort(settled.losses), errors=settled.errors, params=settled.params, space=SPACE)
    assert "search_exhausted" in names(judge_search(early))
    falling = Table(losses=np.linspace(2, 1, 100), errors=gaining.errors, params=gaining.params, space=SPACE)
    [found] = [f for f in judge_search(falling) if f.name == "search_improving"]
    assert found.evidence["more_trials"] >= 100
    assert found.changes[0].parameter == "budget.trials"


SEARCHES = json.loads((Path(__file__).parent / "random_searches.json").read_text())


@pytest.mark.parametrize("name", SEARCHES)
def test_what_more_trials_may_gain_is_right_on_average_and_seldom_more_than_the_bound(name):
    """On losses of 400 real networks, drawn at random from a space: searches of 20 and of 80, then as many again."""
    losses, stream = np.array(SEARCHES[name]), np.random.default_rng(1)
    expected, gained, held = [], [], []
    for n in [20, 80] * 60:
        drawn = stream.permutation(losses)[: 2 * n]
        found = prospects(drawn[:n])
        expected.append(found.expected)
        gained.append(drawn[:n].min() - drawn.min())
        held.append(gained[-1] <= found.at_most)
    assert 0.6 < np.mean(expected) / np.mean(gained) < 1.7
    assert np.mean(held) > 0.88


def test_more_trials_are_asked_for_of_all_not_of_the_finished_ones_and_no_more_than_as_many_again():
    space = table(bowl(-2.5))
    falling = {"losses": np.linspace(2, 1, 100), "errors": space.errors, "params": space.params}
    [found] = [
        f for f in judge_search(Table(**falling, space=SPACE, trials=250)) if f.name == "search_improving"
    ]
    assert "budget.trials: 500" in found.advice
    assert found.evidence["more_trials"] == 250
    assert 0 < found.evidence["expected"] < found.evidence["at_most"]


def test_a_gain_below_what_choosing_the_best_flatters_by_is_none():
    space, losses = table(bowl(-2.5)), np.linspace(2, 1, 100)
    falling = {"losses": losses, "errors": space.errors, "params": space.params, "space": SPACE}
    assert "search_improving" in names(judge_search(Table(**falling, flattery=0.1)))
    assert "search_exhausted" in names(judge_search(Table(**falling, flattery=0.6)))


def test_errors_as_large_as_the_spread_of_good_trials_are_noise():
    noisy = table(lambda _p: 1.0, errors=0.1, noise=0.1)
    [found] = [f for f in judge_search(noisy) if f.name == "validation_noise"]
    assert found.evidence["indistinguishable"] >= 10
    for key in re.findall(r"data\.split\.(\w+)", found.advice + found.changes[0].parameter):
        assert key in SplitSpec.model_fields
    assert found.changes[0].parameter == "data.split.seeds"
    assert "validation_noise" not in names(judge_search(table(bowl(-2.5), errors=0.01)))


def test_few_trials_say_nothing():
    assert judge_search(table(bowl(-1), n=4)) == ()


def test_importance_belongs_to_what_decides_and_is_certain_of_it():
    found = table(bowl(-2.0), n=200).importances
    assert next(iter(found)) == "learning_rate"
    assert found["learning_rate"].low > 0.3
    assert found["batch_size"].high < 0.1
    assert "epochs" not in found


@pytest.mark.parametrize("seed", range(5))
def test_what_did_not_matter_is_named_and_what_did_is_not(seed):
    found = [
        f for f in judge_search(table(bowl(-2.5), n=300, seed=seed)) if f.name == "parameter_without_effect"
    ]
    told = {f.changes[0].parameter for f in found}
    assert "learning_rate" not in told
    assert told


def test_experience_gives_the_range_in_which_others_did_better():
    experience = Experience()
    for number in range(20):
        rate = 10 ** (-4 + number * 0.15)
        experience.add({"learning_rate": rate}, 0.2 if 1e-3 <= rate <= 1e-2 else 0.9)
    better = experience.better("learning_rate", own=0.1, loss=0.9, higher=False)
    assert 1e-3 <= better.low < better.high <= 1e-2
    assert better.trials >= 3
    assert better.ratio == pytest.approx(0.2 / 0.9)
    assert experience.better("learning_rate", own=0.1, loss=0.9, higher=True) is None
    assert experience.better("learning_rate", own=0.1, loss=0.2, higher=False) is None
    assert experience.best == 0.2
