"""`hpsearch schema`: the JSON schema of the study file."""

import json

import click

from hpsearch.cli.options import Verb
from hpsearch.cli.output import json_option, print_json


@click.command(
    cls=Verb,
    short_help="Print the JSON schema of the study file.",
    examples=("hpsearch schema > study.schema.json", "hpsearch schema --path"),
)
@click.option("--path", is_flag=True, help="Print where the installed package keeps it.")
@json_option(form="the schema; with --path an object with `file`")
def schema(*, path: bool, as_json: bool) -> None:
    """Print the JSON schema of the study file, with which editors complete and check it.

    It is JSON with --json and without. Files that `hpsearch init` writes name it in their first line, as the YAML
    language server reads it.
    """
    if path:
        from hpsearch.spec.schema import SCHEMA_FILE, modeline  # noqa: PLC0415

        if as_json:
            print_json({"file": str(SCHEMA_FILE)})
        else:
            click.echo(str(SCHEMA_FILE))
            click.echo(f"Next: begin a study file with: {modeline()}", err=True)
        return
    from hpsearch.spec import json_schema  # noqa: PLC0415 - pydantic

    click.echo(json.dumps(json_schema(), separators=(",", ":")))
