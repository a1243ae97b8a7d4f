"""How verbs print: JSON for programs, words for people, and one line on what to do next."""

import json
import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import click

from hpsearch.errors import HpsearchError
from hpsearch.store import Store, StudyHome

F = TypeVar("F", bound=Callable[..., Any])

_STORELESS: Final = ("init", "validate", "preview", "data", "schema")
"""Verbs that read no store."""


class JsonOption(click.Option):
    """`--json`, and what it prints: `form`, and the keys of the object or of each object, on which programs rely."""

    def __init__(self, names: Sequence[str], *, keys: Sequence[str], form: str, **settings: Any) -> None:
        super().__init__(names, **settings)
        self.keys, self.form = tuple(keys), form


def json_option(*keys: str, form: str = "an object") -> Callable[[F], F]:
    """`--json`, given to the verb as `as_json`: see `JsonOption`."""
    said = "Print it as JSON, for programs."
    return click.option("--json", "as_json", is_flag=True, help=said, cls=JsonOption, keys=keys, form=form)


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


def bring_to_mlflow(store: Store, home: StudyHome, *, otherwise: str) -> None:
    """Attach what the study's home holds by now to its run; where that fails, warn: it is in the store either way.

    `otherwise` says what has not been done then.
    """
    from hpsearch.tracking import attach_files  # noqa: PLC0415 - for those that have something to attach

    try:
        attach_files(store, home)
    except HpsearchError as error:
        click.echo(f"warning: {otherwise}: {error}", err=True)


def command_line(verb: str, *parts: object) -> str:
    """A command of ours to type in a shell; where the one that runs was given a store, with that store."""
    return shlex.join(["hpsearch", verb, *map(str, parts), *([] if verb in _STORELESS else _named_store())])


def _named_store() -> list[str]:
    context = click.get_current_context(silent=True)
    store = context.params.get("store") if context else None
    return [] if store is None or store == Store.locate() else ["--store", str(store.root)]


def hint(verb: str, *parts: object) -> None:
    """What to type next, on standard error: what is piped stays whole."""
    click.echo(f"Next: {command_line(verb, *parts)}", err=True)
