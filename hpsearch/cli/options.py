"""Options that several verbs share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from hpsearch.cli.completion import models, studies
from hpsearch.store import STORE_VARIABLE, Store


class Verb(click.Command):
    """A command whose help ends with examples, one a line."""

    def __init__(self, *arguments: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments; an option that is a key of the study file is told how that is set."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if not any("-S" in parameter.opts for parameter in self.params):
                raise
            said = (
                f"{error.format_message()} Keys of the study file are set by -S, as in -S budget.trials=20."
            )
            raise click.UsageError(said, ctx) from error

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {example}\n" for example in self.examples))


F = TypeVar("F", bound=Callable[..., Any])


def _locate(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Store:
    return Store.locate(value)


def store_option(function: F) -> F:
    """`--store DIR`, given to the verb as a `Store`."""
    return click.option(
        "--store",
        type=click.Path(path_type=Path, file_okay=False),
        callback=_locate,
        metavar="DIR",
        help=f"Where studies are kept.  [default: ${STORE_VARIABLE} or ./mlruns]",
    )(function)


def overrides_option(function: F) -> F:
    """`-S key.path=value`, any number of times."""
    return click.option(
        "-S",
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help="Override a key of the study file, as in -S space.learning_rate.max=0.01; may be repeated.",
    )(function)


def as_options(overrides: Sequence[str]) -> list[str]:
    """Overrides as they were typed."""
    return [word for override in overrides for word in ("-S", override)]


study_argument = click.argument("study", metavar="STUDY", shell_complete=studies)
optional_study_argument = click.argument("study", metavar="[STUDY]", required=False, shell_complete=studies)
model_argument = click.argument("model", metavar="MODEL", shell_complete=models)
file_argument = click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
