"""What a study has shown, in sentences."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from hpsearch.judgment.finding import Finding
from hpsearch.judgment.metrics import direction
from hpsearch.judgment.sentences import counted, search_sentences
from hpsearch.report.material import Material
from hpsearch.report.style import words
from hpsearch.search.fact import TrialFact


@dataclass(frozen=True, slots=True)
class Symptom:
    """A finding that trials share: how many have it, and how the best of them shows it."""

    name: str
    count: int
    example: TrialFact
    finding: Finding


def summary(material: Material) -> list[str]:
    """The study in a few sentences, each a paragraph of its own."""
    return [
        sentence
        for part in (_search(material), _winner(material), _test(material), _health(material))
        for sentence in part
    ]


def together(material: Material) -> list[str]:
    """What the finished trials say as a whole: whether the best differ, what choosing flatters, where to go on."""
    return search_sentences(material.result, material.nested)


def symptoms(material: Material) -> list[Symptom]:
    """What the curves of the trials say, most frequent first; each with its best trial as the example."""
    order = {fact.number: place for place, fact in enumerate(material.best)}
    by_rank = sorted(material.facts, key=lambda fact: order.get(fact.number, len(order) + fact.number))
    counts = Counter(finding.name for fact in material.facts for finding in fact.findings)
    examples = {finding.name: (fact, finding) for fact in reversed(by_rank) for finding in fact.findings}
    return [Symptom(name, count, *examples[name]) for name, count in counts.most_common()]


def _search(material: Material) -> Iterator[str]:
    states = Counter(words(fact.state) for fact in material.facts)
    parts = ", ".join(f"{count} {state}" for state, count in states.most_common())
    seconds = sum(fact.seconds for fact in material.facts)
    epochs = sum(fact.epochs for fact in material.facts)
    yield (
        f"{counted(len(material.facts), 'trial')} ran: {parts}. Together they trained {epochs:,} epochs in "
        f"{_duration(seconds)} of training time, to {material.direction} {words(material.metric)}."
    )


def _winner(material: Material) -> Iterator[str]:
    winner = material.winner
    if winner is None or not winner.values:
        yield "No trial has finished, so there is nothing to recommend yet."
        return
    best, planned = winner.scores.get("best_epoch"), winner.hyperparameters.get("epochs")
    when = f", reached in epoch {best:.0f} of {planned}" if best else ""
    accuracy = winner.scores.get("best_validation_accuracy")
    also = f" (accuracy {accuracy:.4g})" if accuracy is not None else ""
    yield (
        f"The best is {winner.name}, with {words(material.metric)} {winner.values[0]:.4g}{also}{when}. "
        f"{' '.join(finding.sentence for finding in winner.findings[:1])}"
    ).strip()


def _test(material: Material) -> Iterator[str]:
    test = material.result.get("test")
    if not test and material.result:
        yield "The trainer shows no model, so the test part is still sealed."
        return
    if not test:
        yield "The winner has not been refitted yet; the test part is still sealed."
        return
    metric, score = next(iter(test.items()))
    rows = material.result["data"]["test_rows"]
    yield (
        f"Refitted on training and validation data, it has {words(metric)} {score['value']:.4g} on the "
        f"{rows:,} sealed test rows, looked at once (95% interval {score['low']:.4g} to {score['high']:.4g})."
        f"{''.join(_against(material, metric))}"
    )


def _against(material: Material, metric: str) -> Iterator[str]:
    score = material.result["test"][metric]
    for name, scores in material.result.get("baselines", {}).items():
        value = scores.get(metric)
        if value is None:
            continue
        sign = 1 if direction(metric) == "maximize" else -1
        if score["low"] <= value <= score["high"]:
            relation = "which this test part is too small to tell from it"
        elif sign * (score["value"] - value) > 0:
            relation = "clearly worse"
        else:
            relation = "clearly better: the network is not worth its trouble yet"
        yield f" The {name} baseline has {value:.4g}, {relation}."


def _health(material: Material) -> Iterator[str]:
    ill = [symptom for symptom in symptoms(material) if symptom.finding.severity in ("failure", "warning")]
    if ill:
        named = ", ".join(f"{words(symptom.name)} ({symptom.count})" for symptom in ill[:4])
        yield f"What went wrong most often: {named}. The section on findings says what to try."


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
