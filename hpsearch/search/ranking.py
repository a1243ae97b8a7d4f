"""The order of trials by their first objective."""

from collections.abc import Iterable

from hpsearch.search.fact import TrialFact


def ranked(facts: Iterable[TrialFact], direction: str) -> list[TrialFact]:
    """The finished trials, best first; the earlier one of equals first. `direction`: minimize or maximize."""
    sign = 1.0 if direction == "minimize" else -1.0
    keyed = [(sign * fact.values[0], fact.number, fact) for fact in facts if fact.values is not None]
    return [fact for _, _, fact in sorted(keyed, key=lambda entry: entry[:2])]


def pareto_front(facts: Iterable[TrialFact], directions: tuple[str, ...]) -> list[TrialFact]:
    """The finished trials that no other trial beats in one objective without losing in another, by number."""
    signs = [1.0 if direction == "minimize" else -1.0 for direction in directions]
    points = [
        (tuple(sign * value for sign, value in zip(signs, fact.values, strict=True)), fact)
        for fact in facts
        if fact.values is not None
    ]
    return [fact for point, fact in points if not any(_dominates(other, point) for other, _ in points)]


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
