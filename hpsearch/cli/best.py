"""`hpsearch best`: the best parameters of a study, in the form that is wanted."""

from pprint import pformat
from typing import TYPE_CHECKING

import click

from hpsearch.cli.options import Verb, store_option, study_argument
from hpsearch.cli.output import JsonOption, hint, print_json
from hpsearch.store import Store

if TYPE_CHECKING:
    from hpsearch.results import BestParams


@click.command(
    cls=Verb,
    short_help="Show a study's best parameters.",
    examples=(
        "hpsearch best digits",
        "hpsearch best digits -f yaml > best.yaml",
        "hpsearch best digits -f python >> settings.py",
    ),
)
@study_argument
@store_option
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["table", "yaml", "json", "python"]),
    default="table",
    show_default=True,
    help="table: for people, with scores. yaml: the parameters alone. json: with provenance. python: a dict.",
)
@click.option(
    "--json",
    "form",
    flag_value="json",
    help="The same as -f json.",
    cls=JsonOption,
    keys=("params", "study", "trial", "run_id", "fingerprint", "scores", "test", "recipe", "network"),
    form="an object",
)
def best(study: str, store: Store, form: str) -> None:
    """Show the best parameters of a STUDY so far."""
    from hpsearch.results import best_params  # noqa: PLC0415 - not for --help

    params = best_params(study, store=store.root)
    match form:
        case "yaml":
            import yaml  # noqa: PLC0415

            click.echo(yaml.safe_dump(dict(params), sort_keys=False), nl=False)
        case "json":
            print_json({"params": dict(params), **params.provenance()})
        case "python":
            click.echo(f"best_params = {pformat(dict(params), sort_dicts=False, width=100)}")
        case _:
            _print_best(params)
    if form != "json":
        hint("show", params.study, params.trial)


def _print_best(params: "BestParams") -> None:
    from hpsearch.cli.describe import console, number, plain_table  # noqa: PLC0415

    out = console()
    out.print(f"[bold]{params.study}[/], best of its trials: trial-{params.trial:04d}")
    table = plain_table("parameter", "value")
    for name, value in params.items():
        table.add_row(name, number(value))
    out.print(table)
    scores = plain_table("score", "value", "95% interval")
    for name, value in params.scores.items():
        scores.add_row(name.replace("_", " "), number(value), "")
    for name, score in params.test.items():
        scores.add_row(
            f"test {name.replace('_', ' ')}",
            number(score["value"]),
            f"{number(score['low'])} to {number(score['high'])}",
        )
    out.print(scores)
    out.print(f"data {params.fingerprint}, MLflow run {params.run_id or 'not written yet'}")
