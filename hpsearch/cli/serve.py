"""`hpsearch serve`: an MLflow tracking server for a team."""

import os
from typing import TYPE_CHECKING

import click

from hpsearch.cli.options import Verb, store_option
from hpsearch.cli.output import json_option, print_json_line
from hpsearch.store import Store

if TYPE_CHECKING:
    from hpsearch.tracking.service import RunningService, Service


@click.command(
    cls=Verb,
    short_help="Serve MLflow to a team.",
    examples=(
        "hpsearch serve",
        "hpsearch serve --host 0.0.0.0 --allowed-hosts tracking.example:5000 --database postgresql://db/mlflow",
    ),
)
@store_option
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to bind to."
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=5000,
    show_default=True,
    metavar="PORT",
    help="Of its address.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    metavar="N",
    help="Server processes.",
)
@click.option(
    "--database",
    metavar="URL",
    help="postgresql://... or sqlite:///... for runs and users.  [default: $HPSEARCH_SERVER_DATABASE_URL, or SQLite "
    "in the store]",
)
@click.option(
    "--artifacts",
    metavar="DIR",
    help="Where files are kept, which pass through the server: a directory or s3://...  [default: in the store]",
)
@click.option(
    "--allowed-hosts",
    metavar="NAMES",
    help="Names and ports under which clients reach it, by commas; others get 403.  [default: this machine's own]",
)
@click.option(
    "--auth", is_flag=True, help="Ask for a password on 127.0.0.1 too; elsewhere that is always done."
)
@json_option("url", "port", "pid", "database", "artifacts", "reached_as", "user", "password_file")
def serve(
    *,
    store: Store,
    host: str,
    port: int,
    workers: int,
    database: str | None,
    artifacts: str | None,
    allowed_hosts: str | None,
    auth: bool,
    as_json: bool,
) -> None:
    """Serve MLflow from the store: for studies with `tracking: {uri: ...}`, and for browsers.

    Whoever is not on this machine must give a name and a password. The administrator's comes from
    $MLFLOW_AUTH_ADMIN_PASSWORD, or is made up and written to a file that only its owner can read. Ctrl-C ends it. With
    --json all that clients need is one line, as soon as the server answers.
    """
    from hpsearch.tracking.service import plan_service, running  # noqa: PLC0415 - help must not import it

    service = plan_service(
        store,
        host=host,
        port=port,
        workers=workers,
        database=database,
        artifacts=artifacts,
        allowed_hosts=[name.strip() for name in allowed_hosts.split(",")] if allowed_hosts else (),
        authentication=auth,
    )
    click.echo("starting the MLflow server ...", err=True)
    with running(service) as server:
        if as_json:
            print_json_line(_as_json(service, server))
        else:
            _print(service, server)
        click.echo("Ctrl-C ends it.", err=True)
        server.wait()


def _as_json(service: "Service", server: "RunningService") -> dict[str, object]:
    return {
        "url": server.url,
        "port": service.port,
        "pid": os.getpid(),
        "database": service.backend,
        "artifacts": service.artifacts,
        "reached_as": list(service.allowed_hosts),
        "user": server.user,
        "password_file": None if server.password_file is None else str(server.password_file),
    }


def _print(service: "Service", server: "RunningService") -> None:
    click.echo(f"MLflow: {server.url}")
    click.echo(f"  database   {service.backend}")
    click.echo(f"  artifacts  {service.artifacts}")
    click.echo(f"  reached as {', '.join(service.allowed_hosts)}")
    if server.user:
        source = (
            f"in {server.password_file}" if server.password_file else "as the environment gave it at first"
        )
        click.echo(f"  user       {server.user}, password {source}")
        click.echo("Clients set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.")
