"""A fact as an Optuna trial, and back: Optuna's own terms where it has them, user attributes elsewhere."""

from base64 import b64decode, b64encode
from dataclasses import asdict
from datetime import datetime, timedelta
from sys import intern
from typing import Any, Final

import numpy as np
from optuna.distributions import distribution_to_json, json_to_distribution
from optuna.trial import FrozenTrial, TrialState

from hpsearch.judgment.finding import Finding
from hpsearch.search.fact import State, TrialFact

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
        user_attrs=_attributes(fact),
        system_attrs={},
        intermediate_values=dict(enumerate(fact.curves.get(curve or "", ()), start=1)),
    )


def to_fact(trial: FrozenTrial) -> TrialFact:
    """The fact that a trial stands for.

    Raises:
        KeyError, TypeError, ValueError: the trial was not written by this package.
    """
    stored = trial.user_attrs
    sampled: dict[str, Any] = {**stored["fixed"], **trial.params}
    return TrialFact(
        number=trial.number,
        params={name: sampled[name] for name in stored["order"]},
        hyperparameters=stored["hyperparameters"],
        state=stored["state"],
        reason=stored["reason"],
        values=None if trial.state is not TrialState.COMPLETE else tuple(trial.values),
        curves={name: tuple(curve) for name, curve in stored["curves"].items()},
        scores=stored["scores"],
        findings=tuple(Finding.from_json(finding) for finding in stored["findings"]),
        verdict=stored["verdict"],
        started=stored["started"],
        seconds=stored["seconds"],
        # one string for all trials that were drawn from it
        distributions={
            name: intern(distribution_to_json(trial.distributions[name])) for name in trial.params
        },
        members=tuple(stored.get("members", ())),
        samples={name: tuple(curve) for name, curve in stored.get("samples", {}).items()},
        sample_losses=_unpacked(stored.get("sample_losses", "")),
    )


def _attributes(fact: TrialFact) -> dict[str, Any]:
    members = {"members": [dict(member) for member in fact.members]} if fact.members else {}
    samples = {name: list(curve) for name, curve in fact.samples.items()}
    return {
        **members,
        **({"samples": samples} if samples else {}),
        **({"sample_losses": _packed(fact.sample_losses)} if fact.sample_losses else {}),
        "state": fact.state,
        "reason": fact.reason,
        "verdict": fact.verdict,
        "order": list(fact.params),
        "fixed": {name: value for name, value in fact.params.items() if name not in fact.distributions},
        "hyperparameters": dict(fact.hyperparameters),
        "scores": dict(fact.scores),
        "findings": [_finding(finding) for finding in fact.findings],
        "started": float(fact.started),
        "seconds": float(fact.seconds),
        "curves": {name: list(curve) for name, curve in fact.curves.items()},
    }


def _packed(losses: tuple[float, ...]) -> str:
    """Float16 in base 64: three characters a row."""
    return b64encode(np.array(losses, dtype="<f2").tobytes()).decode("ascii")


def _unpacked(text: str) -> tuple[float, ...]:
    return tuple(np.frombuffer(b64decode(text), dtype="<f2").astype(np.float64).tolist())


def _finding(finding: Finding) -> dict[str, Any]:
    """As JSON, changes without what they leave open."""
    changes = [
        {key: value for key, value in asdict(change).items() if value is not None}
        for change in finding.changes
    ]
    return {**asdict(finding), "evidence": dict(finding.evidence), "changes": changes}
