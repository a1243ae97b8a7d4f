"""`hpsearch nested`: how good what this search finds is, without the flattery of having been chosen."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from hpsearch.cli.options import Verb, store_option, study_argument
from hpsearch.cli.output import bring_to_mlflow, command_line, hint, json_option, print_json
from hpsearch.cli.run import code_option, stoppable, workers_option
from hpsearch.store import Store

if TYPE_CHECKING:
    from hpsearch.extensions import Code


@click.command(
    cls=Verb,
    short_help="Nested cross-validation: score the whole search.",
    examples=("hpsearch nested digits", "hpsearch nested digits --folds 10 --json"),
)
@study_argument
@store_option
@workers_option
@code_option
@click.option(
    "--folds",
    type=click.IntRange(2, 100),
    metavar="N",
    default=5,
    show_default=True,
    help="How many outer folds.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print only the scores.")
@json_option("study", "folds", "scores")
def nested(
    study: str, store: Store, workers: int, code: "Code", *, folds: int, quiet: bool, as_json: bool
) -> None:
    """Search anew on all but one of k outer folds of a STUDY's rows, for each fold, and score each winner on it.

    What comes out is the score to expect of what such a search finds: each winner is scored on rows that had no part in
    finding it, and the study's own test part stays sealed. It takes k times as long as the study. Stopped, it goes on
    where it was when it is called again.
    """
    from hpsearch.cli.live import LiveDisplay  # noqa: PLC0415 - help must not import rich
    from hpsearch.nested import run_nested  # noqa: PLC0415 - likewise numpy

    home = store.find(study)
    again = command_line("nested", home.key, "--folds", folds)
    with stoppable(lambda: "the folds' trials are kept", lambda: again):
        found = run_nested(
            home,
            store,
            folds=folds,
            workers=workers,
            watch=lambda: LiveDisplay(quiet=quiet),
            code=code,
        )
    bring_to_mlflow(store, home, otherwise="not written to the study's run")
    if as_json:
        print_json({"study": home.key, **found})
        return
    _print(home.key, found)
    hint("report", home.key)


def _print(study: str, found: Mapping[str, Any]) -> None:
    from hpsearch.cli.describe import console, number, plain_table, print_table  # noqa: PLC0415

    out, folds = console(), found["folds"]
    out.print(f"[bold]{study}[/]: {len(folds)} outer folds, {folds[0]['trials']} trials each\n")
    names = list(found["scores"])
    table = plain_table("search", "winner", *(name.replace("_", " ") for name in names), *folds[0]["params"])
    for fold in folds:
        scores = (number(fold["test"][name]) for name in names)
        values = (number(fold["params"].get(name, "")) for name in folds[0]["params"])
        table.add_row(fold["study"], f"trial-{fold['trial']:04d}", *scores, *values)
    print_table(out, table)
    table = plain_table("score", "mean", "standard error", "spread", "their own validation")
    for name, score in found["scores"].items():
        own = "" if score["validation"] is None else number(score["validation"])
        numbers = (number(score[key]) for key in ("mean", "error", "spread"))
        table.add_row(name.replace("_", " "), *numbers, own)
    out.print()
    print_table(out, table)
