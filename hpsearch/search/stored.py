"""A fact as the JSON values that are stored of it, beside the parameters that a sampler drew; and back.

Neither NumPy nor Optuna is imported: whoever only reads facts pays for neither.
"""

import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from hpsearch.judgment.finding import Finding
from hpsearch.search.fact import ParameterValue, TrialFact

CURVE: Final = "objective_curve"
"""The study's attribute that names the curve of Optuna's intermediate values."""


def attributes_of(fact: TrialFact) -> dict[str, Any]:
    """What is stored of a rounded fact beside its sampled parameters, its values and its number."""
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
        "findings": findings_json(fact.findings),
        "started": float(fact.started),
        "seconds": float(fact.seconds),
        "curves": {name: list(curve) for name, curve in fact.curves.items()},
    }


def fact_of(
    stored: Mapping[str, Any],
    *,
    number: int,
    sampled: Mapping[str, ParameterValue],
    distributions: Mapping[str, str],
    values: Sequence[float] | None,
) -> TrialFact:
    """The fact whose `attributes_of` are `stored`.

    Raises:
        KeyError, TypeError, ValueError: they are not what this package writes.
    """
    params: dict[str, Any] = {**stored["fixed"], **sampled}
    return TrialFact(
        number=number,
        params={name: params[name] for name in stored["order"]},
        hyperparameters=stored["hyperparameters"],
        state=stored["state"],
        reason=stored["reason"],
        values=None if values is None else tuple(values),
        curves={name: tuple(curve) for name, curve in stored["curves"].items()},
        scores=stored["scores"],
        findings=tuple(Finding.from_json(finding) for finding in stored["findings"]),
        verdict=stored["verdict"],
        started=stored["started"],
        seconds=stored["seconds"],
        distributions=distributions,
        members=tuple(stored.get("members", ())),
        samples={name: tuple(curve) for name, curve in stored.get("samples", {}).items()},
        sample_losses=_unpacked(stored.get("sample_losses", "")),
    )


def _packed(losses: Sequence[float]) -> str:
    """Float16 in base 64: three characters a row."""
    return b64encode(struct.pack(f"<{len(losses)}e", *losses)).decode("ascii")


def _unpacked(text: str) -> tuple[float, ...]:
    packed = b64decode(text)
    try:
        return struct.unpack(f"<{len(packed) // 2}e", packed)
    except struct.error as error:
        raise ValueError(str(error)) from error


def findings_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings as JSON values, of which `Finding.from_json` makes equal ones."""
    return list(map(_finding, findings))


def _finding(finding: Finding) -> dict[str, Any]:
    """As JSON, changes without what they leave open."""
    changes = [
        {key: value for key, value in asdict(change).items() if value is not None}
        for change in finding.changes
    ]
    return {**asdict(finding), "evidence": dict(finding.evidence), "changes": changes}
