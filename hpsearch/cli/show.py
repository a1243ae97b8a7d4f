"""`hpsearch show` and `hpsearch compare`: single trials, with all that is known of them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

from hpsearch.cli.completion import studies
from hpsearch.cli.options import Verb, store_option, study_argument
from hpsearch.cli.output import hint, json_option, print_json
from hpsearch.errors import UnknownTrialError
from hpsearch.store import Store, StudyHome

if TYPE_CHECKING:
    from rich.console import Console

    from hpsearch.search.fact import TrialFact
    from hpsearch.search.reader import Reader

_MARKS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 40

TRIAL_KEYS: Final = (
    *(
        "name",
        "number",
        "params",
        "hyperparameters",
        "state",
        "reason",
        "values",
        "curves",
        "scores",
        "findings",
    ),
    *("verdict", "started", "seconds", "distributions", "members", "samples", "sample_losses", "variations"),
)
"""The keys of a trial as JSON."""


@click.command(
    cls=Verb,
    short_help="Show one trial: parameters, curves, findings.",
    examples=("hpsearch show digits", "hpsearch show digits 17", "hpsearch show digits 17 --json"),
)
@study_argument
@click.argument("trial", metavar="[TRIAL]", required=False)
@store_option
@json_option("study", *TRIAL_KEYS)
def show(study: str, trial: str | None, store: Store, *, as_json: bool) -> None:
    """Show a TRIAL of a STUDY, by its number (17) or name (trial-0017); the best one unless one is named."""
    home = store.find(study)
    stored, facts = _opened(home)
    fact = trial_of(home, facts, trial) if trial else _best(home, stored, facts)
    if as_json:
        print_json({"study": home.key, "name": fact.name, **asdict(fact)})
        return
    _print_trial(home, fact, stored)
    if fact.has_losses and not fact.variations:
        hint("why", home.key, fact.number)
    else:
        hint("compare", f"{home.key}/{fact.number}", f"{home.key}/{0 if fact.number else 1}")


@click.command(
    cls=Verb,
    short_help="Compare two trials, or two studies' best.",
    examples=(
        "hpsearch compare digits/17 digits/4",
        "hpsearch compare digits digits~1",
    ),
)
@click.argument("one", metavar="A", shell_complete=studies)
@click.argument("other", metavar="B", shell_complete=studies)
@store_option
@json_option("a", "b", "states", "verdicts", "values", "params", "same", "scores")
def compare(one: str, other: str, store: Store, *, as_json: bool) -> None:
    """Compare A with B, each a trial (STUDY/NUMBER) or a study, which stands for its best trial.

    Parameters that differ come first, then the scores with their difference.
    """
    facts = [_named(store, name) for name in (one, other)]
    table = _differences(*facts)
    if as_json:
        print_json({"a": _label(one, facts[0]), "b": _label(other, facts[1]), **table})
        return
    _print_comparison(one, other, facts, table)
    hint("show", one.partition("/")[0], facts[0].number)


def find_trial(home: StudyHome, number: int | None) -> "TrialFact":
    """A finished trial by its number, the best one for None.

    Raises:
        UnknownTrialError: there is none, or it has not finished.
    """
    stored, facts = _opened(home)
    fact = _best(home, stored, facts) if number is None else trial_of(home, facts, str(number))
    if not fact.finished:
        raise UnknownTrialError(
            f"{home.key}/{fact.number} has not finished: it is {fact.state.replace('_', ' ')}"
        )
    return fact


def _opened(home: StudyHome) -> "tuple[Reader, list[TrialFact]]":
    from hpsearch.reading import open_for_reading  # noqa: PLC0415 - not for --help

    stored = open_for_reading(home)
    return stored, stored.facts()


def _best(home: StudyHome, stored: "Reader", facts: "Sequence[TrialFact]") -> "TrialFact":
    from hpsearch.reading import best_trial  # noqa: PLC0415 - likewise

    return best_trial(facts, stored.directions, study=home.key)


def trial_of(home: StudyHome, facts: "Sequence[TrialFact]", written: str) -> "TrialFact":
    """The trial of a number or a name.

    Raises:
        UnknownTrialError: the study has none.
    """
    number = written.removeprefix("trial-")
    if not number.isdecimal() or int(number) >= len(facts):
        there = f"trials 0 to {len(facts) - 1}" if facts else "no trials yet"
        raise UnknownTrialError(f"study {home.key!r} has no trial {written!r}; it has {there}")
    return facts[int(number)]


def _named(store: Store, written: str) -> "TrialFact":
    study, _, trial = written.partition("/")
    home = store.find(study)
    stored, facts = _opened(home)
    return trial_of(home, facts, trial) if trial else _best(home, stored, facts)


def _label(written: str, fact: "TrialFact") -> str:
    return f"{written.partition('/')[0]}/{fact.number}"


def _print_trial(home: StudyHome, fact: "TrialFact", stored: "Reader") -> None:
    from rich.markup import escape  # noqa: PLC0415

    from hpsearch.cli.describe import console, number, plain_table  # noqa: PLC0415

    out = console()
    out.print(f"[bold]{home.key}/{fact.number}[/] {fact.state.replace('_', ' ')}: {escape(fact.reason)}")
    table = plain_table("parameter", "value")
    for name, value in fact.params.items():
        table.add_row(escape(name), escape(number(value)))
    out.print(table)
    scores = plain_table("score", "value")
    for name, value in fact.scores.items():
        scores.add_row(name.replace("_", " "), number(value))
    out.print(scores)
    curves = plain_table("curve", "first", "last", "least", "greatest", "by epoch")
    for name, curve in fact.curves.items():
        if curve:
            ends = (curve[0], curve[-1], min(curve), max(curve))
            curves.add_row(name.replace("_", " "), *map(number, ends), sparkline(curve))
    out.print(curves)
    if fact.members:
        out.print(f"{len(fact.members)} networks (folds and seeds); scores are their means")
    print_findings(out, fact)
    print_variations(out, fact, stored)
    out.print(f"trained {fact.epochs} epochs in {fact.seconds:.3g} s")


def print_findings(out: "Console", fact: "TrialFact") -> None:
    """What is wrong with a trial, and what to try."""
    from rich.markup import escape  # noqa: PLC0415

    for finding in fact.findings:
        out.print(
            f"[bold]{finding.name.replace('_', ' ')}[/] ({finding.severity}): {escape(finding.sentence)}"
        )
        if finding.advice:
            out.print(f"  {escape(finding.advice)}")


def print_variations(out: "Console", fact: "TrialFact", stored: "Reader") -> None:
    """What was tried of an examined trial, and the best of it; nothing of another."""
    from rich.markup import escape  # noqa: PLC0415

    from hpsearch.cli.describe import number, plain_table, print_table  # noqa: PLC0415
    from hpsearch.judgment.sentences import best_variation  # noqa: PLC0415
    from hpsearch.judgment.variation import rows_of  # noqa: PLC0415
    from hpsearch.reading import first_metric  # noqa: PLC0415

    if not fact.variations:
        return
    metric = first_metric(stored.attributes)
    head, *rows = rows_of(fact.variations, metric)
    table = plain_table(*map(str, head))
    for row in rows:
        table.add_row(*("" if cell is None else escape(number(cell)) for cell in row))
    print_table(out, table)
    out.print(escape(best_variation(fact.variations, metric.replace("_", " "), stored.directions[0])))


def sparkline(curve: Sequence[float]) -> str:
    """A curve as a line of blocks, at most forty; blanks where it is no number."""
    from math import isfinite  # noqa: PLC0415

    picked = [curve[i * len(curve) // min(_WIDTH, len(curve))] for i in range(min(_WIDTH, len(curve)))]
    known = [value for value in picked if isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    span = (high - low) or 1.0
    return "".join(
        _MARKS[round((value - low) / span * (len(_MARKS) - 1))] if isfinite(value) else " "
        for value in picked
    )


def _differences(one: "TrialFact", other: "TrialFact") -> dict[str, Any]:
    params = list(dict.fromkeys([*one.params, *other.params]))
    scores = [name for name in one.scores if name in other.scores]
    return {
        "states": [one.state, other.state],
        "verdicts": [one.verdict, other.verdict],
        "values": [one.values, other.values],
        "params": {
            name: [one.params.get(name), other.params.get(name)]
            for name in params
            if one.params.get(name) != other.params.get(name)
            or (name in one.params) != (name in other.params)
        },
        "same": {name: one.params[name] for name in one.params if one.params[name] == other.params.get(name)},
        "scores": {name: [one.scores[name], other.scores[name]] for name in scores},
    }


def _print_comparison(one: str, other: str, facts: "Sequence[TrialFact]", table: dict[str, Any]) -> None:
    from rich.markup import escape  # noqa: PLC0415

    from hpsearch.cli.describe import console, number, plain_table  # noqa: PLC0415

    out = console()
    rows = plain_table("", escape(_label(one, facts[0])), escape(_label(other, facts[1])), "difference")
    rows.add_row("state", *(state.replace("_", " ") for state in table["states"]), "")
    rows.add_row("verdict", *(verdict.replace("_", " ") for verdict in table["verdicts"]), "")
    for name, (a, b) in table["params"].items():
        rows.add_row(escape(name), *(escape(number(value)) for value in (a, b)), "")
    for name, (a, b) in table["scores"].items():
        rows.add_row(name.replace("_", " "), number(a), number(b), f"{b - a:+.4g}")
    out.print(rows)
    if table["same"]:
        alike = ", ".join(f"{name} {number(value)}" for name, value in table["same"].items())
        out.print(f"the same in both: {escape(alike)}")
