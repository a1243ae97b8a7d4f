"""`hpsearch validate`: the study file and its data, checked and shown without training."""

from pathlib import Path

import click

from hpsearch.cli.options import Verb, file_argument, overrides_option
from hpsearch.spec import load_study


@click.command(
    cls=Verb,
    short_help="Check a study file and its data.",
    examples=("hpsearch validate studies/digits.yaml", "hpsearch validate study.yaml -S budget.trials=20"),
)
@file_argument
@overrides_option
def validate(file: Path, overrides: tuple[str, ...]) -> None:
    """Check a study FILE and its data, and show what would be searched. Nothing is trained or written."""
    spec = load_study(file, overrides)
    # imported here: a study file with mistakes is refused before pandas is imported
    from rich.markup import escape  # noqa: PLC0415

    from hpsearch.architecture import example_network  # noqa: PLC0415
    from hpsearch.cli.describe import command, console, counted, data_sentence, space_table  # noqa: PLC0415
    from hpsearch.cli.networks import network_table  # noqa: PLC0415
    from hpsearch.fit import prepare_study  # noqa: PLC0415

    data = prepare_study(spec)
    out = console()
    options = [word for override in overrides for word in ("-S", override)]
    out.print(
        f"[bold]{spec.study}[/] is valid: {counted(spec.budget.trials, 'trial')} by {spec.sampler.name}"
    )
    out.print(data_sentence(data.summary, data.task))
    out.print(space_table(spec))
    out.print(network_table(*example_network(spec, data)))
    for warning in data.warnings:
        out.print(f"[yellow]warning:[/] {escape(warning)}")
    out.print(f"Next: [bold]{command('hpsearch', 'run', file, *options)}[/]")
