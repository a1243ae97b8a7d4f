"""`hpsearch trials` and `hpsearch best`: what a study has found."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

import click

from hpsearch.cli.options import Verb, store_option, study_argument
from hpsearch.search.fact import TrialFact
from hpsearch.store import Store


@click.command(
    cls=Verb,
    short_help="List a study's trials.",
    examples=("hpsearch trials digits --top 10", "hpsearch trials digits --json | jq '.[0].params'"),
)
@study_argument
@store_option
@click.option("--json", "as_json", is_flag=True, help="Everything that is stored, as JSON.")
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Only the N best.")
def trials(study: str, store: Store, *, as_json: bool, top: int | None) -> None:
    """List the trials of a STUDY: finished ones first, by the objective, then the others."""
    from hpsearch.cli.describe import counted, json_able  # noqa: PLC0415
    from hpsearch.results import open_for_reading  # noqa: PLC0415 - help must not import optuna
    from hpsearch.search.ranking import pareto_front, ranked  # noqa: PLC0415

    home = store.find(study)
    stored = open_for_reading(home)
    facts = stored.facts()
    best_first = ranked(facts, stored.directions)
    shown = (best_first + [fact for fact in facts if not fact.finished])[:top]
    if as_json:
        click.echo(json.dumps(json_able([_as_json(fact) for fact in shown]), indent=1))
        return
    canonical = stored.attributes["canonical"]
    metrics = [objective["metric"] for objective in canonical.get("objectives", [])]
    front = {fact.number for fact in pareto_front(facts, stored.directions)} if metrics else set()
    monitored = metrics[0] if metrics else canonical["objective"]["metric"]
    _print_table(shown, metrics, front, monitored)
    following = f" Next: hpsearch best {home.key}" if best_first else ""
    click.echo(f"{counted(len(facts), 'trial')}, {len(best_first)} finished.{following}", err=True)


def _as_json(fact: TrialFact) -> dict[str, Any]:
    return {"name": fact.name, **asdict(fact)}


def _print_table(
    facts: Sequence[TrialFact], metrics: Sequence[str], front: Collection[int], monitored: str
) -> None:
    """A line a trial. `metrics`: the names of several objectives, then `front` holds the numbers of the best.

    `monitored`: the first objective's metric, whose spread is shown where trials train several networks.
    """
    from hpsearch.cli.describe import console, number, plain_table  # noqa: PLC0415

    names = list(dict.fromkeys(name for fact in facts for name in fact.params))
    spreads = {
        fact.number: fact.scores[name] for fact in facts if (name := f"spread_{monitored}") in fact.scores
    }
    table = plain_table(
        "trial",
        "state",
        *(metrics or ["objective"]),
        *(["spread"] if spreads else []),
        *(["front"] if metrics else []),
        "gap",
        "epochs",
        "verdict",
        *names,
    )
    for fact in facts:
        table.add_row(
            fact.name,
            fact.state.replace("_", " "),
            *(map(number, fact.values) if fact.values else [""] * max(1, len(metrics))),
            *([number(spreads.get(fact.number, ""))] if spreads else []),
            *((["yes"] if fact.number in front else [""]) if metrics else []),
            number(fact.scores.get("generalization_gap", "")),
            str(fact.epochs),
            fact.verdict.replace("_", " "),
            *(number(fact.params.get(name, "")) for name in names),
        )
    console().print(table)


@click.command(
    cls=Verb,
    short_help="Show a study's best parameters.",
    examples=("hpsearch best digits", "hpsearch best digits -f yaml > best.yaml"),
)
@study_argument
@store_option
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["table", "yaml", "json"]),
    default="table",
    show_default=True,
    help="table: for people, with scores. yaml: the parameters alone. json: with provenance.",
)
def best(study: str, store: Store, form: str) -> None:
    """Show the best parameters of a STUDY so far."""
    from hpsearch.results import best_params  # noqa: PLC0415 - help must not import optuna

    params = best_params(study, store=store.root)
    if form == "yaml":
        import yaml  # noqa: PLC0415

        click.echo(yaml.safe_dump(dict(params), sort_keys=False), nl=False)
        return
    provenance = params.provenance()
    if form == "json":
        from hpsearch.cli.describe import json_able  # noqa: PLC0415

        click.echo(json.dumps(json_able({"params": dict(params), **provenance}), indent=1))
        return
    _print_best(dict(params), provenance)


def _print_best(params: dict[str, Any], provenance: dict[str, Any]) -> None:
    from hpsearch.cli.describe import console, number, plain_table  # noqa: PLC0415

    out = console()
    out.print(f"[bold]{provenance['study']}[/], best of its trials: trial-{provenance['trial']:04d}")
    table = plain_table("parameter", "value")
    for name, value in params.items():
        table.add_row(name, number(value))
    out.print(table)
    scores = plain_table("score", "value", "95% interval")
    for name, value in provenance["scores"].items():
        scores.add_row(name.replace("_", " "), number(value), "")
    for name, score in provenance["test"].items():
        scores.add_row(
            f"test {name.replace('_', ' ')}",
            number(score["value"]),
            f"{number(score['low'])} to {number(score['high'])}",
        )
    out.print(scores)
    out.print(f"data {provenance['fingerprint']}, MLflow run {provenance['run_id'] or 'not written yet'}")
