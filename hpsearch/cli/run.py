"""`hpsearch run`: a study to its budget, watched live, with a summary at the end."""

import multiprocessing
import os
import signal
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from hpsearch.cli.options import F, Verb, as_options, file_argument, overrides_option, store_option
from hpsearch.cli.output import command_line, json_option, print_json
from hpsearch.errors import InterruptedRunError
from hpsearch.search.places import STORAGE_VARIABLE
from hpsearch.spec import StudySpec, load_study
from hpsearch.spec.code import ALLOW_VARIABLE
from hpsearch.store import Store, StudyHome

if TYPE_CHECKING:
    from hpsearch.extensions import Code


class _TerminatedError(KeyboardInterrupt):
    """SIGTERM: stop as for Ctrl-C."""


class _StoppedRunError(InterruptedRunError):
    """The run was stopped from outside; everything retired is kept."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def worker_count(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """A number from 1 on; that of the cores that this process may use for `auto`."""
    if value == "auto":
        from hpsearch.execution.cores import available_cores  # noqa: PLC0415 - not for --help

        return available_cores()
    if not value.isdecimal() or int(value) < 1:
        raise click.BadParameter(f"must be a number from 1 on, or auto, got {value!r}", context, parameter)
    return int(value)


def workers_option(function: F) -> F:
    """`--workers N|auto`, given to the verb as a number."""
    return click.option(
        "--workers",
        default="auto",
        callback=worker_count,
        metavar="N|auto",
        help="Processes that train.  [default: auto, the cores that this process may use]",
    )(function)


def code_option(function: F) -> F:
    """`--allow-code`, given to the verb as a `Code`."""
    return click.option(
        "--allow-code",
        "code",
        is_flag=True,
        envvar=ALLOW_VARIABLE,
        callback=_code,
        help=f"Import code that the study names as module:function; that executes it.  [also: ${ALLOW_VARIABLE}=1]",
    )(function)


def _code(_context: click.Context, _parameter: click.Parameter, value: bool) -> "Code":  # noqa: FBT001 - click's
    from hpsearch.extensions import Code  # noqa: PLC0415 - not for --help

    return Code(allowed=value)


SUMMARY_KEYS: Final = (
    *("study", "generation", "trial", "fingerprint", "params", "hyperparameters", "values", "scores"),
    *("verdict", "epochs", "test", "baselines", "inspection", "standing", "data"),
    *("trials", "states", "ended", "tracking_problem", "home"),
)
"""The keys of what `run --json` prints."""


@click.command(
    cls=Verb,
    short_help="Run a study, or go on where it left off.",
    examples=(
        "hpsearch run studies/digits.yaml",
        "hpsearch run study.yaml -S budget.trials=200 --workers 4",
        "hpsearch run study.yaml --detach",
    ),
)
@file_argument
@overrides_option
@store_option
@workers_option
@code_option
@click.option(
    "--storage",
    metavar="URL",
    help="A database for the trials: postgresql://..., mysql://... or sqlite:///...  "
    f"[default: ${STORAGE_VARIABLE}, or storage.url of the study file, or a journal file in the store]",
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Train on the workers of the Dask scheduler at this address, such as tcp://10.0.0.1:8786.",
)
@click.option("--fresh", is_flag=True, help="Begin a new generation beside the stored trials.")
@click.option("--quiet", "-q", is_flag=True, help="Print only the summary.")
@click.option("--detach", "-d", is_flag=True, help="Run in the background: see status, logs and stop.")
@json_option(*SUMMARY_KEYS)
def run(
    file: Path,
    overrides: tuple[str, ...],
    store: Store,
    workers: int,
    code: "Code",
    *,
    storage: str | None,
    cluster: str | None,
    fresh: bool,
    quiet: bool,
    detach: bool,
    as_json: bool,
) -> None:
    """Run the study in FILE to its budget: sample, train, prune, log, judge, refit, report.

    Running the same file again goes on where the last run stopped; budget.trials is a total. A changed file is refused
    unless --fresh begins a new generation.
    """
    if cluster is not None:
        if click.get_current_context().get_parameter_source("workers") is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                "--workers counts this machine's processes; those of a cluster are its own"
            )
        overrides = (*overrides, f"cluster.address={cluster}")
    spec = load_study(file, overrides)
    again = command_line("run", file, *as_options(overrides))  # without --fresh, which would begin anew
    if detach:
        from hpsearch.cli.detach import run_detached  # noqa: PLC0415 - numpy

        flags = [("--fresh", fresh or None), ("--allow-code", code.allowed or None)]
        options = [("--workers", workers), ("--storage", storage), *flags]
        run_detached(spec, file, overrides, store, options, as_json=as_json)
        return
    watched_run(
        spec,
        store=store,
        workers=workers,
        code=code,
        fresh=fresh,
        storage=storage,
        quiet=quiet,
        as_json=as_json,
        again=again,
    )


def watched_run(
    spec: StudySpec,
    *,
    store: Store,
    workers: int,
    code: "Code",
    again: str,
    fresh: bool = False,
    storage: str | None = None,
    quiet: bool = False,
    as_json: bool = False,
) -> None:
    """Run a study before the user's eyes, and print the summary; `again` is the command that goes on with it.

    Raises:
        HpsearchError: as `hpsearch.study.run_study` says, or the user stopped it.
    """
    # imported here: a study file with mistakes is refused before anything heavy is imported
    from hpsearch.cli.live import LiveDisplay  # noqa: PLC0415
    from hpsearch.cli.summary import print_summary, summary_json  # noqa: PLC0415
    from hpsearch.study import run_study  # noqa: PLC0415

    display = LiveDisplay(quiet=quiet)
    with stoppable(lambda: _kept(display.home), lambda: again), display:
        result = run_study(
            spec,
            store=store,
            observer=display,
            workers=workers,
            fresh=fresh,
            storage=storage,
            code=code,
        )
    if as_json:
        print_json(summary_json(result))
    else:
        print_summary(result)


@contextmanager
def stoppable(kept: Callable[[], str], again: Callable[[], str]) -> Iterator[None]:
    """Training that the user may stop: then `kept` says what is there, and `again` is the command that goes on.

    Raises:
        InterruptedRunError: it was stopped.
    """
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as for a command in the background
        signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    except KeyboardInterrupt as stop:
        code = 143 if isinstance(stop, _TerminatedError) else InterruptedRunError.exit_code
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done; a late Ctrl-C changes no exit code
        raise _StoppedRunError(f"stopped; {kept()}. Go on with: {again()}", code) from None


def _kept(home: StudyHome | None) -> str:
    """How many trials the store holds: a signal may come between storing a trial and showing it."""
    # loaded by the run before
    from hpsearch.search.facts import FactStore  # noqa: PLC0415
    from hpsearch.search.places import place_of  # noqa: PLC0415

    if home is None or not FactStore.exists(place_of(home), study=home.key):
        return "no trial had finished"
    count = len(FactStore.open(place_of(home), study=home.key).facts())
    return "1 finished trial is kept" if count == 1 else f"{count} finished trials are kept"


def _interrupt(_number: int, _frame: types.FrameType | None) -> None:
    signal.signal(signal.SIGINT, _leave)
    _write("\nstopping; Ctrl-C again ends at once\n")
    raise KeyboardInterrupt


def _leave(_number: int, _frame: types.FrameType | None) -> None:
    """A second Ctrl-C: nobody is waited for; what was stored is whole."""
    for child in multiprocessing.active_children():
        child.kill()
    _write("\x1b[?25h" if os.isatty(2) else "")  # the cursor that the bar has hidden
    os._exit(InterruptedRunError.exit_code)


def _write(text: str) -> None:
    """To standard error past its buffer, which the interrupted code may be writing to."""
    with suppress(OSError):
        os.write(2, text.encode())


def _terminate(_number: int, _frame: types.FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise _TerminatedError
