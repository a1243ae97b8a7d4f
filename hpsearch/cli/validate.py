"""`hpsearch validate`: the study file and its data, checked and shown without training."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hpsearch.cli.options import Verb, as_options, file_argument, overrides_option
from hpsearch.cli.output import hint, json_option, print_json
from hpsearch.errors import InputError, Problem
from hpsearch.spec import StudySpec, load_study
from hpsearch.spec.sources import is_code

if TYPE_CHECKING:
    from hpsearch.data import PreparedData


@click.command(
    cls=Verb,
    short_help="Check a study file and its data.",
    examples=("hpsearch validate study.yaml", "hpsearch validate study.yaml -S budget.trials=20 --json"),
)
@file_argument
@overrides_option
@json_option("study", "valid", "problems", "file", "task", "data", "weights", "warnings")
def validate(file: Path, overrides: tuple[str, ...], *, as_json: bool) -> None:
    """Check a study FILE and its data, and show what would be searched. Nothing is trained or written.

    With --json, problems are listed with their places; the exit code is 2 all the same.
    """
    try:
        spec, data = _checked(file, overrides)
    except InputError as error:
        if as_json:
            print_json(_refused(error.problems or [Problem(place=str(file), rule=str(error))]))
        raise
    if as_json:
        print_json(_accepted(spec, data))
        return
    _print(spec, data)
    hint("run", file, *as_options(overrides))


def _checked(file: Path, overrides: Sequence[str]) -> "tuple[StudySpec, PreparedData | None]":
    """The study and its data, None where only a run makes them.

    Raises:
        InputError: with every problem that was found in the file, or else in the data.
    """
    spec = load_study(file, overrides)
    if is_code(spec.data.source):
        return spec, None
    # imported here: a study file with mistakes is refused before pandas is imported
    from hpsearch.fit import prepare_study  # noqa: PLC0415

    return spec, prepare_study(spec)


def _print(spec: StudySpec, data: "PreparedData | None") -> None:
    from rich.markup import escape  # noqa: PLC0415

    from hpsearch.architecture import example_network  # noqa: PLC0415 - numpy
    from hpsearch.cli.describe import console  # noqa: PLC0415
    from hpsearch.cli.networks import network_table  # noqa: PLC0415
    from hpsearch.cli.setting import data_sentence, space_table  # noqa: PLC0415
    from hpsearch.judgment.sentences import counted  # noqa: PLC0415

    out = console()
    if data is None:
        source = escape(spec.data.source)
        out.print(
            f"[bold]{spec.study}[/] is valid; {source} makes the data when the study is run, and is not looked at"
        )
        return
    trials = counted(spec.budget.trials, "trial")
    out.print(f"[bold]{spec.study}[/] is valid: {trials} by {spec.sampler.name}")
    out.print(data_sentence(data.summary, data.task))
    out.print(space_table(spec))
    if spec.trainer is None:
        out.print(network_table(*example_network(spec, data)))
    else:
        out.print(f"trained by {spec.trainer}, which is looked for when the study is run")
    for warning in data.warnings:
        out.print(f"[yellow]warning:[/] {escape(warning)}")


def _accepted(spec: StudySpec, data: "PreparedData | None") -> dict[str, Any]:
    from hpsearch.architecture import example_network  # noqa: PLC0415 - numpy

    rows = None if data is None or spec.trainer is not None else example_network(spec, data)[1]
    return {
        "study": spec.study,
        "valid": True,
        "problems": [],
        "file": spec.written(),
        "task": None if data is None else data.task.kind,
        "data": None if data is None else asdict(data.summary),
        "weights": None if rows is None else sum(row.parameters for row in rows),
        "warnings": [] if data is None else list(data.warnings),
    }


def _refused(problems: Sequence[Problem]) -> dict[str, Any]:
    nothing = dict.fromkeys(("study", "file", "task", "data", "weights"))
    return {"valid": False, "problems": [asdict(each) for each in problems], **nothing, "warnings": []}
