"""`hpsearch data`: what the data are, before anything is trained."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hpsearch.cli.options import Verb, as_options, file_argument, overrides_option
from hpsearch.cli.output import hint, json_option, print_json
from hpsearch.errors import InputError
from hpsearch.spec import load_study

if TYPE_CHECKING:
    from rich.table import Table

    from hpsearch.data.description import Column, Description

_MARKS: Final = " ▁▂▃▄▅▆▇█"
_MOST: Final = 30


@click.command(
    cls=Verb,
    short_help="Describe a study's data.",
    examples=("hpsearch data studies/digits.yaml", "hpsearch data study.yaml --html data.html"),
)
@file_argument
@overrides_option
@json_option(
    *("source", "kind", "shape", "rows", "task", "targets", "columns", "lengths", "duplicates", "drift"),
    *("warnings", "fingerprint"),
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Write a page with distributions and examples.",
)
def data(file: Path, overrides: tuple[str, ...], *, as_json: bool, html: Path | None) -> None:
    """Describe the data of a study FILE: shapes, types, balance, gaps, copies across parts, drift.

    All is of the training and validation rows; of the test part only inputs are compared with them, column by column.
    """
    spec = load_study(file, overrides)
    # imported here: a study file with mistakes is refused before pandas is imported
    from hpsearch.data.description import describe  # noqa: PLC0415
    from hpsearch.fit import prepare_study  # noqa: PLC0415

    about = describe(prepare_study(spec))
    if html is not None:
        _write(html, about)
    if as_json:
        print_json(about.to_json())
    else:
        _print(about, html)
        hint("run", file, *as_options(overrides))


def _write(path: Path, about: "Description") -> None:
    from hpsearch.data.gallery import page  # noqa: PLC0415

    try:
        path.write_text(page(about), encoding="utf-8")
    except OSError as error:
        raise InputError(f"--html {path}: cannot be written ({error.strerror}); name another file") from error


def _print(about: "Description", html: Path | None) -> None:
    from rich.markup import escape  # noqa: PLC0415

    from hpsearch.cli.describe import console, print_table  # noqa: PLC0415
    from hpsearch.judgment.sentences import counted  # noqa: PLC0415

    out = console()
    shape = " x ".join(map(str, about.shape))
    rows = ", ".join(f"{count:,} {part}" for part, count in about.rows.items())
    out.print(f"[bold]{escape(about.source)}[/]: {about.kind}, inputs {shape}, {about.task}; rows: {rows}")
    print_table(out, _table("target", about.targets))
    lengths = () if about.lengths is None else (about.lengths,)
    print_table(out, _table("input", (*about.columns[:_MOST], *lengths)))
    if len(about.columns) > _MOST:
        out.print(f"and {len(about.columns) - _MOST} more inputs (--json has all)")
    constant = [column.name for column in about.columns if column.is_constant]
    if constant:
        out.print(f"constant: {escape(', '.join(constant[:10]))}{', ...' if constant[10:] else ''}")
    if about.duplicates:
        out.print(f"duplicates: {counted(about.duplicates, 'row')} with the inputs of another one")
    for drift in about.drift:
        out.print(
            f"drift: {escape(drift.column)} in the {drift.part} part, distance {drift.distance:.2f}, "
            f"mean {drift.shift:+.2f} standard deviations from the training part"
        )
    for warning in about.warnings:
        out.print(f"[yellow]warning:[/] {escape(warning)}")
    if html is not None:
        out.print(f"picture: {html}")


def _table(title: str, columns: "tuple[Column, ...]") -> "Table":
    from rich.markup import escape  # noqa: PLC0415

    from hpsearch.cli.describe import number, plain_table  # noqa: PLC0415

    table = plain_table(title, "kind", "missing", "distinct", "low", "mean", "high", "distribution")
    for column in columns:
        marks = _sparkline(column.histogram) if column.histogram else _shares(column)
        table.add_row(
            escape(column.name),
            column.kind,
            f"{column.missing:,}",
            f"{column.distinct:,}",
            *("" if value is None else number(value) for value in (column.low, column.mean, column.high)),
            escape(marks),
        )
    return table


def _sparkline(counts: tuple[int, ...]) -> str:
    most = max(*counts, 1)
    return "".join(_MARKS[-(-count * (len(_MARKS) - 1) // most)] for count in counts)


def _shares(column: "Column") -> str:
    shown = ", ".join(f"{label} {count:,}" for label, count in column.common.items())
    return shown + (", ..." if column.distinct > len(column.common) > 0 else "")
