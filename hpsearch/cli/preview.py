"""`hpsearch preview`: what a study would do, and what it would cost."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpsearch.cli.options import Verb, file_argument, overrides_option
from hpsearch.cli.output import hint, json_option, print_json
from hpsearch.cli.run import workers_option
from hpsearch.spec import StudySpec, load_study

if TYPE_CHECKING:
    from hpsearch.calibration import Estimate, Planned


@click.command(
    cls=Verb,
    short_help="Show the first trials of a study, and what it will cost.",
    examples=(
        "hpsearch preview studies/digits.yaml",
        "hpsearch preview study.yaml -S budget.trials=500 --workers 8 --seconds 20",
    ),
)
@file_argument
@overrides_option
@workers_option
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1),
    default=8.0,
    show_default=True,
    help="How long trials are trained to measure by, at most.",
)
@click.option(
    "--proposals", type=click.IntRange(min=1), default=10, show_default=True, help="How many to show."
)
@json_option
def preview(
    file: Path, overrides: tuple[str, ...], workers: int, *, seconds: float, proposals: int, as_json: bool
) -> None:
    """Show the first trials that the study in FILE will try, their networks, and the time and memory it will take.

    Time is measured on the study's own first trials, trained here and now as the run will train them; nothing is
    stored. The estimate is within a factor of 2 where the machine is as busy then as now.
    """
    spec = load_study(file, overrides)
    # imported here: a study file with mistakes is refused before anything heavy is imported
    from hpsearch.calibration import calibrate, first_proposals  # noqa: PLC0415
    from hpsearch.fit import prepare_study  # noqa: PLC0415

    data = prepare_study(spec)
    planned = first_proposals(spec, data, proposals)
    estimate = calibrate(spec, data, workers=workers, seconds=seconds)
    if as_json:
        print_json({"proposals": [asdict(each) for each in planned], "estimate": estimate.to_json()})
        return
    _print(spec, planned, estimate)
    hint("hpsearch", "run", file, *(word for override in overrides for word in ("-S", override)))


def _print(spec: StudySpec, planned: "list[Planned]", estimate: "Estimate") -> None:
    from rich.markup import escape  # noqa: PLC0415

    from hpsearch.cli.describe import console, counted, number, plain_table  # noqa: PLC0415

    out = console()
    names = list(dict.fromkeys(name for each in planned for name in each.params))
    table = plain_table("trial", "network", "numbers learned", *names)
    for each in planned:
        values = (escape(number(each.params.get(name, ""))) for name in names)
        table.add_row(str(each.number), each.layers, f"{each.weights:,}", *values)
    out.print(f"[bold]{spec.study}[/] begins with")
    out.print(table)
    most = "at most " if estimate.bound else "about "
    trained = (
        f"{counted(estimate.measured, 'trial')} trained" if estimate.measured else "epochs of one trial timed"
    )
    out.print(
        f"time    {most}{span(estimate.seconds)} for {counted(estimate.trials, 'trial')} on "
        f"{counted(estimate.workers, 'worker')} ({number(estimate.seconds_a_trial)} s a trial, by {trained} here)"
    )
    out.print(f"memory  about {estimate.memory / 1e9:.1f} GB")


def span(seconds: float) -> str:
    """A time for people: `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
