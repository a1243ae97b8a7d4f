"""How well diagnosis agrees with the labels: precision and recall for each finding, and their table in the docs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hpsearch.judgment.diagnosis import Finding, diagnose
from hpsearch.judgment.experience import Experience
from tests.support.labels import LABELS, Trial, label


@dataclass(frozen=True)
class Agreement:
    """Counts over the trials whose label is no borderline."""

    hits: int
    false_alarms: int
    misses: int
    rightly_silent: int
    borderline: int

    @property
    def precision(self) -> float:
        found = self.hits + self.false_alarms
        return self.hits / found if found else float("nan")

    @property
    def recall(self) -> float:
        deserved = self.hits + self.misses
        return self.hits / deserved if deserved else float("nan")


def findings(trial: Trial) -> tuple[Finding, ...]:
    """What diagnosis says of a stored trial, as the second of a study whose first was the reference network."""
    experience = Experience()
    experience.add({}, trial["truth"]["variants"]["reference"]["validation"])
    return diagnose(
        trial["curves"],
        state=trial["state"],
        epochs_planned=trial["recipe"]["epochs"],
        baseline_loss=trial["baseline"],
        samples=trial["samples"],
        recipe=trial["recipe"],
        class_share=trial["class_share"],
        experience=experience,
    )[0]


def agreement(name: str, trials: Iterable[Trial]) -> Agreement:
    """Of one finding over some trials."""
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    borderline = 0
    for trial in trials:
        deserved = label(name, trial)
        if deserved is None:
            borderline += 1
        else:
            counts[deserved, any(finding.name == name for finding in findings(trial))] += 1
    return Agreement(
        hits=counts[True, True],
        false_alarms=counts[False, True],
        misses=counts[True, False],
        rightly_silent=counts[False, False],
        borderline=borderline,
    )


def halves(trials: list[Any]) -> tuple[list[Any], list[Any]]:
    """The half that rules were developed on, and the half that was held out: even and odd numbers."""
    return [t for t in trials if t["number"] % 2 == 0], [t for t in trials if t["number"] % 2]


def table(trials: Iterable[Trial]) -> list[str]:
    """Rows of Markdown: one a finding."""
    trials = list(trials)
    rows = [
        "| finding | precision | recall | deserved | found | borderline |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in LABELS:
        a = agreement(name, trials)
        rows.append(
            f"| {name} | {a.precision:.2f} | {a.recall:.2f} | {a.hits + a.misses} | {a.hits + a.false_alarms} "
            f"| {a.borderline} |"
        )
    return rows
