"""The command line: click verbs over the library, and the only place that prints."""

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final

import click

from hpsearch.errors import HpsearchError, InterruptedRunError
from hpsearch.leaving import leave_at_once

_VERBS: Final = {
    "init": ("hpsearch.cli.init", "Write a study file for your data."),
    "run": ("hpsearch.cli.run", "Run a study, or go on where it left off."),
    "validate": ("hpsearch.cli.validate", "Check a study file and its data without training."),
    "preview": ("hpsearch.cli.preview", "Show what a study would try, and what it would cost."),
    "data": ("hpsearch.cli.data", "Describe a study's data before training."),
    "status": ("hpsearch.cli.status", "Show how studies stand: running, ended, interrupted."),
    "logs": ("hpsearch.cli.status", "Show what a run in the background has printed."),
    "stop": ("hpsearch.cli.status", "Stop the run of a study; what has finished is kept."),
    "trials": ("hpsearch.cli.trials", "List a study's trials."),
    "best": ("hpsearch.cli.best", "Show a study's best parameters."),
    "show": ("hpsearch.cli.show", "Show one trial: parameters, curves, findings."),
    "why": ("hpsearch.cli.why", "Change one thing of a trial at a time: what is wrong?"),
    "compare": ("hpsearch.cli.show", "Compare two trials, or two studies' best."),
    "report": ("hpsearch.cli.report", "Write a study as one page: figures, findings, advice."),
    "extend": ("hpsearch.cli.again", "Go on with a study: more trials."),
    "retry": ("hpsearch.cli.again", "Train the trials again that failed."),
    "refit": ("hpsearch.cli.again", "Train the best recipe from other seeds: was it luck?"),
    "nested": ("hpsearch.cli.nested", "Nested cross-validation: score the whole search."),
    "predict": ("hpsearch.cli.predict", "Predict with a study's model."),
    "export": ("hpsearch.cli.export", "Write a model for other programs."),
    "ui": ("hpsearch.cli.mlflow", "Compare trials in the MLflow UI."),
    "serve": ("hpsearch.cli.serve", "Serve MLflow to a team, with passwords."),
    "sync": ("hpsearch.cli.mlflow", "Make MLflow equal to the stored trials."),
    "rm": ("hpsearch.cli.remove", "Delete studies for good."),
    "gc": ("hpsearch.cli.remove", "Free the space of what nothing needs any more."),
    "schema": ("hpsearch.cli.schema", "Print the JSON schema of the study file."),
    "doctor": ("hpsearch.cli.doctor", "Check the environment, the store and the tracking server."),
}


class _LazyGroup(click.Group):
    """Imports a verb when it is called: `--help` costs no more than click."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All verbs, in the order of use."""
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        """The verb's command, imported now."""
        if cmd_name not in _VERBS:
            return None
        command = getattr(import_module(_VERBS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above says so
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is called; of one that is not there, the nearest."""
        near = [] if args[0] in _VERBS else get_close_matches(args[0], _VERBS, n=1)
        if near:
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {near[0]!r}?", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs from the table, so that help imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _VERBS.items()])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: hpsearch init train.csv --target COLUMN, or hpsearch init sklearn/digits",
)
@click.version_option(package_name="hpsearch")
def cli() -> None:
    """Search the hyperparameters of a neural network: sample, train, prune, log, judge, refit.

    A study is one YAML file. Its trials are kept in ./mlruns (or --store, or $HPSEARCH_STORE) and shown in MLflow.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 unusable input, 130 interrupted."""
    leave_at_once()
    try:
        code = cli.main(args=arguments, prog_name="hpsearch", standalone_mode=False)
    except click.exceptions.Abort as abort:
        _say_aborted(abort)
        code = InterruptedRunError.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        code = InterruptedRunError.exit_code
    except HpsearchError as error:
        _complain(str(error))
        code = error.exit_code
    except OSError as error:  # what writes a file of ours says more: this is where standard output leads
        _complain(f"{error.filename or 'standard output'}: {error.strerror or error}")
        code = HpsearchError.exit_code
    sys.exit(_exit_code(code))


def _say_aborted(abort: click.exceptions.Abort) -> None:
    """Ctrl-C, or a question that was not answered with yes, which may still be on the line."""
    asked = "" if sys.stdin.isatty() else "\n"
    click.echo(
        "interrupted" if isinstance(abort.__cause__, KeyboardInterrupt) else f"{asked}aborted", err=True
    )


def _complain(text: str) -> None:
    colour = False if os.environ.get("NO_COLOR") else None  # None: where the terminal has it
    click.echo(f"{click.style('error:', fg='red', bold=True)} {text}", err=True, color=colour)


def _exit_code(code: Any) -> int:
    return code if isinstance(code, int) else 0
