"""`hpsearch preview`: what a study would try, and what it would cost."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hpsearch.cli.options import Verb, as_options, file_argument, overrides_option
from hpsearch.cli.output import hint, json_option, print_json
from hpsearch.cli.run import workers_option
from hpsearch.errors import InputError
from hpsearch.spec import ParameterValue, load_study

if TYPE_CHECKING:
    from rich.console import Console

    from hpsearch.engine.table import Row
    from hpsearch.preview import Course, Estimate

    Network = tuple[dict[str, ParameterValue], list[Row]]


@click.command(
    cls=Verb,
    short_help="Show what a study would try, and what it would cost.",
    examples=(
        "hpsearch preview studies/digits.yaml",
        "hpsearch preview study.yaml -S budget.trials=500 --workers 8",
        "hpsearch preview study.yaml --json | jq .estimate.seconds",
    ),
)
@file_argument
@overrides_option
@workers_option
@click.option(
    "--proposals",
    type=click.IntRange(min=1),
    metavar="N",
    default=5,
    show_default=True,
    help="How many of the first trials to show.",
)
@json_option("study", "proposals", "networks", "estimate")
def preview(file: Path, overrides: tuple[str, ...], workers: int, *, proposals: int, as_json: bool) -> None:
    """Show the first trials of the study in FILE, its smallest and largest network, and the time and memory it takes.

    The estimate is measured: for two to three seconds, networks of the study are trained on its data. Nothing is
    stored. It is meant for this machine, as busy as it is now, and for the whole study, not for what is left of it.
    """
    spec = load_study(file, overrides)
    own = [key for key in ("trainer", "metrics") if getattr(spec, key)]
    if own:
        rule = "is code of yours: what it costs cannot be foretold"
        raise InputError(spec.problem((own[0],), rule, "`hpsearch validate` checks the file without it"))
    # imported here: a study file with mistakes is refused before anything heavy is imported
    from hpsearch.architecture import smallest_and_largest  # noqa: PLC0415
    from hpsearch.fit import prepare_study  # noqa: PLC0415
    from hpsearch.preview import calibrate, course_of, estimate  # noqa: PLC0415

    began = time.process_time()
    data = prepare_study(spec)
    preparing = time.process_time() - began
    course = course_of(spec, data, workers=workers)
    cost = estimate(course, calibrate(course), workers=workers, preparing=preparing)
    networks = smallest_and_largest(spec, data)
    if as_json:
        print_json(_json(course, cost, networks, proposals))
        return
    _print(course, cost, networks, proposals)
    hint("run", file, *as_options(overrides))


def _json(course: "Course", cost: "Estimate", networks: "list[Network]", proposals: int) -> dict[str, Any]:
    shown = course.proposals[: min(proposals, course.known)]
    return {
        "study": course.spec.study,
        "proposals": [{"number": each.number, "params": each.params} for each in shown],
        "networks": [
            {"params": params, "weights": sum(row.parameters for row in rows)} for params, rows in networks
        ],
        "estimate": asdict(cost),
    }


def _print(course: "Course", cost: "Estimate", networks: "list[Network]", proposals: int) -> None:
    from hpsearch.cli.describe import console, number, plain_table, print_table  # noqa: PLC0415
    from hpsearch.cli.networks import network_table  # noqa: PLC0415
    from hpsearch.cli.setting import data_sentence  # noqa: PLC0415
    from hpsearch.judgment.sentences import counted  # noqa: PLC0415

    out = console()
    out.print(data_sentence(course.data.summary, course.data.task))
    shown = course.proposals[: min(proposals, course.known)]
    names = list(dict.fromkeys(name for each in shown for name in each.params))
    table = plain_table("trial", *names)
    for each in shown:
        table.add_row(str(each.number), *(number(each.params.get(name, "")) for name in names))
    every = len(shown) == course.trials
    which = (
        f"all {len(shown)} trials" if every else f"first {counted(len(shown), 'trial')} of {course.trials:,}"
    )
    out.print(f"\n[bold]{course.spec.study}[/]: {which}, by {course.spec.sampler.name}")
    print_table(out, table)
    for size, network in zip(("smallest", "largest") if networks[1:] else ("only",), networks, strict=True):
        out.print()
        out.print(network_table(*network, name=f"the {size} network"))
    _print_cost(out, cost)


def _print_cost(out: "Console", cost: "Estimate") -> None:
    from hpsearch.cli.describe import span  # noqa: PLC0415
    from hpsearch.judgment.sentences import counted  # noqa: PLC0415

    workers = counted(cost.workers, "worker")
    out.print(
        f"\ntime    about {span(cost.seconds)} for {counted(cost.trials, 'trial')} on {workers}", end=""
    )
    if cost.at_most > 1.05 * cost.seconds:
        out.print(f"; at most {span(cost.at_most)}, if no trial stops early or is pruned", end="")
    out.print(f"\nmemory  about {cost.memory / 1e6:,.0f} MB")
    by = f"epochs of {counted(cost.timed, 'cohort')} of the study's networks, timed here"
    if cost.trained:
        by += f", and {counted(cost.trained, 'trial')} trained to the end"
    out.print(f"by      {by}")
    for assumption in cost.assumed:
        out.print(f"assumed {assumption}")
