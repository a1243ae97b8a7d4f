"""The labelled set: real trials of random searches on random tasks, each with what is known of it beyond its curves.

`python -m tests.support.labelled` makes tests/judgment/labelled.json.gz anew (twenty minutes). Every study trains the
`KNOWN` trials of a random space as a search trains them, of which only the recipes and losses are kept: what diagnosis
may know of a trial's neighbours. The `JUDGED` trials are the labelled ones. What each deserves is then found by
means that diagnosis does not have (`tests.support.truth`), and `tests.support.labels` draws the labels.
"""

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np

from hpsearch.engine import Inputs
from hpsearch.execution import CohortTask, Outcome, TrialTask, train_cohort
from hpsearch.execution.evaluation import EvaluationSet
from hpsearch.execution.executors import open_executor
from hpsearch.judgment.metrics import baseline_loss, largest_class
from hpsearch.judgment.variation import LONGER, Variation
from hpsearch.randomness import Address
from hpsearch.spec import EarlyStopping, Objective
from hpsearch.spec.hyperparameters import Hyperparameters
from hpsearch.upkeep.varying import Course, varied
from tests.support.problems import PLAIN, SLOW, Problem, Space, problem, stored_recipe
from tests.support.truth import reference, short, truth

PLACE = Path(__file__).parents[1] / "judgment" / "labelled.json.gz"
Trial = Mapping[str, Any]


def studies() -> list[int]:
    """Twice a hundred as they come, and a hundred of those in which plateaus may be met.

    These are chosen by their tasks and spaces, before anything is trained.
    """
    return [
        number
        for first in (8000, 9000)
        for number in (*range(first, first + 100), *islice(filter(_may_stand_still, count(first + 100)), 100))
    ]


def _may_stand_still(study: int) -> bool:
    """Whether its task is one of signs, or its space slow to start, and there is something to learn."""
    kind = problem(study).kind
    slow = all(getattr(Space.draw(study, kind), name) == value for name, value in SLOW.items())
    return kind == "signs" or (slow and kind not in ("chance", "rare"))


JUDGED = range(12, 18)
KNOWN = (*range(JUDGED.start), *range(JUDGED.stop, 36))
"""Places in a study's random search. Any thirty other trials serve as what is known before one is judged."""


def study(number: int) -> dict[str, Any]:
    """A study: what its first trials came to, and its labelled trials."""
    given = problem(number)
    space = Space.draw(number, given.kind)
    unit = baseline_loss(given.data.validation.y, task=given.data.task, loss=given.loss)
    known = []
    for place in KNOWN:
        h = space.sample(number, place, given.loss)
        known.append(_summary(h, outcome_of(given, h, _address(number, place)), unit))
    return {
        "study": number,
        "problem": given.kind,
        "loss": given.loss,
        "baseline": unit,
        "class_share": largest_class(given.data),
        "rows": len(given.data.train),
        "reference": reference(given, number),
        "known": known,
        "trials": [trial(given, space, number, place, unit) for place in JUDGED],
    }


def trial(given: Problem, space: Space, study: int, place: int, unit: float) -> dict[str, Any]:
    """One trial: what a search keeps of it (`curves`, `samples`, ...) and the truth about it."""
    h = space.sample(study, place, given.loss)
    outcome = outcome_of(given, h, _address(study, place))
    return {
        **_summary(h, outcome, unit),
        "state": {"finished": "complete", "diverged": "diverged"}[outcome.verdict.value],
        "curves": {name: short(curve, 4) for name, curve in outcome.curves.items()},
        "samples": {name: list(curve) for name, curve in outcome.samples.items()},
        "variations": variations(given, h, _address(study, place), unit),
        "truth": truth(given, h, _address(study, place).trial),
    }


def variations(given: Problem, h: Hyperparameters, address: Address, unit: float) -> list[dict[str, Any]]:
    """What `hpsearch why` tries of a trial; of all but the longer training, only the losses that rules look at."""
    course = Course(
        objectives=(Objective(),),
        early_stopping=EarlyStopping(patience=None),
        inputs=Inputs(shape=given.data.train.x.shape[1:]),
        outputs=given.data.task.outputs(h.loss),
    )
    with open_executor(given.data, seed=0, workers=1) as pool:
        _, tried = varied(h, address, lambda *_: (), course, pool, baseline=unit)
    return [_shortened(each) for each in tried]


def _shortened(variation: Variation) -> dict[str, Any]:
    curves = {"train_loss": (variation.end,), "validation_loss": (variation.least,)}
    kept = variation.curves if variation.name == LONGER else curves
    rounded = {name: short(curve, 4) for name, curve in kept.items()}
    return replace(variation, curves=rounded, value=None).to_json()


def outcome_of(given: Problem, h: Hyperparameters, address: Address) -> Outcome:
    """A trial as a search trains it."""
    task = CohortTask(
        trials=(
            TrialTask(
                number=address.trial,
                hyperparameters=h,
                address=address,
                thresholds=np.full(h.epochs, np.nan),
            ),
        ),
        objectives=(Objective(),),
        early_stopping=EarlyStopping(patience=None),
    )
    [outcome] = train_cohort(task, given.data, evaluation=EvaluationSet.draw(given.data, 0))
    return outcome


def _address(study: int, place: int) -> Address:
    return Address(seed=0, trial=100 * study + place)


def _summary(h: Hyperparameters, outcome: Outcome, unit: float) -> dict[str, Any]:
    """The recipe and the least validation loss, in units of a constant guess's."""
    [best] = short([min(outcome.curves["validation_loss"], default=np.nan) / unit], 4)
    return {"recipe": stored_recipe(h), "best": best}


def make(place: Path, studies: Iterable[int]) -> None:
    """Add studies to a file of one a line, but for those that it has."""
    there = (
        {json.loads(line)["study"] for line in place.read_text().splitlines()} if place.exists() else set()
    )
    with place.open("a") as file, np.errstate(all="ignore"):
        for number in studies:
            if number not in there:
                file.write(json.dumps(study(number), separators=(",", ":")) + "\n")
                file.flush()


def pack(lines: Path) -> None:
    """Make the file of the tests from one of a study a line."""
    studies = sorted(map(json.loads, lines.read_text().splitlines()), key=lambda each: each["study"])
    with gzip.GzipFile(PLACE, "wb", mtime=0) as file:
        file.write(json.dumps(studies, separators=(",", ":")).encode())


def stored() -> list[Trial]:
    """The labelled trials, each with what its study says of it and `earlier`: the trials before it."""
    found = []
    for study in json.loads(gzip.decompress(PLACE.read_bytes())):
        common = {name: value for name, value in study.items() if name not in ("known", "trials")}
        trials = [
            {**each, "recipe": {**PLAIN, **each["recipe"]}} for each in study["known"] + study["trials"]
        ]
        found += [
            {**common, **trials[place], "earlier": trials[:place]} for place in range(len(KNOWN), len(trials))
        ]
    return found


if __name__ == "__main__":
    lines = PLACE.with_name("labelled.jsonl")
    make(lines, studies())
    pack(lines)
    lines.unlink()
