"""The summary at the end of a run: the winner, what its curves say, its scores, and what to type next."""

from collections import Counter
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from hpsearch.cli.describe import console as new_console
from hpsearch.cli.describe import number, plain_table
from hpsearch.cli.output import command_line
from hpsearch.judgment.generalization import own_scores
from hpsearch.judgment.sentences import counted, search_sentences
from hpsearch.search.fact import TrialFact
from hpsearch.search.ranking import pareto_front
from hpsearch.store import Store, load_nested
from hpsearch.study import StudyResult

_ENDINGS: Final = {
    "time": "The budget in time ended the search; run again to go on.",
    "exhausted": "The search space is exhausted: every combination has been tried.",
    "failures": "The search gave up: {failures} trials one after another failed or diverged (budget.failures).",
}


def print_summary(result: StudyResult) -> None:
    """Print it to standard output."""
    console = new_console()
    winner = next(fact for fact in result.facts if fact.number == result.result["trial"])
    _head(console, result)
    _winner(console, result, winner)
    _test(console, result)
    _standing(console, result)
    _front(console, result)
    _next(console, result)


def summary_json(result: StudyResult) -> dict[str, Any]:
    """The same as JSON values: what `result.json` holds, and how the run went."""
    return {
        **result.result,
        "study": result.home.key,
        "trials": len(result.facts),
        "states": dict(Counter(fact.state for fact in result.facts)),
        "ended": result.ended,
        "tracking_problem": result.tracking_problem,
        "home": str(result.home.path),
    }


def _head(console: Console, result: StudyResult) -> None:
    states = Counter(fact.state for fact in result.facts)
    counts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in states.most_common())
    console.print(f"[bold]{result.home.key}[/]: {counted(len(result.facts), 'trial')} ({counts})")
    verdicts = Counter(fact.verdict.replace("_", " ") for fact in result.facts if fact.verdict)
    if verdicts:
        console.print("verdicts: " + ", ".join(f"{count} {name}" for name, count in verdicts.most_common()))
    if result.ended != "trials":
        console.print(_ENDINGS[result.ended].format(failures=result.spec.budget.failures))


def _winner(console: Console, result: StudyResult, winner: TrialFact) -> None:
    console.print(f"\n[bold green]Best: {winner.name}[/]")
    table = plain_table()
    for name, value in winner.params.items():
        table.add_row(f"  {name}", number(value))
    console.print(table)
    objective = result.spec.objectives[0]
    value = winner.values[0] if winner.values else float("nan")
    console.print(f"\nvalidation  {objective.metric} {number(value)}{_others(winner)}")
    if winner.members:
        spread = winner.scores.get(f"spread_{objective.metric}", "")
        console.print(
            f"spread      {number(spread)} over {len(winner.members)} networks, of which that is the mean"
        )
    gap = winner.scores.get("generalization_gap")
    if gap is not None:
        console.print(
            f"gap         validation loss is {number(abs(gap))} {'above' if gap >= 0 else 'below'} training loss"
        )
    console.print(f"curves      {winner.verdict.replace('_', ' ')}: {escape(winner.reason)}")
    for finding in winner.findings:
        console.print(f"            {escape(finding.sentence)} {escape(finding.advice)}")


def _others(winner: TrialFact) -> str:
    shown = {
        name.removeprefix("best_validation_"): value
        for name, value in winner.scores.items()
        if name.startswith("best_validation_") and name != "best_validation_loss"
    }
    return "".join(f", {name.replace('_', ' ')} {number(value)}" for name, value in shown.items())


def _test(console: Console, result: StudyResult) -> None:
    rows, epochs = result.result["data"]["test_rows"], result.result["epochs"]
    if not result.result["test"]:
        trainer = escape(str(result.spec.trainer))
        console.print(
            f"\n[bold]Test part[/] ({counted(rows, 'row')}) is still sealed: {trainer} shows no model"
        )
        return
    console.print(
        f"\n[bold]Test part[/] ({counted(rows, 'row')}, opened once; "
        f"the winner refitted on the rest for {counted(epochs, 'epoch')})"
    )
    baselines, own = result.result["baselines"], own_scores(result.result)
    table = plain_table("", "test", "95% interval", "validation", "less test", *baselines)
    for name, score in result.result["test"].items():
        table.add_row(
            f"  {name.replace('_', ' ')}",
            number(score["value"]),
            f"{number(score['low'])} to {number(score['high'])}",
            *map(number, own.get(name, ("", ""))),
            *(number(scores.get(name, "")) for scores in baselines.values()),
        )
    console.print(table)


def _standing(console: Console, result: StudyResult) -> None:
    """What the trials say together, and what the test part says of classes, calibration and inputs."""
    inspection = result.result.get("inspection", {})
    lines = search_sentences(result.result, load_nested(result.home) or {})
    lines += [
        f"Suspicious: {name} alone predicts the target ({gained:.1%} of a constant guess's error gone). "
        "Is it known before the target is? If not, data.drop it."
        for name, gained in inspection.get("lone_predictors", {}).items()
    ]
    calibration = inspection.get("calibration")
    if calibration:
        lines.append(
            f"Calibration: confidence and accuracy differ by {calibration['error']:.1%} on average (test)."
        )
    strongest = [
        f"{name} ({number(drop)})" for name, drop in list(inspection.get("importance", {}).items())[:3]
    ]
    if strongest:
        lines.append(f"Inputs that matter most (what shuffling them costs on test): {', '.join(strongest)}.")
    if lines:
        console.print("\n[bold]The search as a whole[/]")
    for line in lines:
        console.print(f"  - {escape(line)}")


def _front(console: Console, result: StudyResult) -> None:
    if len(result.spec.objectives) == 1:
        return
    front = pareto_front(result.facts, [objective.direction for objective in result.spec.objectives])
    console.print(
        f"\n[bold]Pareto front[/] ({counted(len(front), 'trial')}; the winner is the first objective's best)"
    )
    table = plain_table("  trial", *(objective.metric for objective in result.spec.objectives))
    for fact in front:
        table.add_row(f"  {fact.name}", *map(number, fact.values or ()))
    console.print(table)


def _next(console: Console, result: StudyResult) -> None:
    if result.tracking_problem:
        console.print(f"\n[yellow]MLflow:[/] {escape(result.tracking_problem)}")
    name = result.home.key
    store = Store(result.home.path.parents[1])
    there = repr(name) if store == Store.locate() else f"{name!r}, store={str(store.root)!r}"
    uri = result.spec.tracking.uri
    steps = {
        escape(command_line("ui") if uri is None else uri): "compare the trials in the browser",
        escape(command_line("report", name)): "one page: curves, findings, what mattered",
    }
    if result.facts[result.result["trial"]].has_losses:
        steps[escape(command_line("why", name))] = "what one change would have made of the best trial"
    steps[escape(command_line("best", name))] = "these parameters, as a table, yaml or json"
    if result.spec.trainer is None:
        steps[escape(f"hpsearch.load_model({there})")] = "the refitted network, in Python"
    else:
        steps[escape(f"hpsearch.best_params({there})")] = "what to give the trainer, in Python"
    width = max(map(len, steps))
    console.print("\nNext:")
    for step, purpose in steps.items():
        # not a table: a command that is folded in a narrow column cannot be pasted
        console.print(f"  [bold]{step}[/]{' ' * (width - len(step))}  {purpose}", soft_wrap=True)
