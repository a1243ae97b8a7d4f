"""Options that several verbs share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hpsearch.spec.code import ALLOW_VARIABLE
from hpsearch.store import STORE_VARIABLE, Store


class Verb(click.Command):
    """A command whose help ends with examples, one a line."""

    def __init__(self, *arguments: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {example}\n" for example in self.examples))


if TYPE_CHECKING:
    from hpsearch.extensions import Code

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


study_argument = click.argument("study", metavar="STUDY")
file_argument = click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
