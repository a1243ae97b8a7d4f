"""Numbers that expectations are about, each a function of what was run."""

from collections.abc import Callable, Iterable
from math import inf
from statistics import fmean

from hpsearch.search.fact import ParameterValue, TrialFact
from studies.expectation import Measure, Seen


def on_test(metric: str, study: str) -> Measure:
    """A score of the refitted winner on the test part; the mean over the study's runs."""
    return lambda seen: fmean(run.result["test"][metric]["value"] for run in seen[study])


def baseline(metric: str, study: str, model: str) -> Measure:
    """A baseline's score on the test part; the mean over the study's runs."""
    return lambda seen: fmean(run.result["baselines"][model][metric] for run in seen[study])


def lowest(curve: str, study: str, *, run: int = 0, **params: ParameterValue) -> Measure:
    """The lowest last value of a curve among the trials with these parameters."""
    return _over_trials(study, run, params, min, lambda fact: last(fact, curve))


def highest(curve: str, study: str, *, run: int = 0, **params: ParameterValue) -> Measure:
    """The highest last value of a curve among the trials with these parameters."""
    return _over_trials(study, run, params, max, lambda fact: last(fact, curve))


def after(epoch: int, curve: str, study: str, *, run: int = 0) -> Measure:
    """A curve's value after so many epochs, of a study's first trial."""
    return lambda seen: seen[study][run].facts[0].curves[curve][epoch - 1]


def epochs_until(curve: str, level: float, study: str, **params: ParameterValue) -> Measure:
    """The fewest epochs after which a falling curve was at a level, among the trials with these parameters."""
    return _over_trials(study, 0, params, min, lambda fact: first_below(fact.curves[curve], level))


def spread_of_members(name: str, study: str) -> Measure:
    """The largest over the smallest of a number over the networks of a study's first trial."""

    def measured(seen: Seen) -> float:
        values = [member[name] for member in seen[study][0].facts[0].members]
        return max(values) / min(values)

    return measured


def last(fact: TrialFact, curve: str) -> float:
    """A curve's last value; infinite for a trial that diverged before its first epoch ended."""
    return fact.curves[curve][-1] if fact.curves.get(curve) else inf


def first_below(curve: Iterable[float], level: float) -> float:
    """The first epoch, from 1, in which a curve was at a level or below; infinite if there was none."""
    return next((float(epoch) for epoch, value in enumerate(curve, start=1) if value <= level), inf)


def ratio(above: Measure, below: Measure) -> Measure:
    """One measure in units of another."""
    return lambda seen: above(seen) / below(seen)


def difference(one: Measure, other: Measure) -> Measure:
    """How much larger one measure is than another."""
    return lambda seen: one(seen) - other(seen)


def _over_trials(
    study: str,
    run: int,
    params: dict[str, ParameterValue],
    choose: Callable[[Iterable[float]], float],
    measure: Callable[[TrialFact], float],
) -> Measure:
    def measured(seen: Seen) -> float:
        return choose(measure(fact) for fact in seen[study][run].trials(**params))

    return measured
