"""`hpsearch schema`: the JSON schema of the study file."""

import json

import click

from hpsearch.cli.options import Verb


@click.command(
    cls=Verb,
    short_help="Print the JSON schema of the study file.",
    examples=("hpsearch schema > study.schema.json", "hpsearch schema --path"),
)
@click.option("--path", is_flag=True, help="Print where the installed package keeps it.")
def schema(*, path: bool) -> None:
    """Print the JSON schema of the study file, with which editors complete and check it.

    Files that `hpsearch init` writes name it in their first line, as the YAML language server reads it.
    """
    if path:
        from hpsearch.spec.schema import SCHEMA_FILE  # noqa: PLC0415

        click.echo(str(SCHEMA_FILE))
        return
    from hpsearch.spec import json_schema  # noqa: PLC0415 - pydantic

    click.echo(json.dumps(json_schema(), separators=(",", ":")))
