"""`hpsearch status`, `logs` and `stop`: runs, also those in the background."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hpsearch.cli.options import Verb, optional_study_argument, store_option, study_argument
from hpsearch.cli.output import hint, json_option, print_json, print_json_line
from hpsearch.errors import UnknownStudyError
from hpsearch.store import STORE_VARIABLE, Store, meant

if TYPE_CHECKING:
    from hpsearch.upkeep.activity import Activity

_PAUSE: Final = 0.3


@click.command(
    cls=Verb,
    short_help="Show how studies stand: running, ended, interrupted.",
    examples=("hpsearch status", "hpsearch status digits", "hpsearch status digits --json | jq .condition"),
)
@optional_study_argument
@store_option
@json_option(
    *(
        "study",
        "condition",
        "runner",
        "done",
        "trials",
        "states",
        "metric",
        "best",
        "value",
        "seconds",
        "last",
        "left",
    ),
    form="an object (without STUDY, a list of objects)",
)
def status(study: str | None, store: Store, *, as_json: bool) -> None:
    """Show how a STUDY stands, or all of them: who runs it, trials by how they ended, the best so far.

    A study is running, ended (its budget is spent and its winner refitted), interrupted, or empty.
    """
    from hpsearch.upkeep.activity import activity  # noqa: PLC0415 - not for --help

    homes = [store.find(study)] if study else store.all_studies()
    found = [activity(home) for home in homes]
    if as_json:
        print_json(found[0].to_json() if study else [each.to_json() for each in found])
        return
    if not found:
        click.echo(f"no studies in {store.root} (--store or {STORE_VARIABLE} names another store)")
        hint("init", "data.csv", "--target", "COLUMN")
        return
    _print_statuses(found)
    _suggest(found[0] if study else found[-1])


def _print_statuses(found: "list[Activity]") -> None:
    from rich.markup import escape  # noqa: PLC0415

    from hpsearch.cli.describe import console, number, plain_table, print_table, span  # noqa: PLC0415

    table = plain_table(
        "study", "condition", "trials", "best", "objective", "ended as", "last trial", "run by"
    )
    for each in found:
        budget = "" if each.trials is None else f"/{max(each.trials, each.done)}"
        states = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in each.states.items())
        last = "" if each.last is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.last))
        runner = f"process {each.runner.pid} on {each.runner.host}" if each.runner else ""
        value = "" if each.value is None else f"{each.metric} {number(each.value)}"
        table.add_row(
            each.study,
            each.condition if each.left is None else f"{each.condition}, {span(each.left)} left",
            f"{each.done}{budget}",
            each.best or "",
            value,
            states,
            last,
            escape(runner),
        )
    print_table(console(), table)


def _suggest(each: "Activity") -> None:
    match each.condition:
        case "running":
            hint("stop", each.study)
        case "ended":
            hint("best", each.study)
        case _:
            hint("extend", each.study)


@click.command(
    cls=Verb,
    short_help="Show what a run in the background has printed.",
    examples=("hpsearch logs digits", "hpsearch logs digits --follow"),
)
@study_argument
@store_option
@click.option("--follow", "-f", is_flag=True, help="Go on printing until the run ends, or Ctrl-C.")
@click.option(
    "--lines",
    "-n",
    type=click.IntRange(min=0),
    metavar="N",
    default=50,
    show_default=True,
    help="How many of the last.",
)
@json_option("line", form="in each line an object")
def logs(study: str, store: Store, *, follow: bool, lines: int, as_json: bool) -> None:
    """Print what `hpsearch run --detach` of a STUDY has printed. Runs in the foreground leave nothing here.

    With --json each line is a JSON object, {"line": ...}.
    """
    name = study.partition("~")[0]
    path = store.logs / f"{name}.log"
    if not path.is_file():
        raise UnknownStudyError(_no_log(store, study, name))
    shown = path.read_text(encoding="utf-8", errors="replace").splitlines()
    say = _say_as_json if as_json else click.echo
    for line in shown[len(shown) - lines :] if lines else []:
        say(line)
    for line in _following(path, store, study) if follow else ():
        say(line)
    if not as_json:
        hint("status", name)


def _no_log(store: Store, study: str, name: str) -> str:
    known = [path.stem for path in store.logs.glob("*.log")]
    return (
        f"no run of {study!r} was started in the background from {store.root}; {meant(name, known)}"
        "`hpsearch run FILE --detach` does it"
    )


def _say_as_json(line: str) -> None:
    print_json_line({"line": line})


def _following(path: Path, store: Store, study: str) -> Iterator[str]:
    """The lines that are added to a file, until nobody runs the study and nothing more comes."""
    from hpsearch.search.lock import holder_of  # noqa: PLC0415

    with path.open(encoding="utf-8", errors="replace") as file:
        file.seek(0, 2)
        begun = ""
        while True:
            homes = store.generations(study.partition("~")[0])
            running = any(holder_of(home.lock) for home in homes)
            if text := file.read():
                *whole, begun = (begun + text).split("\n")
                yield from whole
            elif not running:
                yield from filter(None, [begun])
                return
            time.sleep(_PAUSE)


@click.command(
    cls=Verb,
    short_help="Stop the run of a study; what has finished is kept.",
    examples=("hpsearch stop digits", "hpsearch stop digits --timeout 5"),
)
@study_argument
@store_option
@json_option("study", "pid")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=60.0,
    show_default=True,
    help="How long to wait until it has.",
)
def stop(study: str, store: Store, *, as_json: bool, timeout: float) -> None:
    """Ask the process that runs a STUDY to stop, and wait until it has. Finished trials are kept; `run` goes on."""
    from hpsearch.upkeep.activity import stop as stop_run  # noqa: PLC0415

    home = store.find(study)
    holder = stop_run(home, patience=timeout)
    if as_json:
        print_json({"study": home.key, "pid": holder.pid})
        return
    click.echo(f"{home.key}: process {holder.pid} has stopped")
    hint("status", home.key)
