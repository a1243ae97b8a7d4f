"""A trial's recipe with one thing changed, trained as the trial was: what it came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, Final

ITSELF: Final = "itself"
LONGER: Final = "longer"
UNREGULARIZED: Final = ("unregularized", "unregularized_second_seed", "unregularized_third_seed")
WIDER: Final = "wider"
REMEDIES: Final = ("narrower", "more_dropout", "more_l2")
SEEDS: Final = ("second_seed", "third_seed")
SLOWER: Final[Mapping[str, float]] = {"rate_third": 1 / 3, "rate_tenth": 0.1, "rate_hundredth": 0.01}
FASTER: Final[Mapping[str, float]] = {"rate_threefold": 3.0, "rate_tenfold": 10.0, "rate_hundredfold": 100.0}
RATES: Final = (*SLOWER, *FASTER)
HEADS: Final = ("trained again with", "training loss at the end", "validation loss at the end", "at best")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """What is changed of a recipe, in words and by parameter, and how training went then.

    `curves` are `train_loss` and `validation_loss` by epoch, `value` the study's first objective, None where the
    training came to nothing; `state` is complete, stopped_early, diverged or failed. Of the trial as it was, and from
    other seeds, nothing is changed.
    """

    name: str
    words: str
    changes: Mapping[str, Any]
    state: str
    curves: Mapping[str, Sequence[float]]
    value: float | None

    @property
    def end(self) -> float:
        """The training loss at the end, the median over the last quarter of the epochs; NaN where it diverged."""
        return self._end("train_loss")

    @property
    def validation_end(self) -> float:
        """The same of the validation loss."""
        return self._end("validation_loss")

    @property
    def least(self) -> float:
        """The least validation loss; NaN where there was none."""
        return min(filter(isfinite, self.curves.get("validation_loss", ())), default=float("nan"))

    def said(self, loss: float) -> float | str:
        """A loss; where there is none, the state that says why."""
        return loss if isfinite(loss) else self.state

    def _end(self, name: str) -> float:
        from statistics import median  # noqa: PLC0415 - facts are read where nothing else needs it

        curve = self.curves.get(name, ())
        tail = curve[-max(3, len(curve) // 4) :]
        lost = self.state in ("diverged", "failed") or not tail or not all(map(isfinite, tail))
        return float("nan") if lost else float(median(tail))

    def to_json(self) -> dict[str, Any]:
        """As JSON values, from which `Variation(**values)` makes an equal one."""
        curves = {name: list(curve) for name, curve in self.curves.items()}
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"changes": dict(self.changes), "curves": curves}


def rounded(value: float) -> str:
    """A number to try: two significant digits; a whole number as it is."""
    return f"{value:.0f}" if float(value).is_integer() else f"{float(f'{value:.2g}'):g}"


def rows_of(variations: Sequence[Variation], metric: str) -> list[list[str | float | None]]:
    """What was tried as a table, whose first row is its head; the objective stands in it unless it is the last column.

    `metric` is the objective's. Where a loss came to nothing, the state says why.
    """
    more = [] if metric == "validation_loss" else [metric.replace("_", " ")]
    rows = [
        [
            each.words,
            *map(each.said, (each.end, each.validation_end, each.least)),
            *([each.value] if more else []),
        ]
        for each in variations
    ]
    return [[*HEADS, *more], *rows]
