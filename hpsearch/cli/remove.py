"""`hpsearch rm` and `hpsearch gc`: what is no longer wanted."""

import click

from hpsearch.cli import completion
from hpsearch.cli.options import Verb, store_option
from hpsearch.cli.output import hint, json_option, print_json
from hpsearch.errors import InputError
from hpsearch.store import Store


@click.command(
    cls=Verb,
    short_help="Delete studies for good.",
    examples=("hpsearch rm digits~1", "hpsearch rm digits --all-generations --yes"),
)
@click.argument("studies", metavar="STUDY...", nargs=-1, required=True, shell_complete=completion.studies)
@store_option
@json_option("study", "trials", "runs", "problem", form="a list of objects")
@click.option("--all-generations", is_flag=True, help="Every generation of the studies named.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def rm(studies: tuple[str, ...], store: Store, *, as_json: bool, all_generations: bool, yes: bool) -> None:
    """Delete each STUDY: its trials, its model, and its runs in MLflow. There is no way back.

    A bare name is the latest generation. A study that is being run is refused.
    """
    from hpsearch.judgment.sentences import counted  # noqa: PLC0415
    from hpsearch.upkeep.removal import remove  # noqa: PLC0415 - optuna

    homes = list(dict.fromkeys(store.find(name) for name in studies))
    if all_generations:
        homes = [each for home in homes for each in store.generations(home.name)]
        homes = list(dict.fromkeys(homes))
    if not yes:
        if as_json:
            raise InputError("rm --json asks no questions: say --yes")
        names = ", ".join(home.key for home in homes)
        click.confirm(f"Delete {names} from {store.root} for good?", abort=True, err=True)
    removed = [remove(store, home) for home in homes]
    if as_json:
        print_json([each.to_json() for each in removed])
        return
    for each in removed:
        there = f", {counted(each.runs, 'run')} in MLflow" if each.runs else ""
        click.echo(f"{each.study}: deleted, with {counted(each.trials, 'trial')}{there}")
        if each.problem:
            click.echo(f"warning: {each.problem}", err=True)
    hint("gc")


@click.command(
    cls=Verb,
    short_help="Free the space of what nothing needs any more.",
    examples=("hpsearch gc --dry-run", "hpsearch gc"),
)
@store_option
@json_option("path", "bytes", form="a list of objects")
@click.option("--dry-run", "-n", is_flag=True, help="Only say what would be deleted.")
def gc(store: Store, *, as_json: bool, dry_run: bool) -> None:
    """Delete prepared data that can be made again, half-written files, empty studies, and what gone studies left.

    What they leave are logs, and data that Python has handed over. While a study of the store is running, prepared data
    is left alone.
    """
    from hpsearch.upkeep.removal import collect  # noqa: PLC0415 - optuna

    found = collect(store, dry_run=dry_run)
    if as_json:
        print_json([{"path": str(path), "bytes": size} for path, size in found])
        return
    for path, size in found:
        click.echo(f"{'would delete' if dry_run else 'deleted'} {path} ({size / 1e6:.1f} MB)")
    total = sum(size for _, size in found) / 1e6
    click.echo(f"{total:.1f} MB {'can be' if dry_run else 'were'} freed")
    if dry_run and found:
        hint("gc")
    else:
        hint("status")
