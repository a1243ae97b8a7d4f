"""A picture of what a study showed, drawn from its trials into docs/images/studies."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from studies.expectation import Seen
from studies.pictures import classes, data, experiments, networks

PICTURES: Final[Mapping[str, Callable[[Seen], Figure]]] = {
    "iris": classes.iris,
    "iris-tutorial": classes.iris_tutorial,
    "digits": experiments.digits,
    "digits-halves": networks.digits_halves,
    "mnist-cnn": networks.mnist_cnn,
    "diabetes": experiments.diabetes,
    "mcycle": data.mcycle,
    "concrete": data.concrete,
    "sunspots": data.sunspots,
    "italy-recurrent": data.italy,
    "optimizers": experiments.optimizers,
    "learning-rate": experiments.learning_rate,
    "initial-values": experiments.initial_values,
    "depth": experiments.depth,
    "batch-size": experiments.batch_size,
    "local-optima": experiments.local_optima,
    "preprocessing": experiments.preprocessing,
    "overfitting-augmentation": experiments.overfitting,
    "transfer": experiments.transfer,
}
"""By the study's name; a study without one has nothing to show that a number does not say."""


def draw(study: str, seen: Seen, directory: Path) -> None:
    """Draw a study's picture, if it has one, as `<study>.png`."""
    if study in PICTURES:
        directory.mkdir(parents=True, exist_ok=True)
        PICTURES[study](seen).savefig(directory / f"{study}.png", dpi=110, metadata={"Software": None})
