"""`hpsearch preview`: the first trials are those of the run; time and memory are foretold within a factor of 2."""

import json

import pandas as pd
import pytest

from hpsearch.engine.default_networks import width_by_rule
from hpsearch.fit import prepare_study
from hpsearch.preview import course_of
from hpsearch.spec import parse_study
from tests.support.estimates import CASES, compare
from tests.support.studies import QUICK, cli_here, run_quick

WIDTHS = """
study: widths
data: {source: sklearn/iris}
space: {depth: [1, 2], width: [4, 64], epochs: 3, learning_rate: 0.01}
sampler: grid
early_stopping: none
budget: {trials: 10}
"""


def test_the_trials_shown_are_those_that_the_run_begins_with(tmp_path):
    """As many as the sampler proposes without knowledge; nothing is stored."""
    (tmp_path / "quick.yaml").write_text(QUICK)
    done = cli_here("preview", "quick.yaml", "--workers", "1", "--json", "--proposals", "9", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["quick.yaml"]
    shown = json.loads(done.stdout)["proposals"]
    result, _ = run_quick(tmp_path / "mlruns", budget__trials=4)
    assert [each["params"] for each in shown] == [dict(fact.params) for fact in result.facts]


def test_networks_time_and_memory_are_shown_and_what_to_type_next(tmp_path):
    """The smallest and the largest network; of a finite space, as many trials as it has."""
    (tmp_path / "widths.yaml").write_text(WIDTHS)
    done = cli_here("preview", "widths.yaml", "-S", "seed=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for words in (
        "widths: all 4 trials, by grid",
        "the smallest network with depth: 1, width: 4",
        "the largest network with depth: 2, width: 64",
        "time    about",
        "for 4 trials on",
        "memory  about",
    ):
        assert words in done.stdout
    assert done.stderr == "Next: hpsearch run widths.yaml -S seed=2\n"


def test_the_networks_that_are_timed_have_the_vectors_of_categories(tmp_path):
    """They take memory and updates; a sample only looks them up."""
    towns = [f"town{row % 60}" for row in range(240)]
    pd.DataFrame({"town": towns, "size": range(240), "price": range(240)}).to_csv(
        tmp_path / "t.csv", index=False
    )
    text = "study: towns\ndata: {source: t.csv, target: price, preprocess: {categorical: %s}}\nbudget: {trials: 1}"
    efforts = {}
    for how in ("embedding", "ordinal"):
        spec = parse_study(text % how, base=tmp_path)
        course = course_of(spec, prepare_study(spec), workers=1)
        efforts[how] = course.effort(course.cohorts[0])
    width = width_by_rule(60)
    numbers = 61 * width + (width - 1) * spec.resolve({}, default_loss="mse").hidden[0]
    assert efforts["embedding"].update - efforts["ordinal"].update == pytest.approx(10 * numbers, abs=10 * 64)
    assert efforts["embedding"].sample - efforts["ordinal"].sample < 10 * numbers


def test_no_estimate_is_made_of_a_study_that_cannot_be_run(tmp_path):
    (tmp_path / "wrong.yaml").write_text("study: wrong\ndata: {source: sklearn/iris}\nspace: {epoch: 3}\n")
    done = cli_here("preview", "wrong.yaml", cwd=tmp_path)
    assert (done.returncode, "did you mean 'epochs'?" in done.stderr) == (2, True)


def test_what_code_of_ones_own_costs_is_not_foretold(tmp_path):
    (tmp_path / "own.yaml").write_text(
        "study: own\ndata: {source: sklearn/iris}\ntrainer: my:train\nspace: {a: 1}\n"
    )
    done = cli_here("preview", "own.yaml", cwd=tmp_path)
    assert (done.returncode, "own.yaml:3: trainer: is code of yours" in done.stderr) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_time_and_memory_are_foretold_within_a_factor_of_2(tmp_path, name):
    """Processor time, and memory of all processes, of a real preview and of the real run right after it."""
    estimate, taken = compare(name, tmp_path)
    assert estimate["processor"] / 2 < taken.processor < estimate["processor"] * 2
    assert estimate["memory"] / 2 < taken.memory < estimate["memory"] * 2
    assert estimate["seconds"] <= estimate["at_most"]


def test_a_budget_in_time_bounds_the_estimate():
    """What is trained is cut; what comes before and after it is not."""
    from hpsearch.fit import prepare_study
    from hpsearch.preview import calibrate, course_of, estimate

    spec = parse_study(QUICK, overrides=["budget.trials=100000"])
    data = prepare_study(spec)
    measured = calibrate(course := course_of(spec, data, workers=1))
    whole = estimate(course, measured, workers=1, preparing=0.0)
    limited = parse_study(QUICK, overrides=["budget.trials=100000", "budget.time=60s"])
    cut = estimate(course_of(limited, data, workers=1), measured, workers=1, preparing=0.0)
    assert whole.seconds > 600 > cut.seconds
