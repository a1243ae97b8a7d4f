"""What one trial is trained with: all values resolved, whether sampled, fixed or left at their default."""

from dataclasses import dataclass

from hpsearch.spec.layers import LayerSettings

ParameterValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameters:
    """The complete recipe of one network and its training.

    The first block decides shapes and code paths: trials that agree in it may train together. The second
    block rides as columns, one value a network.
    """

    hidden: tuple[int, ...]
    activation: str
    loss: str
    batch_size: int

    epochs: int
    learning_rate: float
    optimizer: str
    momentum: float
    beta1: float
    beta2: float
    rho: float
    epsilon: float
    schedule: str
    warmup_epochs: int
    decay_rate: float
    decay_epochs: int
    plateau_patience: int
    min_learning_rate: float
    initializer: str
    initial_scale: float
    dropout: float
    input_dropout: float
    l1: float
    l2: float
    weight_decay: float
    max_norm: float | None
    clip_norm: float | None
    label_smoothing: float
    huber_delta: float

    layers: tuple[LayerSettings, ...] | None = None
    """The network where it is more than `hidden` says; part of the first block."""
    augment: tuple[tuple[str, float], ...] = ()
    """The strengths of the augmentation's steps, by name."""
    embedding: tuple[tuple[str | None, int], ...] = ()
    """Numbers in the vectors of embedded columns, by name, and under None those of all others; part of the first block.
    Of columns that are not told, it follows from their categories."""
    own: tuple[tuple[str, ParameterValue], ...] | None = None
    """The parameters of a trainer of one's own; of all the others, `epochs` alone is for it as well."""
