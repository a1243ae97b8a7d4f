"""The table of layers: what `model.layers` may list, with the settings of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from hpsearch.spec.registry import ACTIVATIONS, INITIALIZERS
from hpsearch.spec.rules import Rule

NEEDED: Final = object()
"""In place of a default: the setting must be given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of a layer.

    `of_model` names the hyperparameter whose value applies where the layer says nothing. `sizes`: a list with
    one value an axis may stand in its place.
    """

    rule: Rule
    description: str
    default: Any = NEEDED
    of_model: str = ""
    sizes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerKind:
    """One row of the table. `main`: the setting that a bare value stands for."""

    description: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    main: str = ""


def _count(maximum: int = 10_000) -> Rule:
    return Rule(kind="integer", minimum=1, maximum=maximum)


def _choice(*choices: str) -> Rule:
    return Rule(kind="choice", choices=choices)


_FLAG: Final = Rule(kind="boolean")
_SIZE: Final = _count(1000)
_EPSILON: Final = Setting(
    rule=Rule(kind="number", above=0, maximum=1), default=1e-5, description="what is added to the variance"
)
_ACTIVATION: Final = Setting(
    rule=_choice(*ACTIVATIONS), of_model="activation", description="the activation behind it"
)
_INITIALIZER: Final = Setting(
    rule=_choice(*INITIALIZERS), of_model="initializer", description="how its weights are drawn"
)
_KERNEL: Final = Setting(
    rule=_SIZE, default=3, sizes=True, description="steps, or pixels a side, that it sees"
)
_STRIDE: Final = Setting(rule=_SIZE, default=1, sizes=True, description="steps from one place to the next")
_PADDING: Final = Setting(
    rule=_choice("same", "valid"),
    default="same",
    description="`same`: zeros around, so that there are as many places as before (with a stride: a share of them); "
    "`valid`: only places that the kernel fits in",
)
_DILATION: Final = Setting(
    rule=_SIZE, default=1, sizes=True, description="steps between what the kernel sees"
)
_SPATIAL: Final = {"stride": _STRIDE, "padding": _PADDING, "dilation": _DILATION}


def _pool(what: str) -> LayerKind:
    settings = {
        "size": Setting(
            rule=_SIZE, default=2, sizes=True, description="steps, or pixels a side, of a window"
        ),
        "stride": Setting(
            rule=Rule(kind="integer", minimum=1, maximum=1000, nullable=True),
            default=None,
            sizes=True,
            description="steps from one window to the next; null: windows side by side",
        ),
        "padding": Setting(rule=_PADDING.rule, default="valid", description="as in a convolution"),
    }
    return LayerKind(description=f"the {what} of each channel in windows", settings=settings, main="size")


def _recurrent(what: str) -> LayerKind:
    settings = {
        "units": Setting(rule=_count(), description="numbers of its state, in each direction"),
        "layers": Setting(rule=_count(16), default=1, description="how many are stacked"),
        "bidirectional": Setting(
            rule=_FLAG, default=False, description="whether a second one goes from the end to the start"
        ),
        "states": Setting(
            rule=_choice("last", "all"),
            default="last",
            description="the state after the last step, or after each",
        ),
        "initializer": Setting(
            rule=_choice(*INITIALIZERS),
            default="xavier",
            description="how weights on inputs are drawn; those on states are orthogonal",
        ),
    }
    return LayerKind(description=what, settings=settings, main="units")


_UNITS: Final = Setting(rule=_count(), description="how many numbers come out")

LAYERS: Final[Mapping[str, LayerKind]] = MappingProxyType(
    {
        "dense": LayerKind(
            description="a fully connected layer",
            settings={"units": _UNITS, "activation": _ACTIVATION, "initializer": _INITIALIZER},
            main="units",
        ),
        "convolution": LayerKind(
            description="a convolution along the steps of a sequence, or over an image",
            settings={
                "filters": Setting(rule=_count(), description="how many channels come out"),
                "kernel": _KERNEL,
                **_SPATIAL,
                "groups": Setting(
                    rule=_count(), default=1, description="groups of channels that do not see each other"
                ),
                "activation": _ACTIVATION,
                "initializer": _INITIALIZER,
            },
            main="filters",
        ),
        "depthwise_convolution": LayerKind(
            description="a convolution of each channel by itself",
            settings={
                "kernel": _KERNEL,
                **_SPATIAL,
                "activation": _ACTIVATION,
                "initializer": _INITIALIZER,
            },
            main="kernel",
        ),
        "max_pool": _pool("largest value"),
        "average_pool": _pool("mean"),
        "global_max_pool": LayerKind(description="the largest value of each channel"),
        "global_average_pool": LayerKind(description="the mean of each channel"),
        "flatten": LayerKind(description="all numbers in one row"),
        "reshape": LayerKind(
            description="the same numbers in another shape, channels last",
            settings={"shape": Setting(rule=_count(1_000_000), sizes=True, description="the new shape")},
            main="shape",
        ),
        "batch_normalization": LayerKind(
            description="each channel with mean 0 and variance 1 over a batch, then scaled and shifted as learned; in "
            "prediction by running means (Ioffe and Szegedy 2015)",
            settings={
                "momentum": Setting(
                    rule=Rule(kind="number", minimum=0, below=1),
                    default=0.9,
                    description="the share of the running statistics that a step leaves as they are",
                ),
                "epsilon": _EPSILON,
            },
        ),
        "layer_normalization": LayerKind(
            description="the channels of each place with mean 0 and variance 1, then scaled and shifted as learned "
            "(Ba et al. 2016)",
            settings={"epsilon": _EPSILON},
        ),
        "dropout": LayerKind(
            description="silences a share of the numbers in each training step",
            settings={
                "rate": Setting(
                    rule=Rule(kind="number", minimum=0, below=1), of_model="dropout", description="the share"
                ),
                "spatial": Setting(
                    rule=_FLAG, default=False, description="whether whole channels are silenced"
                ),
            },
            main="rate",
        ),
        "activation": LayerKind(
            description="an activation on its own",
            settings={
                "function": Setting(rule=_choice(*ACTIVATIONS), of_model="activation", description="which")
            },
            main="function",
        ),
        "embedding": LayerKind(
            description="a learned vector for each token; that of padding, token 0, stays zero",
            settings={"units": Setting(rule=_count(), default=32, description="numbers in a vector")},
            main="units",
        ),
        "simple_rnn": _recurrent("a recurrent layer: tanh of its input and its last state (Elman 1990)"),
        "gru": _recurrent("gated recurrent units (Cho et al. 2014)"),
        "lstm": _recurrent("long short-term memory (Hochreiter and Schmidhuber 1997)"),
        "residual": LayerKind(
            description="a block whose input is added to its output (He et al. 2015); where shapes differ, through a "
            "convolution of kernel 1 or a dense layer",
            settings={"activation": _ACTIVATION, "initializer": _INITIALIZER},
            main="layers",
        ),
    }
)
"""Every layer by its name in the study file."""
