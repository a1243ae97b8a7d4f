"""`hpsearch report`: a study as one page."""

import webbrowser
from pathlib import Path

import click

from hpsearch.cli.options import Verb, store_option, study_argument
from hpsearch.cli.output import bring_to_mlflow, json_option, print_json
from hpsearch.store import Store


@click.command(
    cls=Verb,
    short_help="Write a study as one page: figures, findings, advice.",
    examples=("hpsearch report digits", "hpsearch report digits -o digits.html --open"),
)
@study_argument
@store_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it.  [default: beside the study's trials, and to its run in MLflow]",
)
@click.option("--open", "open_it", is_flag=True, help="Open it in the browser.")
@json_option("study", "file")
def report(study: str, store: Store, output: Path | None, *, open_it: bool, as_json: bool) -> None:
    """Write all about a STUDY to one HTML page that needs no network and can be sent to others.

    It says in plain words what came of the search, shows the curves of all trials by what they say, which parameters
    mattered and where, what pruning saved, the test scores beside the baselines, and how to do it again.
    """
    from hpsearch.report import write_report  # noqa: PLC0415 - help must not import plotly

    home = store.find(study)
    path = write_report(home, output)
    if as_json:
        print_json({"study": home.key, "file": str(path)})
    else:
        click.echo(path)
    if output is None:
        bring_to_mlflow(store, home, otherwise="not attached to the study's run")
    if open_it:
        webbrowser.open(path.absolute().as_uri())
    elif not as_json:
        click.echo("Next: open it in a browser; it is one file, without anything from the network", err=True)
