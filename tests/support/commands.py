"""Command lines in files, held against the programs that they call."""

import importlib

import click


def check_command(words):
    """Parse a command line by the program that it names, without running it; wrong options raise."""
    program, verb, *rest = words
    if program == "hpsearch":
        from hpsearch.cli import cli

        if verb.startswith("-"):
            return
        command = cli.get_command(click.Context(cli), verb)
        assert command is not None, verb
    else:
        assert program == "dask"
        command = importlib.import_module(f"distributed.cli.dask_{verb}").main
    command.make_context(verb, list(rest))
