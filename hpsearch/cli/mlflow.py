"""`hpsearch ui` and `hpsearch sync`: the MLflow side."""

import os
import sys
import webbrowser
from collections.abc import Mapping
from dataclasses import asdict

import click

from hpsearch.cli.options import Verb, optional_study_argument, store_option, study_argument
from hpsearch.cli.output import hint, json_option, print_json, print_json_line
from hpsearch.errors import UnknownStudyError
from hpsearch.store import STORE_VARIABLE, Store


@click.command(
    cls=Verb,
    short_help="Compare trials in the MLflow UI.",
    examples=("hpsearch ui", "hpsearch ui digits --port 5001 --no-open"),
)
@optional_study_argument
@store_option
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Of its address.  [default: 5000, or the next free one]",
)
@click.option(
    "--open/--no-open", "open_browser", default=None, help="Open a browser.  [default: where there is one]"
)
@json_option("url", "port", "pid", "store", "studies", "elsewhere")
def ui(
    study: str | None, store: Store, port: int | None, *, open_browser: bool | None, as_json: bool
) -> None:
    """Serve the MLflow UI of the store on 127.0.0.1, and link to the view that compares a study's trials at once.

    Without a STUDY, the links of all studies are printed. Ctrl-C ends it. With --json the address, the process and the
    links are one line, as soon as the server answers.
    """
    from hpsearch.tracking import ui_server  # noqa: PLC0415 - help must not import it

    homes = [store.find(study)] if study else store.all_studies()
    if not homes:
        raise UnknownStudyError(
            f"no studies in {store.root}; run one with `hpsearch run FILE`, or name another store with --store or "
            f"{STORE_VARIABLE}"
        )
    click.echo("starting the MLflow UI ...", err=True)
    with ui_server(store, port=port) as server:
        links = {home.key: link for home in homes if (link := server.link(home))}
        if server.avoided:
            click.echo(f"port {server.avoided} is in use; taking {server.port}", err=True)
        absent = {home.key: server.elsewhere(home) for home in homes if home.key not in links}
        if as_json:
            place = {"url": server.url, "port": server.port, "pid": os.getpid(), "store": str(store.root)}
            print_json_line({**place, "studies": links, "elsewhere": absent})
        else:
            _print_links(store, server.url, links, absent)
        click.echo("Ctrl-C ends it.", err=True)
        if _has_browser() if open_browser is None else open_browser:
            webbrowser.open(next(iter(links.values()), server.url))
        server.wait()


def _print_links(store: Store, url: str, links: Mapping[str, str], absent: Mapping[str, str | None]) -> None:
    click.echo(f"MLflow UI of {store.root}: {url}")
    for key, link in links.items():
        click.echo(f"  {key}: {link}")
    for key, place in absent.items():
        click.echo(f"  {key}: {_absent(place, key)}")


def _absent(place: str | None, study: str) -> str:
    if place is not None:
        return f"not in this database, but tracked at {place}"
    return f"not written to MLflow yet; `hpsearch sync {study}` does it"


def _has_browser() -> bool:
    """Whether someone sits before a screen: a terminal, and a display where the system has such a thing."""
    if not sys.stdout.isatty():
        return False
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@click.command(
    cls=Verb,
    short_help="Make MLflow equal to the stored trials.",
    examples=("hpsearch sync digits", "hpsearch sync digits --uri http://tracking.example:5000"),
)
@study_argument
@store_option
@click.option(
    "--uri",
    metavar="URI",
    help="A copy to another MLflow tracking server or database.  [default: where the study is tracked]",
)
@json_option("study", "projected", "already", "total")
def sync(study: str, store: Store, uri: str | None, *, as_json: bool) -> None:
    """Write to MLflow whatever it lacks of a STUDY: after an outage, a deletion, or to another server."""
    from hpsearch.tracking import sync as synchronize  # noqa: PLC0415 - help must not import it

    home = store.find(study)
    report = synchronize(store, home, uri=uri)
    if as_json:
        print_json({"study": home.key, **asdict(report)})
        return
    click.echo(
        f"{home.key}: {report.projected} of {report.total} trials written, {report.already} were there already"
    )
    hint("ui", home.key)
