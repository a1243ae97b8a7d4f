"""What a search's trials say together, in sentences: the same in the terminal, in the report and in MLflow."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hpsearch.judgment.generalization import nested_sentences, own_scores
from hpsearch.judgment.variation import Variation

_MOST: Final = 3  # parameters that are told to matter


def search_sentences(result: Mapping[str, Any], nested: Mapping[str, Any]) -> list[str]:
    """Of what `result.json` and `nested.json` hold; nothing while there is nothing."""
    standing = result.get("standing", {})
    told = [
        standing.get("sentence", ""),
        _optimism(standing),
        *nested_sentences(nested),
        _importance(standing.get("importance", {})),
        *(f"{finding['sentence']} {finding['advice']}" for finding in standing.get("findings", ())),
    ]
    return [sentence for sentence in told if sentence]


def _optimism(standing: Mapping[str, Any]) -> str:
    flattered = standing.get("optimism")
    if flattered is None:
        return ""
    return f"Being the best of {standing['finished']} flatters its mean validation loss by about {flattered:.4g}."


def _importance(importance: Mapping[str, Mapping[str, float]]) -> str:
    """Those that matter beyond chance."""
    certain = {name: each for name, each in importance.items() if each["low"] > 0}
    if not certain:
        return ""
    shares = (
        f"{name} {each['share']:.0%} ({each['low']:.0%} to {min(each['high'], 1):.0%})"
        for name, each in list(certain.items())[:_MOST]
    )
    return f"What decides the order of trials, each parameter by itself: {', '.join(shares)}."


def score_table(result: Mapping[str, Any]) -> list[str]:
    """The winner's test scores beside its validation scores and the baselines': rows of Markdown."""
    baselines, own = result["baselines"], own_scores(result)
    rows = [
        ["score", "validation", "test", "95% interval", *baselines],
        ["---"] * (4 + len(baselines)),
        *(
            [
                name.replace("_", " "),
                short_number(own[name][0]) if name in own else "",
                short_number(score["value"]),
                f"{short_number(score['low'])} to {short_number(score['high'])}",
                *(short_number(scores.get(name)) for scores in baselines.values()),
            ]
            for name, score in result["test"].items()
        ),
    ]
    return [f"| {' | '.join(cells)} |" for cells in rows]


def short_number(value: object) -> str:
    """Four significant digits of a float, nothing for nothing."""
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)


def counted(count: int, noun: str) -> str:
    """`1 trial`, `1,797 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def best_variation(variations: Sequence[Variation], metric: str, direction: str) -> str:
    """Which change did most for the objective, and whether that is more than another seed does."""
    same = [each.value for each in variations if not each.changes and each.value is not None]
    changed = [each for each in variations if each.changes and each.value is not None]
    sign = 1 if direction == "minimize" else -1
    best = min(changed, key=lambda each: sign * (each.value or 0.0), default=None)
    if best is None or best.value is None:
        return "Nothing that was tried came to an end."
    told = f"Best of what was tried: {best.words}: {metric} {best.value:.4g}; as the recipe was,"
    if not same:
        return f"{told} no seed came to an end."
    seeds = f"from {counted(len(same), 'seed')} it is {min(same):.4g} to {max(same):.4g}"
    own = min(sign * value for value in same)
    if sign * best.value >= own - 1e-3 * abs(own):
        return f"Nothing that was tried has a better {metric} than the recipe has by itself: {seeds}."
    return f"{told} {seeds}."
