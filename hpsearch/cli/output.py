"""How verbs print: JSON for programs, words for people, and one line on what to do next."""

import json
import math
import shlex
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """`--json`, given to the verb as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for programs.")(function)


def print_json(value: Any) -> None:
    """One JSON value, indented, on standard output."""
    click.echo(json.dumps(json_able(value), indent=1))


def print_json_line(value: Any) -> None:
    """One JSON value as one line on standard output: of what goes on, and says more later or nothing."""
    click.echo(json.dumps(json_able(value)))


def json_able(value: Any) -> Any:
    """Plain values with null for what JSON has no number for: a loss that has overflowed, a score without a value."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {name: json_able(item) for name, item in value.items()}
        case list() | tuple():
            return [json_able(item) for item in value]
    return value


def words(*parts: object) -> str:
    """A command to type in a shell."""
    return shlex.join(map(str, parts))


def hint(*parts: object) -> None:
    """What to type next, on standard error: what is piped stays whole."""
    click.echo(f"Next: {words(*parts)}", err=True)
