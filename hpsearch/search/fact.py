"""A finished trial as one value: what is stored, replayed, projected to MLflow and read back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from hpsearch.judgment.finding import Finding
from hpsearch.judgment.variation import Variation

State = Literal["complete", "stopped_early", "pruned", "diverged", "failed"]
ParameterValue = str | int | float | bool | None

FINISHED: Final[tuple[State, ...]] = ("complete", "stopped_early")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFact:
    """Everything known of one finished trial; immutable, JSON all through.

    `params` are the sampled (and fixed) values of the study's space, `hyperparameters` the full recipe.
    `values` are the objectives' values, None unless the trial finished. Every curve has one number an epoch.
    `scores` holds single numbers ("best_epoch", "best_validation_loss", "last_validation_loss",
    "generalization_gap", ...). `distributions` holds Optuna's JSON of what each sampled parameter was drawn
    from; a parameter without one was fixed. Of a trial of several networks (folds, seeds) curves and scores are
    means, and `members` holds each network's losses and metrics at the best epoch of a finished trial. `samples` are
    curves over some epochs (`hpsearch.engine.sampled_epochs`): by `gradient_norm/<layer>` and the like.
    `sample_losses` are a finished trial's losses on rows of the validation part, the same rows for all trials.
    `variations` are what `hpsearch why` has tried of the trial's recipe; they are kept beside the fact.
    """

    number: int
    params: Mapping[str, ParameterValue]
    hyperparameters: Mapping[str, ParameterValue | list[int]]
    state: State
    reason: str
    values: tuple[float, ...] | None
    curves: Mapping[str, tuple[float, ...]]
    scores: Mapping[str, float]
    findings: tuple[Finding, ...] = ()
    verdict: str = ""
    started: float = 0.0
    seconds: float = 0.0
    distributions: Mapping[str, str] = field(default_factory=dict)
    members: tuple[Mapping[str, float], ...] = ()
    samples: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    sample_losses: tuple[float, ...] = ()
    variations: tuple[Variation, ...] = ()

    @property
    def name(self) -> str:
        """The trial's name in MLflow and in tables: `trial-0007`."""
        return f"trial-{self.number:04d}"

    @property
    def epochs(self) -> int:
        """How many epochs were trained."""
        return max(map(len, self.curves.values()), default=0)

    @property
    def finished(self) -> bool:
        """Whether the trial has objective values."""
        return self.state in FINISHED

    @property
    def has_losses(self) -> bool:
        """Whether its losses are known by epoch: what `hpsearch why` judges by."""
        return all(self.curves.get(name) for name in ("train_loss", "validation_loss"))

    def rounded(self) -> "TrialFact":
        """The fact as it is stored: curves in single precision, rows' losses in half. Twice is as once."""
        curves = {name: single_precision(curve) for name, curve in self.curves.items()}
        return replace(self, curves=curves, sample_losses=half_precision(self.sample_losses))


def half_precision(values: Iterable[float]) -> tuple[float, ...]:
    """Each number as a float16 has it, three digits: for losses of rows, that are compared on average."""
    import numpy as np  # noqa: PLC0415 - facts are read where nothing else needs it

    with np.errstate(over="ignore"):
        return tuple(np.fromiter(values, np.float64).astype(np.float16).astype(np.float64).tolist())


def single_precision(values: Iterable[float]) -> tuple[float, ...]:
    """Each number as the shortest decimal that names its float32: 0.1 rather than 0.10000000149.

    Networks learn in float32, so nothing that was measured is lost, and a curve takes half the space in JSON.
    What exceeds float32 becomes infinite.
    """
    import numpy as np  # noqa: PLC0415 - facts are read where nothing else needs it

    with np.errstate(over="ignore"):
        return tuple(map(float, np.fromiter(values, np.float64).astype(np.float32).astype("U32")))
