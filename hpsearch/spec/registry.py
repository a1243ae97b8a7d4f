"""The table of hyperparameters: what each may be, what it is where nobody says, and what it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hpsearch.spec.hyperparameters import ParameterValue
from hpsearch.spec.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameter:
    """One row of the table. `shape`: whether trials must agree in it to train together."""

    name: str
    rule: Rule
    default: ParameterValue
    description: str
    shape: bool = False


ACTIVATIONS: Final = ("identity", "relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu")
INITIALIZERS: Final = ("zeros", "normal", "xavier", "he", "lecun")
KINDS: Final = ("dense", "convolutional", "recurrent")
OPTIMIZERS: Final = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
SCHEDULES: Final = ("constant", "step", "exponential", "cosine", "plateau")
REGRESSION_LOSSES: Final = ("mse", "mae", "huber")
CLASSIFICATION_LOSSES: Final = ("cross_entropy", "binary_cross_entropy")
LOSSES: Final = ("auto", *REGRESSION_LOSSES, *CLASSIFICATION_LOSSES)

LINEAR: Final = "linear"
"""How `hidden: []` is spelled as a parameter value; widths are joined by dashes otherwise: `64-64`."""

_WIDEST: Final = 10_000
_DEEPEST: Final = 64
_WIDTH: Final = r"([1-9][0-9]{0,3}|10000)"
_LAYERS: Final = rf"^({LINEAR}|{_WIDTH}(-{_WIDTH}){{0,{_DEEPEST - 1}}})$"

_SHARE: Final = Rule(kind="number", minimum=0, below=1)
_STRENGTH: Final = Rule(kind="number", minimum=0, maximum=1000)
_NORM: Final = Rule(kind="number", above=0, maximum=1e6, nullable=True)


def _choice(*choices: str) -> Rule:
    return Rule(kind="choice", choices=choices)


def _count(minimum: int, maximum: int) -> Rule:
    return Rule(kind="integer", minimum=minimum, maximum=maximum)


_TABLE: Final = (
    Hyperparameter(
        name="hidden",
        rule=Rule(
            kind="text",
            pattern=_LAYERS,
            pattern_words="a list of at most 64 layer widths from 1 to 10000",
            remedy="a choice among lists of layers is written [[64], [64, 64]]",
        ),
        default="64-64",
        description="the widths of the hidden layers, from the inputs on; an empty list is a linear model",
        shape=True,
    ),
    Hyperparameter(
        name="kind",
        rule=_choice(*KINDS),
        default="dense",
        description="the kind of network that `depth` and `width` build: fully connected, convolutional (on images and "
        "sequences), or recurrent (on sequences)",
        shape=True,
    ),
    Hyperparameter(
        name="depth",
        rule=_count(0, _DEEPEST),
        default=2,
        description="the number of hidden layers where all have the same width",
        shape=True,
    ),
    Hyperparameter(
        name="width",
        rule=_count(1, _WIDEST),
        default=64,
        description="the number of units of each hidden layer where all have the same width; without one, "
        "convolutional networks begin with 16 filters, and recurrent ones have 32 units",
        shape=True,
    ),
    Hyperparameter(
        name="activation",
        rule=_choice(*ACTIVATIONS),
        default="relu",
        description="the activation of the hidden layers",
        shape=True,
    ),
    Hyperparameter(
        name="loss",
        rule=_choice(*LOSSES),
        default="auto",
        description="what training minimizes; `auto`: mse for regression, binary_cross_entropy for two "
        "classes, cross_entropy for more",
        shape=True,
    ),
    Hyperparameter(
        name="batch_size",
        rule=_count(1, 1_000_000),
        default=32,
        description="the number of rows of one training step",
        shape=True,
    ),
    Hyperparameter(
        name="initializer",
        rule=_choice(*INITIALIZERS),
        default="he",
        description="how weights are drawn before training; biases start at zero",
    ),
    Hyperparameter(
        name="initial_scale",
        rule=Rule(kind="number", above=0, maximum=100),
        default=0.01,
        description="the standard deviation of the initializer `normal`",
    ),
    Hyperparameter(
        name="epochs",
        rule=_count(1, 100_000),
        default=30,
        description="the number of passes over the training part, at most",
    ),
    Hyperparameter(
        name="learning_rate",
        rule=Rule(kind="number", above=0, maximum=1000),
        default=1e-3,
        description="the step size before any schedule",
    ),
    Hyperparameter(
        name="optimizer",
        rule=_choice(*OPTIMIZERS),
        default="adam",
        description="the rule by which gradients become steps",
    ),
    Hyperparameter(
        name="momentum",
        rule=_SHARE,
        default=0.9,
        description="the share of the last step that is kept, for the optimizers `momentum` and `nesterov`",
    ),
    Hyperparameter(
        name="beta1",
        rule=_SHARE,
        default=0.9,
        description="the decay of the mean of gradients, for `adam` and `adamw`",
    ),
    Hyperparameter(
        name="beta2",
        rule=_SHARE,
        default=0.999,
        description="the decay of the mean of squared gradients, for `adam` and `adamw`",
    ),
    Hyperparameter(
        name="rho",
        rule=_SHARE,
        default=0.9,
        description="the decay of the mean of squared gradients, for `rmsprop`",
    ),
    Hyperparameter(
        name="epsilon",
        rule=Rule(kind="number", minimum=1e-12, maximum=1),
        default=1e-8,
        description="what keeps adaptive optimizers from dividing by zero",
    ),
    Hyperparameter(
        name="schedule",
        rule=_choice(*SCHEDULES),
        default="constant",
        description="how the learning rate goes on over the epochs",
    ),
    Hyperparameter(
        name="warmup_epochs",
        rule=_count(0, 100_000),
        default=0,
        description="the epochs over which the learning rate rises from near zero, before the schedule",
    ),
    Hyperparameter(
        name="decay_rate",
        rule=Rule(kind="number", above=0, maximum=1),
        default=0.5,
        description="the factor by which `step`, `exponential` and `plateau` lower the learning rate",
    ),
    Hyperparameter(
        name="decay_epochs",
        rule=_count(1, 100_000),
        default=10,
        description="the epochs over which `step` and `exponential` apply the factor once",
    ),
    Hyperparameter(
        name="plateau_patience",
        rule=_count(1, 100_000),
        default=5,
        description="the epochs without improvement after which `plateau` applies the factor",
    ),
    Hyperparameter(
        name="min_learning_rate",
        rule=Rule(kind="number", minimum=0, maximum=1000),
        default=0.0,
        description="what no schedule goes below",
    ),
    Hyperparameter(
        name="dropout",
        rule=_SHARE,
        default=0.0,
        description="the share of hidden units that is silenced in each training step",
    ),
    Hyperparameter(
        name="input_dropout",
        rule=_SHARE,
        default=0.0,
        description="the share of input features that is silenced in each training step; of tokens and categories with "
        "vectors, the share that becomes unknown ones",
    ),
    Hyperparameter(
        name="l1",
        rule=_STRENGTH,
        default=0.0,
        description="the strength of the L1 penalty: l1 * sum|w| is added to the mean loss; biases are free",
    ),
    Hyperparameter(
        name="l2",
        rule=_STRENGTH,
        default=0.0,
        description="the strength of the L2 penalty: l2 / 2 * sum(w^2) is added to the mean loss; biases are "
        "free",
    ),
    Hyperparameter(
        name="weight_decay",
        rule=_STRENGTH,
        default=0.0,
        description="the decoupled weight decay of `adamw`: each step shrinks the weights by learning rate * "
        "weight_decay",
    ),
    Hyperparameter(
        name="max_norm",
        rule=_NORM,
        default=None,
        description="the largest norm of the weights into one unit; null: unbounded",
    ),
    Hyperparameter(
        name="clip_norm",
        rule=_NORM,
        default=None,
        description="the largest norm of the whole gradient of a step; null: unbounded",
    ),
    Hyperparameter(
        name="label_smoothing",
        rule=_SHARE,
        default=0.0,
        description="the share of the target's weight that is spread over all classes in training",
    ),
    Hyperparameter(
        name="huber_delta",
        rule=Rule(kind="number", above=0, maximum=1e6),
        default=1.0,
        description="the residual at which the loss `huber` turns from squared to absolute",
    ),
)

REGISTRY: Final[Mapping[str, Hyperparameter]] = MappingProxyType({row.name: row for row in _TABLE})


def encode_layers(widths: tuple[int, ...] | list[int]) -> str:
    """Layer widths as one parameter value: (64, 32) -> `64-32`, () -> `linear`."""
    return "-".join(map(str, widths)) or LINEAR


def decode_layers(value: str) -> tuple[int, ...]:
    """The inverse of `encode_layers`."""
    return () if value == LINEAR else tuple(int(width) for width in value.split("-"))
