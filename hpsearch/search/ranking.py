"""The order of trials by their objectives, and those that no other beats."""

from collections.abc import Iterable, Sequence

from hpsearch.search.fact import TrialFact


def ranked(facts: Iterable[TrialFact], directions: Sequence[str]) -> list[TrialFact]:
    """The finished trials, best first, by the first objective.

    Of equals in it the better one by the next objective comes first, so that the first of all is on the Pareto
    front; of equals in all, the earlier one. `directions`: minimize or maximize, for each objective.
    """
    points = _points(facts, directions)
    return [fact for _, fact in sorted(points, key=lambda entry: (entry[0], entry[1].number))]


def pareto_front(facts: Iterable[TrialFact], directions: Sequence[str]) -> list[TrialFact]:
    """The finished trials that no other trial beats in one objective without losing in another, by number."""
    points = _points(facts, directions)
    return [fact for point, fact in points if not any(_dominates(other, point) for other, _ in points)]


def _points(
    facts: Iterable[TrialFact], directions: Sequence[str]
) -> list[tuple[tuple[float, ...], TrialFact]]:
    """The finished trials, each with its objectives' values turned so that lower is better."""
    signs = [1.0 if direction == "minimize" else -1.0 for direction in directions]
    return [
        (tuple(sign * value for sign, value in zip(signs, fact.values, strict=True)), fact)
        for fact in facts
        if fact.values is not None
    ]


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
