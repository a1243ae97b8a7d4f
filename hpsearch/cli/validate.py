"""`hpsearch validate`: the study file and its data, checked and shown without training."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpsearch.cli.options import Verb, file_argument, overrides_option
from hpsearch.cli.output import json_option, print_json
from hpsearch.spec import StudySpec, load_study
from hpsearch.spec.sources import is_code

if TYPE_CHECKING:
    from hpsearch.data import PreparedData


@click.command(
    cls=Verb,
    short_help="Check a study file and its data.",
    examples=("hpsearch validate studies/digits.yaml", "hpsearch validate study.yaml -S budget.trials=20"),
)
@file_argument
@overrides_option
@json_option
def validate(file: Path, overrides: tuple[str, ...], *, as_json: bool) -> None:
    """Check a study FILE and its data, and show what would be searched. Nothing is trained or written."""
    spec = load_study(file, overrides)
    # imported here: a study file with mistakes is refused before pandas is imported
    from rich.markup import escape  # noqa: PLC0415

    from hpsearch.architecture import example_network  # noqa: PLC0415
    from hpsearch.cli.describe import command, console  # noqa: PLC0415
    from hpsearch.cli.networks import network_table  # noqa: PLC0415
    from hpsearch.cli.setting import data_sentence, space_table  # noqa: PLC0415
    from hpsearch.fit import prepare_study  # noqa: PLC0415
    from hpsearch.judgment.sentences import counted  # noqa: PLC0415

    out = console()
    if is_code(spec.data.source):
        said = f"{spec.data.source} makes the data when the study is run, and is not looked at"
        if as_json:
            print_json({"study": spec.study, "valid": True, "file": spec.written(), "data": None})
        else:
            out.print(f"[bold]{spec.study}[/] is valid; {said}")
        return
    data = prepare_study(spec)
    if as_json:
        _print_json(spec, data)
        return
    options = [word for override in overrides for word in ("-S", override)]
    out.print(
        f"[bold]{spec.study}[/] is valid: {counted(spec.budget.trials, 'trial')} by {spec.sampler.name}"
    )
    out.print(data_sentence(data.summary, data.task))
    out.print(space_table(spec))
    if spec.trainer is None:
        out.print(network_table(*example_network(spec, data)))
    else:
        out.print(f"trained by {spec.trainer}, which is looked for when the study is run")
    for warning in data.warnings:
        out.print(f"[yellow]warning:[/] {escape(warning)}")
    out.print(f"Next: [bold]{command('hpsearch', 'run', file, *options)}[/]")


def _print_json(spec: StudySpec, data: "PreparedData") -> None:
    from hpsearch.architecture import example_network  # noqa: PLC0415 - numpy

    rows = example_network(spec, data)[1] if spec.trainer is None else None
    print_json(
        {
            "study": spec.study,
            "valid": True,
            "file": spec.written(),
            "task": data.task.kind,
            "data": asdict(data.summary),
            "weights": None if rows is None else sum(row.parameters for row in rows),
            "warnings": list(data.warnings),
        }
    )
