"""`hpsearch doctor`: whether everything is there that a study needs."""

from typing import Final

import click

from hpsearch.cli.options import Verb, store_option
from hpsearch.cli.output import hint, json_option, print_json
from hpsearch.errors import HpsearchError
from hpsearch.store import Store

_MARKS: Final = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "problem": "[red]problem[/]"}


@click.command(
    cls=Verb,
    short_help="Check the environment, the store and the tracking server.",
    examples=(
        "hpsearch doctor",
        "hpsearch doctor --uri http://tracking.example:5000",
        "hpsearch doctor --json",
    ),
)
@store_option
@json_option("name", "level", "found", "remedy", form="a list of objects")
@click.option(
    "--uri", metavar="URI", help="An MLflow tracking server to reach.  [default: $MLFLOW_TRACKING_URI]"
)
def doctor(store: Store, *, as_json: bool, uri: str | None) -> None:
    """Check Python and libraries, BLAS and its threads, cores and memory, the store and its studies, the server.

    Exits with 1 if there is a problem; a warning is none.
    """
    from hpsearch.upkeep.examination import examine  # noqa: PLC0415 - numpy, optuna

    found = examine(store, uri=uri)
    problems = sum(each.level == "problem" for each in found)
    if as_json:
        print_json([each.to_json() for each in found])
    else:
        from rich.markup import escape  # noqa: PLC0415

        from hpsearch.cli.describe import console, plain_table  # noqa: PLC0415

        table = plain_table("", "what", "found")
        for each in found:
            remedy = f"; {each.remedy}" if each.remedy else ""
            table.add_row(_MARKS[each.level], escape(each.name), escape(each.found + remedy))
        console().print(table)
    if problems:
        raise HpsearchError(f"{problems} of {len(found)} checks found a problem")
    if not as_json:
        hint("init", "data.csv", "--target", "COLUMN")
