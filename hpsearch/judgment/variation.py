"""A trial's recipe with one thing changed, trained as the trial was: what it came to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from statistics import median
from typing import Any, Final

ITSELF: Final = "itself"
LONGER: Final = "longer"
UNREGULARIZED: Final = ("unregularized", "unregularized_second_seed", "unregularized_third_seed")
WIDER: Final = "wider"
SEEDS: Final = ("second_seed", "third_seed")
SLOWER: Final[Mapping[str, float]] = {"rate_third": 1 / 3, "rate_tenth": 0.1, "rate_hundredth": 0.01}
FASTER: Final[Mapping[str, float]] = {"rate_threefold": 3.0, "rate_tenfold": 10.0, "rate_hundredfold": 100.0}


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
        curve = self.curves.get("train_loss", ())
        tail = curve[-max(3, len(curve) // 4) :]
        lost = self.state in ("diverged", "failed") or not tail or not all(map(isfinite, tail))
        return float("nan") if lost else float(median(tail))

    @property
    def least(self) -> float:
        """The least validation loss; NaN where there was none."""
        return min(filter(isfinite, self.curves.get("validation_loss", ())), default=float("nan"))

    def to_json(self) -> dict[str, Any]:
        """As JSON values, from which `Variation(**values)` makes an equal one."""
        return asdict(self) | {"curves": {name: list(curve) for name, curve in self.curves.items()}}
