"""The reference page of the command line, from the verbs themselves.

`python -m hpsearch.cli.reference` prints it; it is kept as docs/command-line.md.
"""

import sys
from collections.abc import Iterator
from html import escape
from inspect import cleandoc
from typing import Final

import click

from hpsearch.cli import cli
from hpsearch.cli.options import Verb
from hpsearch.cli.output import JsonOption

_INTRODUCTION: Final = """\
# The command line

<!-- made by `python -m hpsearch.cli.reference`: change the verbs in hpsearch/cli, not this page -->

`hpsearch VERB --help` says the same in the terminal.

Exit codes: 0 done, 1 it failed while running, 2 something in the input is wrong, 130 interrupted (143 by SIGTERM).
A reader who leaves before the end, as `head` does, ends a command without a word, with 1.
Messages for people go to standard error, what programs read to standard output; `--json` gives it to them whole, under
keys that stay: they are named below, and others may join them. The last line on standard error says what to type next,
unless a program is spoken to. `NO_COLOR` turns colours off; a pipe gets none, and neither it nor a terminal where `CI`
is set gets a moving bar.

Completion by the shell, of verbs, options, names of studies and paths, takes a line where the shell starts:

```sh
eval "$(_HPSEARCH_COMPLETE=bash_source hpsearch)"                                    # ~/.bashrc
autoload -Uz compinit && compinit; eval "$(_HPSEARCH_COMPLETE=zsh_source hpsearch)"  # ~/.zshrc
_HPSEARCH_COMPLETE=fish_source hpsearch | source                                     # ~/.config/fish/config.fish
```
"""


def reference() -> str:
    """The page in Markdown."""
    context = click.Context(cli, info_name="hpsearch")
    return "\n".join([_INTRODUCTION, *_overview(context), *_verbs(context)])


def _overview(context: click.Context) -> Iterator[str]:
    yield "| verb | what it does |\n| --- | --- |"
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None  # noqa: S101 - it was listed
        yield f"| [{name}](#{name}) | {command.get_short_help_str(120)} |"
    yield ""


def _verbs(context: click.Context) -> Iterator[str]:
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None  # noqa: S101 - it was listed
        yield from _verb(command, click.Context(command, info_name=name, parent=context))


def _verb(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.info_name}\n"
    yield f"    {' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n"
    yield f"{_text(command.help or '')}\n"
    yield "| option | |\n| --- | --- |"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            option, text = (_cell(part) for part in record)
            yield f"| <code>{option}</code> | {text} |"
    yield ""
    for parameter in command.params:
        if isinstance(parameter, JsonOption):
            yield f"{_printed(parameter)}\n"
    if isinstance(command, Verb) and command.examples:
        yield "\n".join(f"    {example}" for example in command.examples) + "\n"


def _printed(option: JsonOption) -> str:
    """What `--json` prints, in a sentence."""
    keys = ", ".join(f"`{key}`" for key in option.keys)
    return f"`--json` prints {option.form}{' with ' if keys else ''}{keys}."


def _text(help_text: str) -> str:
    """A help text as paragraphs: click's mark for lines that stay as they are has no place here."""
    return cleandoc(help_text.replace("\b\n", ""))


def _cell(text: str) -> str:
    """One line, without what Markdown would read as a column's end or a reference."""
    return escape(" ".join(text.split())).replace("|", "&#124;").replace("[", "&#91;")


if __name__ == "__main__":
    sys.stdout.write(reference())
