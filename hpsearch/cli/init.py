"""`hpsearch init`: a study file to begin with."""

import os
from dataclasses import replace
from pathlib import Path

import click

from hpsearch.cli.completion import files
from hpsearch.cli.options import Verb
from hpsearch.cli.output import hint, json_option, print_json
from hpsearch.errors import DataError, InputError, StorageError
from hpsearch.spec.sources import is_named


@click.command(
    cls=Verb,
    short_help="Write a study file for your data.",
    examples=(
        "hpsearch init train.csv --target price",
        "hpsearch init customers.parquet --target left --name churn -o churn.yaml",
        "hpsearch init sklearn/digits --trials 100",
    ),
)
@click.argument("source", metavar="DATA", shell_complete=files)
@click.option(
    "--target",
    "-t",
    "targets",
    multiple=True,
    metavar="COLUMN",
    help="The column to predict; may be repeated.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("study.yaml"),
    show_default=True,
    help="The file to write; - prints it.",
)
@click.option("--name", metavar="NAME", help="The study's name.  [default: the data's]")
@click.option("--trials", type=click.IntRange(min=1), default=50, show_default=True, help="The budget.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
def init(
    source: str,
    targets: tuple[str, ...],
    output: Path,
    *,
    name: str | None,
    trials: int,
    force: bool,
    as_json: bool,
) -> None:
    """Look at DATA (a .csv, .tsv, .parquet, .npz, ... file, or a name such as sklearn/digits) and write a study file.

    Ranges follow from the number of rows. Columns that tell rows apart and nothing else are left out. The file is
    commented and valid, and names its JSON schema, with which editors complete and check it.
    """
    printed = str(output) == "-"
    if output.exists() and not (printed or force):
        raise InputError(f"{output} is there already; write another with -o, or replace it with --force")
    from hpsearch.drafting import draft  # noqa: PLC0415 - pandas

    base = Path() if printed else output.parent
    written = source if is_named(source) or Path(source).is_absolute() else os.path.relpath(source, base)
    try:
        made = draft(written, targets=targets, name=name, base=base, trials=trials)
    except DataError as error:  # no key of a file that is still to be written
        raise DataError(replace(problem, key="") for problem in error.problems) from error
    if printed:
        click.echo(made.text, nl=False)
        return
    try:
        output.write_text(made.text, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"{output}: cannot be written ({error.strerror}); name another file with -o"
        ) from error
    if as_json:
        print_json(
            {"file": str(output), "study": made.spec.study, "task": made.task, "notes": list(made.notes)}
        )
        return
    click.echo(f"{output}: study {made.spec.study}, {made.rows:,} rows, {made.task}")
    for note in made.notes:
        click.echo(f"  {note}")
    hint("hpsearch", "run", output)
