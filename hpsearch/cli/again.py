"""`hpsearch extend`, `retry` and `refit`: going on with a study that the store holds."""

from statistics import fmean, stdev
from typing import TYPE_CHECKING

import click

from hpsearch.cli.options import Verb, store_option, study_argument
from hpsearch.cli.output import command_line, hint, json_option, print_json
from hpsearch.cli.run import SUMMARY_KEYS, code_option, watched_run, workers_option
from hpsearch.store import Store

if TYPE_CHECKING:
    from hpsearch.extensions import Code
    from hpsearch.upkeep.reseeding import Reseeded


@click.command(
    cls=Verb,
    short_help="Go on with a study: more trials.",
    examples=("hpsearch extend digits --trials 50", "hpsearch extend digits"),
)
@study_argument
@store_option
@workers_option
@code_option
@click.option(
    "--trials",
    type=click.IntRange(min=0),
    metavar="N",
    help="So many beyond those that are stored.  [default: up to the budget of the last run]",
)
@click.option("--quiet", "-q", is_flag=True, help="Print only the summary.")
@json_option(*SUMMARY_KEYS)
def extend(
    study: str, store: Store, workers: int, code: "Code", *, trials: int | None, quiet: bool, as_json: bool
) -> None:
    """Train N trials more of a STUDY, from what the store knows: its file need not be at hand.

    Without --trials an interrupted run is gone on with. The trials come out as if the budget had been that large from
    the start. Only the latest generation of a study can be extended.
    """
    from hpsearch.archive import last_run  # noqa: PLC0415 - not for --help
    from hpsearch.upkeep.continuation import extended, stored_spec  # noqa: PLC0415 - optuna

    home = store.find(study)
    _check_latest(store, home.key, home.name)
    budget = last_run(home).get("trials")
    if trials is None:
        spec = stored_spec(home, [] if budget is None else [f"budget.trials={budget}"])
    else:
        spec = extended(home, trials)
    again = command_line("extend", home.key)
    watched_run(spec, store=store, workers=workers, code=code, quiet=quiet, as_json=as_json, again=again)


def _check_latest(store: Store, key: str, name: str) -> None:
    from hpsearch.errors import InputError  # noqa: PLC0415

    latest = store.generations(name)[-1].key
    if key != latest:
        raise InputError(
            f"{key} is not the latest generation of {name}, which is {latest}; only that one goes on"
        )


@click.command(
    cls=Verb,
    short_help="Train the trials again that failed.",
    examples=("hpsearch retry digits --failed", "hpsearch retry digits --failed --workers 1"),
)
@study_argument
@store_option
@workers_option
@code_option
@click.option(
    "--failed", is_flag=True, required=True, help="Those that could not be trained: out of memory, killed."
)
@click.option("--quiet", "-q", is_flag=True, help="Print only the summary.")
@json_option(*SUMMARY_KEYS)
def retry(
    study: str, store: Store, workers: int, code: "Code", *, failed: bool, quiet: bool, as_json: bool
) -> None:
    """Train the trials of a STUDY again that failed, in a new generation; the old one stays as it is.

    Later trials were proposed knowing the failure, so the trials before the first one are kept, and those from it on
    are trained again: the table comes out as if nothing had failed.
    """
    from hpsearch.upkeep.continuation import begin_retry  # noqa: PLC0415 - optuna

    del failed  # the only kind there is, asked for by name
    begun = begin_retry(store, store.find(study))
    numbers = ", ".join(map(str, begun.failed[:10])) + (", ..." if begun.failed[10:] else "")
    click.echo(f"failed: {numbers}; {begun.home.key} keeps the {begun.kept} trials before them", err=True)
    again = command_line("extend", begun.home.key)
    watched_run(
        begun.spec, store=store, workers=workers, code=code, quiet=quiet, as_json=as_json, again=again
    )


@click.command(
    cls=Verb,
    short_help="Train the best recipe from other seeds: was it luck?",
    examples=("hpsearch refit digits --seeds 5", "hpsearch refit digits --trial 17 --seeds 10 --json"),
)
@study_argument
@store_option
@code_option
@json_option("study", "trial", "metric", "selected", "values", "test", "epochs")
@click.option(
    "--seeds",
    type=click.IntRange(2, 100),
    metavar="N",
    default=5,
    show_default=True,
    help="How many other seeds.",
)
@click.option("--trial", type=click.IntRange(min=0), metavar="N", help="Another trial than the best one.")
def refit(study: str, store: Store, code: "Code", *, as_json: bool, seeds: int, trial: int | None) -> None:
    """Train the best recipe of a STUDY from other random numbers, and say how its scores vary.

    The best of many trials was lucky in part: other seeds of the same recipe score worse on average. The study's model
    stays as it is, and nothing is chosen by the test scores that are shown.
    """
    from hpsearch.cli.show import find_trial  # noqa: PLC0415
    from hpsearch.upkeep.continuation import stored_spec  # noqa: PLC0415 - optuna
    from hpsearch.upkeep.reseeding import reseed  # noqa: PLC0415 - numpy

    home = store.find(study)
    fact = find_trial(home, trial)
    report = reseed(fact, stored_spec(home), store, seeds=seeds, cache=store.cache, code=code)
    if as_json:
        print_json({"study": home.key, **report.to_json()})
        return
    _print_report(home.key, report)
    hint("show", home.key, report.trial)


def _print_report(study: str, report: "Reseeded") -> None:
    from hpsearch.cli.describe import console, number, plain_table  # noqa: PLC0415

    out = console()
    out.print(f"[bold]{study}/{report.trial}[/] from {len(report.values)} other seeds")
    table = plain_table("", "mean", "standard deviation", "least", "greatest", "the trial itself")
    rows = {report.metric: (report.values, number(report.selected))}
    rows |= {f"test {name.replace('_', ' ')}": (values, "") for name, values in report.test.items()}
    for name, (values, own) in rows.items():
        numbers = (fmean(values), stdev(values), min(values), max(values))
        table.add_row(name, *map(number, numbers), own)
    out.print(table)
    of_what = f"refits on training and validation rows, {report.epochs} epochs each"
    out.print(f"test scores are of {of_what}" if report.test else "the trainer shows no model to be tested")
