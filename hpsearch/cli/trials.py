"""`hpsearch trials`: the trials of a study as a table."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from hpsearch.cli.options import Verb, store_option, study_argument
from hpsearch.cli.output import hint, json_option, print_json
from hpsearch.cli.show import TRIAL_KEYS
from hpsearch.store import Store

if TYPE_CHECKING:
    from hpsearch.search.fact import TrialFact


@click.command(
    cls=Verb,
    short_help="List a study's trials.",
    examples=(
        "hpsearch trials digits --top 10",
        "hpsearch trials digits --filter state=complete --filter 'learning_rate<0.01' --sort -best_validation_accuracy",
        "hpsearch trials digits --columns trial,objective,dropout,verdict",
        "hpsearch trials digits --json | jq '.[0].params'",
    ),
)
@study_argument
@store_option
@json_option(*TRIAL_KEYS, form="a list of objects")
@click.option(
    "--top", type=click.IntRange(min=1), metavar="N", help="Only the first N, the best unless sorted."
)
@click.option("--sort", metavar="COLUMN", help="By a column, least first; -COLUMN: greatest first.")
@click.option(
    "--filter",
    "-F",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Only trials with COLUMN<VALUE (or <= > >= = !=; ~ for a part of a text); may be repeated.",
)
@click.option("--columns", metavar="NAMES", help="The columns to show, by commas; `all` shows every one.")
def trials(
    study: str,
    store: Store,
    *,
    as_json: bool,
    top: int | None,
    sort: str | None,
    conditions: tuple[str, ...],
    columns: str | None,
) -> None:
    """List the trials of a STUDY: finished ones first, by the objective, then the others.

    Columns are trial, number, state, objective, gap, epochs, seconds, verdict, reason, and every metric, parameter and
    score by its name. With --columns, --json gives the columns' values; without, all that is stored, curves too.
    """
    from hpsearch.reading import metrics_of_study, open_for_reading  # noqa: PLC0415 - not for --help
    from hpsearch.search.ranking import pareto_front, ranked  # noqa: PLC0415
    from hpsearch.trial_table import check_columns, filtered, ordered, rows_of  # noqa: PLC0415

    home = store.find(study)
    stored = open_for_reading(home)
    facts, metrics = stored.facts(), metrics_of_study(stored.attributes)
    best_first = ranked(facts, stored.directions)
    by_number = {fact.number: fact for fact in facts}
    rows = filtered(rows_of(best_first + [fact for fact in facts if not fact.finished], metrics), conditions)
    rows = (rows if sort is None else ordered(rows, sort))[:top]
    names = None if columns is None else _names(columns, rows)
    if names is not None:
        check_columns(rows, names, option="--columns")
    if as_json:
        shown = [by_number[row["number"]] for row in rows]
        print_json(
            [_as_json(fact) for fact in shown] if names is None else [_only(row, names) for row in rows]
        )
        return
    if names is not None:
        _print_columns(rows, names)
    else:
        front = {fact.number for fact in pareto_front(facts, stored.directions)} if metrics[1:] else None
        _print_table([by_number[row["number"]] for row in rows], metrics, front)
    _say_how_many(len(rows), len(facts), len(best_first))
    for fact in (best_first or facts)[:1]:
        hint("show", home.key, fact.number)


def _say_how_many(shown: int, total: int, finished: int) -> None:
    from hpsearch.judgment.sentences import counted  # noqa: PLC0415

    some = f"{shown:,} of " if shown < total else ""
    click.echo(f"{some}{counted(total, 'trial')}, {finished} finished.", err=True)


def _as_json(fact: "TrialFact") -> dict[str, Any]:
    return {"name": fact.name, **asdict(fact)}


def _names(written: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    if written == "all":
        return list(rows[0]) if rows else []
    return [name.strip() for name in written.split(",") if name.strip()]


def _only(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _print_columns(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    from rich.markup import escape  # noqa: PLC0415

    from hpsearch.cli.describe import console, number, plain_table, print_table  # noqa: PLC0415

    table = plain_table(*map(escape, names))
    for row in rows:
        table.add_row(*("" if row[name] is None else escape(number(row[name])) for name in names))
    print_table(console(), table)


def _print_table(facts: "Sequence[TrialFact]", metrics: Sequence[str], front: set[int] | None) -> None:
    """A line a trial; `front` holds the numbers of the best, where there are several objectives."""
    from hpsearch.cli.describe import console, number, plain_table, print_table  # noqa: PLC0415

    names = list(dict.fromkeys(name for fact in facts for name in fact.params))
    spreads = {
        fact.number: fact.scores[name] for fact in facts if (name := f"spread_{metrics[0]}") in fact.scores
    }
    table = plain_table(
        "trial",
        "state",
        *(metrics if front is not None else ["objective"]),
        *(["spread"] if spreads else []),
        *(["front"] if front is not None else []),
        "gap",
        "epochs",
        "verdict",
        *names,
    )
    for fact in facts:
        table.add_row(
            fact.name,
            fact.state.replace("_", " "),
            *(map(number, fact.values) if fact.values else [""] * len(metrics)),
            *([number(spreads.get(fact.number, ""))] if spreads else []),
            *((["yes"] if fact.number in front else [""]) if front is not None else []),
            number(fact.scores.get("generalization_gap", "")),
            str(fact.epochs),
            fact.verdict.replace("_", " "),
            *(number(fact.params.get(name, "")) for name in names),
        )
    print_table(console(), table)
