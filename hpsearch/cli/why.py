"""`hpsearch why`: what is wrong with a trial, found by changing one thing of it at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from hpsearch.cli.options import Verb, store_option, study_argument
from hpsearch.cli.output import bring_to_mlflow, command_line, hint, json_option, print_json
from hpsearch.cli.run import code_option, stoppable, workers_option
from hpsearch.errors import InputError
from hpsearch.store import Store, StudyHome

if TYPE_CHECKING:
    from hpsearch.extensions import Code
    from hpsearch.search.fact import TrialFact
    from hpsearch.search.reader import Reader


@click.command(
    cls=Verb,
    short_help="Change one thing of a trial at a time: what is wrong?",
    examples=(
        "hpsearch why digits",
        "hpsearch why digits 17 4",
        "hpsearch why digits --top 5",
        "hpsearch why digits --all --json",
    ),
)
@study_argument
@click.argument("trials", metavar="[TRIAL]...", nargs=-1)
@store_option
@workers_option
@code_option
@click.option("--top", type=click.IntRange(1), metavar="N", help="The N best trials.")
@click.option("--all", "everything", is_flag=True, help="Every trial that has been trained.")
@click.option("--again", is_flag=True, help="Train those too that have been looked into already.")
@json_option("study", "trials")
def why(
    study: str,
    trials: tuple[str, ...],
    store: Store,
    workers: int,
    code: "Code",
    *,
    top: int | None,
    everything: bool,
    again: bool,
    as_json: bool,
) -> None:
    """Train TRIALs of a STUDY again with one thing changed at a time, and say what that shows.

    Without a TRIAL it is the best one.

    Other seeds and learning rates, no regularization, twice the epochs; wider layers where the training loss stays
    high; narrower ones, more dropout and more l2 against overfitting. On the trial's own training and validation rows:
    the test part stays sealed. Findings and verdict of the trial are from then on those of the experiment, here, in the
    report and in MLflow. It takes 10 to 17 trainings of the trial, one of them twice as long.
    """
    home = store.find(study)
    stored, chosen = _chosen(home, trials, top=top, everything=everything)
    todo = [fact for fact in chosen if again or not fact.variations]
    found: dict[int, TrialFact] = {}

    def goes_on() -> str:
        left = [fact.number for fact in chosen if not again or fact.number not in found]
        parts = ["--again", *left] if again else ["--top", top] if top else ["--all"] if everything else left
        return command_line("why", home.key, *parts)

    with stoppable(lambda: "what was found is kept", goes_on):
        for fact in _examined(home, stored, todo, store, workers=workers, code=code):
            found[fact.number] = fact
    if found:
        bring_to_mlflow(store, home, otherwise="not written to MLflow")
    shown = [found.get(fact.number, fact) for fact in chosen]
    if as_json:
        print_json({"study": home.key, "trials": [_as_json(fact) for fact in shown]})
        return
    for fact in shown:
        _print(home.key, fact, stored)
    hint("show", home.key, shown[0].number)


def _chosen(
    home: StudyHome, trials: Sequence[str], *, top: int | None, everything: bool
) -> "tuple[Reader, list[TrialFact]]":
    """The trials that are asked for.

    Raises:
        InputError: they are asked for in more than one way, or one of them has no losses to be judged by.
    """
    from hpsearch.cli.show import trial_of  # noqa: PLC0415 - likewise
    from hpsearch.reading import best_trial, open_for_reading  # noqa: PLC0415 - not for --help
    from hpsearch.search.ranking import ranked  # noqa: PLC0415

    if bool(trials) + (top is not None) + everything > 1:
        raise click.UsageError("name trials, or --top N, or --all: one of them")
    stored = open_for_reading(home)
    facts = stored.facts()
    if trials:
        numbers = dict.fromkeys(trial_of(home, facts, written).number for written in trials)
        chosen = [facts[number] for number in numbers]
    elif everything and facts:
        chosen = [fact for fact in facts if fact.has_losses] or facts[:1]
    else:
        best_trial(facts, stored.directions, study=home.key)
        chosen = ranked(facts, stored.directions)[: top or 1]
    if hindrances := [_hindrance(fact) for fact in chosen if not fact.has_losses]:
        raise InputError(f"{'; '.join(hindrances)}; name others, or see `hpsearch retry`")
    return stored, chosen


def _hindrance(fact: "TrialFact") -> str:
    """Why a trial without losses cannot be looked into."""
    if fact.curves:
        return f"{fact.name} has no train_loss and validation_loss to judge it by"
    return f"{fact.name} could not be trained: {' '.join(fact.reason.split())}"


def _examined(
    home: StudyHome,
    stored: "Reader",
    todo: "Sequence[TrialFact]",
    store: Store,
    *,
    workers: int,
    code: "Code",
) -> "Iterator[TrialFact]":
    """Train the trials' variations and keep what they say, trial by trial."""
    from hpsearch.search.examined import keep, make_place  # noqa: PLC0415 - not for --help
    from hpsearch.upkeep.continuation import stored_spec  # noqa: PLC0415 - optuna
    from hpsearch.upkeep.varying import examine  # noqa: PLC0415 - numpy

    if not todo:
        return
    make_place(home)
    numbers = [fact.number for fact in todo]

    def begin(fact: "TrialFact") -> None:
        place = f" ({numbers.index(fact.number) + 1} of {len(todo)})" if len(todo) > 1 else ""
        click.echo(f"training {fact.name} again, with one thing changed at a time{place}", err=True)

    for fact in examine(
        todo, stored, stored_spec(home), store, workers=workers, code=code, notice=_notice, begin=begin
    ):
        keep(home, fact)
        yield fact


def _notice(text: str) -> None:
    click.echo(f"warning: {text}", err=True)


def _as_json(fact: "TrialFact") -> dict[str, Any]:
    return {
        "name": fact.name,
        "number": fact.number,
        "verdict": fact.verdict,
        "findings": [asdict(finding) for finding in fact.findings],
        "variations": [variation.to_json() for variation in fact.variations],
    }


def _print(study: str, fact: "TrialFact", stored: "Reader") -> None:
    from hpsearch.cli.describe import console  # noqa: PLC0415
    from hpsearch.cli.show import print_findings, print_variations  # noqa: PLC0415

    out = console()
    out.print(f"[bold]{study}/{fact.number}[/] verdict: {fact.verdict.replace('_', ' ')}")
    print_variations(out, fact, stored)
    print_findings(out, fact)
