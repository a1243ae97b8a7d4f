"""`hpsearch init`: a study file to begin with."""

import os
from dataclasses import replace
from pathlib import Path

import click

from hpsearch.cli.completion import files
from hpsearch.cli.options import Verb
from hpsearch.cli.output import hint, json_option, print_json
from hpsearch.errors import InputError, Problem, StorageError
from hpsearch.spec.sources import is_code, is_named


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
@click.option(
    "--trials", type=click.IntRange(min=1), metavar="N", default=50, show_default=True, help="The budget."
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option("file", "study", "task", "rows", "notes", "text")
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
    if not base.is_dir():
        raise InputError(f"-o {output}: there is no folder {base}; make it, or write elsewhere")
    written = _as_written(source, base)
    try:
        made = draft(written, targets=targets, name=name, base=base, trials=trials)
    except InputError as error:
        if not error.problems:
            raise
        raise InputError(_of_data(problem, source) for problem in error.problems) from error
    if not printed:
        _write(output, made.text)
    if as_json:
        about = {"study": made.spec.study, "task": made.task, "rows": made.rows, "notes": made.notes}
        print_json({"file": None if printed else str(output), **about, "text": made.text})
        return
    if printed:
        click.echo(made.text, nl=False)
        hint("init", source, *(word for name in targets for word in ("--target", name)), "-o", "study.yaml")
        return
    click.echo(f"{output}: study {made.spec.study}, {made.rows:,} rows, {made.task}")
    for note in made.notes:
        click.echo(f"  {note}")
    hint("run", output)


def _as_written(source: str, base: Path) -> str:
    """The source as a study file in `base` names it; a folder ends in a slash.

    Raises:
        InputError: it is code, which is not called before a study is run.
    """
    if is_code(source):
        raise InputError(
            f"{source} is code, and init looks at files; write `data: {{source: {source}}}` (docs/extending.md)"
        )
    if is_named(source):
        return source
    path = source if Path(source).is_absolute() else os.path.relpath(source, base)
    return f"{path.rstrip('/')}/" if Path(source).is_dir() else path


def _of_data(problem: Problem, source: str) -> Problem:
    """A problem without lines and keys of a file that is still to be written."""
    from hpsearch.drafting import DRAFT  # noqa: PLC0415 - pandas

    place = source if problem.place.startswith(DRAFT) else problem.place
    return replace(problem, place=place, key="" if problem.key.startswith("data.") else problem.key)


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"{output}: cannot be written ({error.strerror}); name another file with -o"
        ) from error
