"""How well diagnosis agrees with the labels: precision and recall for each finding, and their table in the docs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hpsearch.judgment.diagnosis import Finding, diagnose
from hpsearch.judgment.experience import Experience
from hpsearch.judgment.variation import Variation
from tests.support.labelled import Trial, stored
from tests.support.labels import LABELS, labels

PAGE = Path(__file__).parents[2] / "docs" / "diagnosis.md"
BEGIN, END = "<!-- agreement: written by `python -m tests.support.agreement` -->", "<!-- agreement end -->"

_HEADS = (
    *("by its curves: precision", "recall", "by experiment: precision", "recall"),
    *("deserved", "borderline"),
)


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


def findings(trial: Trial, *, examined: bool) -> tuple[Finding, ...]:
    """What diagnosis says of a stored trial, told of the trials before it; by its curves, or by its variations too."""
    experience = Experience()
    for earlier in trial["earlier"]:
        experience.add(earlier["recipe"], earlier["best"])
    return diagnose(
        trial["curves"],
        state=trial["state"],
        epochs_planned=trial["recipe"]["epochs"],
        baseline_loss=trial["baseline"],
        samples=trial["samples"],
        recipe=trial["recipe"],
        class_share=trial["class_share"],
        updates=-(-trial["rows"] // trial["recipe"]["batch_size"]),
        experience=experience,
        variations=[Variation(**each) for each in trial["variations"]] if examined else (),
    )[0]


def agreement(name: str, trials: Iterable[tuple[dict[str, bool | None], set[str]]]) -> Agreement:
    """Of one finding over some trials, each with its labels and the names of its findings."""
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    borderline = 0
    for deserves, found in trials:
        deserved = deserves[name]
        if deserved is None:
            borderline += 1
        else:
            counts[deserved, name in found] += 1
    return Agreement(
        hits=counts[True, True],
        false_alarms=counts[False, True],
        misses=counts[True, False],
        rightly_silent=counts[False, False],
        borderline=borderline,
    )


def agreements(trials: Iterable[Trial], *, examined: bool) -> dict[str, Agreement]:
    """Of every finding that has a label."""
    judged = [
        (labels(trial), {finding.name for finding in findings(trial, examined=examined)}) for trial in trials
    ]
    return {name: agreement(name, judged) for name in LABELS}


def table(trials: list[Trial]) -> list[str]:
    """Rows of Markdown, one a finding."""
    rows = [f"| finding | {' | '.join(_HEADS)} |", f"| --- |{' ---: |' * len(_HEADS)}"]
    by_curves, by_experiment = (agreements(trials, examined=examined) for examined in (False, True))
    for name in LABELS:
        judged = by_curves[name], by_experiment[name]
        cells = [_share(each) for a in judged for each in (a.precision, a.recall)]
        rows.append(
            f"| {name} | {' | '.join(cells)} | {judged[0].hits + judged[0].misses} | {judged[0].borderline} |"
        )
    return rows


def _share(value: float) -> str:
    return "-" if value != value else f"{value:.2f}"  # noqa: PLR0124 - NaN


def write() -> None:
    """Renew the table in the docs."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(before + BEGIN + "\n".join(["", *table(stored()), ""]) + END + after, encoding="utf-8")


if __name__ == "__main__":
    write()
