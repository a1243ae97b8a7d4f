"""What the shell completes beside verbs and options: the studies of the store, models, data."""

import click
from click.shell_completion import CompletionItem

from hpsearch.store import Store


def studies(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The studies, in each of their generations, of the store that the line names so far."""
    store = context.params.get("store") or Store.locate()
    return [CompletionItem(home.key) for home in store.all_studies() if home.key.startswith(incomplete)]


def models(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """A study, or the directory of a saved model."""
    return studies(context, parameter, incomplete) or [CompletionItem(incomplete, type="dir")]


def files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """A file."""
    return [CompletionItem(incomplete, type="file")]
