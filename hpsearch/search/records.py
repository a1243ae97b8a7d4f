"""A fact as an Optuna trial, and back: Optuna's own terms where it has them, user attributes elsewhere."""

from datetime import datetime, timedelta
from sys import intern
from typing import Final

from optuna.distributions import distribution_to_json, json_to_distribution
from optuna.trial import FrozenTrial, TrialState

from hpsearch.search.fact import State, TrialFact
from hpsearch.search.stored import attributes_of, fact_of

_STATES: Final[dict[State, TrialState]] = {
    "complete": TrialState.COMPLETE,
    "stopped_early": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "diverged": TrialState.FAIL,
    "failed": TrialState.FAIL,
}


def to_trial(fact: TrialFact, *, curve: str | None) -> FrozenTrial:
    """The trial that stands for a fact; its intermediate values are the named curve, from step 1.

    Optuna's params are the sampled ones; fixed ones have no distribution and stand in the user attributes.
    """
    started = datetime.fromtimestamp(fact.started).astimezone()
    return FrozenTrial(
        number=fact.number,
        trial_id=fact.number,
        state=_STATES[fact.state],
        value=None,
        values=list(fact.values) if fact.finished and fact.values is not None else None,
        datetime_start=started,
        datetime_complete=started + timedelta(seconds=fact.seconds),
        params={name: fact.params[name] for name in fact.distributions},
        distributions={name: json_to_distribution(json) for name, json in fact.distributions.items()},
        user_attrs=attributes_of(fact),
        system_attrs={},
        intermediate_values=dict(enumerate(fact.curves.get(curve or "", ()), start=1)),
    )


def to_fact(trial: FrozenTrial) -> TrialFact:
    """The fact that a trial stands for.

    Raises:
        KeyError, TypeError, ValueError: the trial was not written by this package.
    """
    return fact_of(
        trial.user_attrs,
        number=trial.number,
        sampled=trial.params,
        # one string for all trials that were drawn from it
        distributions={
            name: intern(distribution_to_json(trial.distributions[name])) for name in trial.params
        },
        values=None if trial.state is not TrialState.COMPLETE else trial.values,
    )
