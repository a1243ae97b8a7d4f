"""From an outcome to a fact: what training gave, judged and named, as it is stored for good."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from hpsearch.execution import Outcome
from hpsearch.judgment.diagnosis import diagnose
from hpsearch.judgment.experience import Experience
from hpsearch.judgment.experiments import BY_EXPERIMENT
from hpsearch.judgment.finding import Finding
from hpsearch.judgment.general import of_any_model
from hpsearch.judgment.scores import objective_value, spread, summary
from hpsearch.judgment.stopping import Verdict
from hpsearch.judgment.variation import Variation
from hpsearch.search.fact import State, TrialFact
from hpsearch.search.proposals import Proposal
from hpsearch.spec import Objective, StudySpec
from hpsearch.spec.hyperparameters import Hyperparameters, ParameterValue

STATES: Final[dict[Verdict, State]] = {
    Verdict.FINISHED: "complete",
    Verdict.CONVERGED: "stopped_early",
    Verdict.PRUNED: "pruned",
    Verdict.DIVERGED: "diverged",
    Verdict.FAILED: "failed",
}
"""The state of a trial by how its training ended."""

_IN_ITS_WORDS: Final = BY_EXPERIMENT.keys() - {"overfitting"}
"""Findings that speak in the parameters that were varied, which a trainer of one's own has as well."""


def retire(
    proposal: Proposal,
    hyperparameters: Hyperparameters,
    outcome: Outcome,
    *,
    spec: StudySpec,
    baseline_loss: float,
    class_share: float | None = None,
    rows: int | None = None,
    experience: Experience | None = None,
    begun: str | None = None,
) -> TrialFact:
    """The fact of one trained trial.

    `baseline_loss` is what a constant guess reaches on the validation part, `class_share` the share of its most
    frequent class, `rows` how many samples a network learns from, `experience` what earlier trials came to; `begun`
    says from which trained weights its network began.
    """
    state = STATES[outcome.verdict]
    finished = state in ("complete", "stopped_early")
    scores: dict[str, float] = {}
    if outcome.curves:
        scores = summary(outcome.curves, best_epoch=outcome.best_epoch)
    scores |= {f"best_validation_{name}": value for name, value in outcome.scores.items()}
    scores |= spread(outcome.members)
    if outcome.weights:
        scores["weights"] = float(outcome.weights)
    recipe = _recipe(hyperparameters, begun)
    findings, verdict = judge(
        outcome,
        hyperparameters,
        recipe=recipe,
        spec=spec,
        baseline_loss=baseline_loss,
        class_share=class_share,
        rows=rows,
        experience=experience,
    )
    return TrialFact(
        number=proposal.number,
        params=proposal.params,
        hyperparameters=recipe,
        state=state,
        reason=_reason(state, outcome, hyperparameters, spec),
        values=tuple(value_of(objective, outcome) for objective in spec.objectives) if finished else None,
        curves=_stored_curves(outcome),
        scores=scores,
        findings=findings,
        verdict=verdict,
        started=outcome.started,
        seconds=outcome.seconds,
        distributions=proposal.distributions,
        members=outcome.members,
        samples=outcome.samples,
        sample_losses=outcome.sample_losses,
    )


def judge(
    outcome: Outcome,
    h: Hyperparameters,
    *,
    recipe: Mapping[str, ParameterValue | list[int]],
    spec: StudySpec,
    baseline_loss: float,
    class_share: float | None = None,
    rows: int | None = None,
    experience: Experience | None = None,
    variations: Sequence[Variation] = (),
) -> tuple[tuple[Finding, ...], str]:
    """What an outcome shows, and the verdict: see `diagnose`, and `retire` for the arguments.

    Of a trainer of one's own the advice is in its parameters where these were varied, else such as holds for any model.
    """
    findings, verdict = diagnose(
        outcome.curves,
        state=STATES[outcome.verdict],
        epochs_planned=h.epochs,
        baseline_loss=baseline_loss,
        samples=outcome.samples,
        recipe=recipe,
        class_share=class_share,
        updates=None if rows is None else -(-rows // h.batch_size),
        experience=experience,
        variations=variations,
    )
    if h.own is not None:
        varied = _IN_ITS_WORDS if variations else ()
        findings = tuple(each if each.name in varied else of_any_model(each, spec.space) for each in findings)
    return findings, verdict


def _recipe(h: Hyperparameters, begun: str | None) -> dict[str, ParameterValue | list[int]]:
    """The whole recipe; of a network with layers of all kinds, these in place of `hidden`; of a trainer, its own.

    Strengths of augmentation are `augment.shift` and so on, widths of embedded columns `embedding.city` or `embedding`.
    """
    if h.own is not None:
        return {**dict(h.own), "epochs": h.epochs}
    recipe: dict[str, ParameterValue | list[int]] = {**asdict(h), "hidden": list(h.hidden)}
    del recipe["layers"], recipe["augment"], recipe["embedding"], recipe["own"]
    if h.layers is not None:
        del recipe["hidden"]
        recipe["layers"] = ", ".join(layer.words() for layer in h.layers)
    if begun is not None:
        recipe["initialize_from"] = begun
    recipe |= {f"augment.{name}": strength for name, strength in h.augment}
    return recipe | {f"embedding.{name}" if name else "embedding": units for name, units in h.embedding}


def value_of(objective: Objective, outcome: Outcome) -> float:
    """An objective's value of what was trained, whether or not it came to its end."""
    if objective.metric == "weights":
        return float(outcome.weights)
    return objective_value(outcome.curves, objective)


def _stored_curves(outcome: Outcome) -> dict[str, tuple[float, ...]]:
    """The curves, with the plateau schedule's factors where there were any: a refit needs them."""
    curves = dict(outcome.curves)
    if any(factor != 1.0 for factor in outcome.plateau_factors):
        curves["plateau_factor"] = outcome.plateau_factors
    return curves


def _reason(state: State, outcome: Outcome, hyperparameters: Hyperparameters, spec: StudySpec) -> str:
    metric = spec.objectives[0].metric
    trained = max(map(len, outcome.curves.values()), default=0)
    last = outcome.curves[metric][-1] if trained else float("nan")
    match state:
        case "complete" if trained < hyperparameters.epochs:
            return f"its trainer came to an end after {trained} epochs; best at epoch {outcome.best_epoch}"
        case "complete":
            return f"trained all {hyperparameters.epochs} epochs; best at epoch {outcome.best_epoch}"
        case "stopped_early":
            return (
                f"{metric} gained no more than {spec.early_stopping.min_delta:g} in "
                f"{spec.early_stopping.patience} epochs; best at epoch {outcome.best_epoch} of {trained} trained"
            )
        case "pruned":
            return (
                f"after epoch {trained} its best {metric} fell behind the earlier trials "
                f"({spec.pruning.rule} rule; {metric} {last:.4g})"
            )
        case "diverged":
            return f"the loss or the weights stopped being finite numbers in epoch {trained}"
        case "failed":
            return outcome.error or "could not be trained"
