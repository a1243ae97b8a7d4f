"""The trials of a study as rows with named columns: chosen, sorted and filtered by what a user types."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from hpsearch.errors import InputError, Problem
from hpsearch.search.fact import TrialFact

Row = dict[str, Any]

_CONDITION: Final = re.compile(
    r"\s*(?P<column>[^<>=!~\s]+)\s*(?P<sign><=|>=|!=|==|<|>|=|~)\s*(?P<value>.*?)\s*"
)
_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def rows_of(facts: Iterable[TrialFact], metrics: Sequence[str]) -> list[Row]:
    """A row for each trial: its name and state, the objectives by their metrics, parameters, scores.

    A parameter or score that is named like a column before it is called `params.name` or `scores.name`.
    """
    facts = list(facts)
    params = dict.fromkeys(name for fact in facts for name in fact.params)
    scores = dict.fromkeys(name for fact in facts for name in fact.scores)
    return [_row(fact, metrics, params, scores) for fact in facts]


def _row(fact: TrialFact, metrics: Sequence[str], params: Iterable[str], scores: Iterable[str]) -> Row:
    values = fact.values or (None,) * len(metrics)
    row: Row = {"trial": fact.name, "number": fact.number, "state": fact.state}
    row |= {"objective": values[0], **dict(zip(metrics, values, strict=True))}
    row |= {"gap": fact.scores.get("generalization_gap"), "epochs": fact.epochs, "seconds": fact.seconds}
    row |= {"verdict": fact.verdict, "reason": fact.reason}
    for name in params:
        row[f"params.{name}" if name in row else name] = fact.params.get(name)
    for name in scores:
        row[f"scores.{name}" if name in row else name] = fact.scores.get(name)
    return row


def filtered(rows: Sequence[Row], conditions: Iterable[str]) -> list[Row]:
    """The rows for which all conditions hold: `column<value`, `<=`, `>`, `>=`, `=`, `!=`, or `~` for a part of a text.

    A row without a value satisfies no comparison but `!=`; `=null` finds it.

    Raises:
        InputError: a condition cannot be read, or names no column.
    """
    kept = list(rows)
    for text in conditions:
        match = _CONDITION.fullmatch(text)
        if match is None:
            rule = "must be a column, one of < <= > >= = != ~, and a value"
            raise InputError(
                Problem(place=f"--filter {text}", rule=rule, remedy="such as 'learning_rate<0.01'")
            )
        column, sign, value = match["column"], match["sign"], match["value"]
        check_columns(rows, [column], option="--filter")
        kept = [row for row in kept if _holds(row[column], sign, value, text)]
    return kept


def _holds(held: Any, sign: str, written: str, text: str) -> bool:
    if sign == "~":
        return held is not None and written.lower() in str(held).lower()
    if sign in ("=", "=="):
        return _equal(held, written)
    if sign == "!=":
        return not _equal(held, written)
    number = _number(written)
    if number is None:
        rule = f"compares with {written!r}, which is no number"
        raise InputError(Problem(place=f"--filter {text}", rule=rule, remedy="use = or ~ for texts"))
    is_number = isinstance(held, int | float) and not isinstance(held, bool)
    return is_number and _ORDERS[sign](held, number)


def _equal(held: Any, written: str) -> bool:
    number = _number(written)
    if isinstance(held, int | float) and not isinstance(held, bool) and number is not None:
        return float(held) == number
    spelled = "null" if held is None else str(held)
    return spelled.lower().replace("_", " ") == written.lower().replace("_", " ")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def ordered(rows: Sequence[Row], column: str) -> list[Row]:
    """The rows by a column, least first; `-column` greatest first. Rows without a value come last.

    Raises:
        InputError: there is no such column.
    """
    name = column.removeprefix("-")
    check_columns(rows, [name], option="--sort")
    there = [row for row in rows if _comparable(row[name])]
    numbers = all(isinstance(row[name], int | float) for row in there)
    there.sort(key=lambda row: row[name] if numbers else str(row[name]), reverse=column.startswith("-"))
    return there + [row for row in rows if not _comparable(row[name])]


def _comparable(value: Any) -> bool:
    return value is not None and value == value  # noqa: PLR0124 - false of NaN alone


def check_columns(rows: Sequence[Row], names: Iterable[str], *, option: str) -> None:
    """Refuse names that are no columns.

    Raises:
        InputError: all of them, each with what is nearest to it.
    """
    if not rows:
        return
    known = list(rows[0])
    problems = []
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            problems.append(Problem(place=option, rule=f"no column {name!r}", remedy=remedy))
    if problems:
        raise InputError(problems)
