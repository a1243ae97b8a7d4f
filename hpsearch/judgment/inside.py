"""The rules of diagnosis for what goes on inside: gradients that die away, dead units, one class for all.

They read the sampled curves. Losses are in units of the baseline loss (see `Reading`).
"""

import numpy as np

from hpsearch.judgment.advice import ADAM, FEWER_LAYERS, HE, activation, trying
from hpsearch.judgment.finding import Change, Finding
from hpsearch.judgment.reading import Array, Reading
from hpsearch.judgment.variation import RATES

VANISHED = 1e-3
"""The first layer's gradient against the last one's: below, the first layers learn nothing while the last ones do."""

_THERE = 0.02
"""The ratio of gradients at which the first layer hears of the errors, if only in some batches."""


def vanishing_gradients(reading: Reading) -> Finding | None:
    """The gradient dies away on its way to the first layer, although most of the loss is still there."""
    if reading.n < 2:
        return None
    left = float(np.median(reading.train[reading.n // 2 :]))
    names, norms = reading.layers("gradient_norm")
    if not len(norms):
        return _vanished_as_a_whole(reading, left)
    late = norms[len(norms) // 2 :]
    typical = np.exp(np.median(np.log(np.maximum(late, 1e-30)), axis=0))
    if len(names) < 3 or left < 0.5 or not typical[-1] > 0:
        return None
    ratio = float(typical[0] / typical[-1])
    each = late[:, 0] / np.where(late[:, -1] > 0, late[:, -1], np.nan)
    # one batch is seen: that all of them agree takes that at no look the gradient was there
    if not ratio < VANISHED or not np.nanmax(each, initial=0.0) < _THERE:
        return None
    weak = [name for name, norm in zip(names, typical, strict=True) if norm < VANISHED * typical[-1]]
    return Finding(
        name="vanishing_gradients",
        severity="failure",
        sentence=f"The gradient of the first layer ({names[0]}) is {ratio:.1g} times that of the last: "
        f"{len(weak)} of {len(names)} layers hear next to nothing of the errors.",
        evidence={
            "ratio": ratio,
            "weak_layers": float(len(weak)),
            "train_loss_ratio": left,
            **{f"gradient_norm/{name}": float(norm) for name, norm in zip(names, typical, strict=True)},
        },
        **trying(activation("relu", " (or silu)"), HE, FEWER_LAYERS),
    )


def _vanished_as_a_whole(reading: Reading, left: float) -> Finding | None:
    """Without sampled curves: the whole gradient is next to nothing."""
    half = reading.gradient[: reading.n][reading.n // 2 :]
    if reading.n < 3 or not len(half) or left < 0.5:
        return None
    typical = float(np.median(half))
    if not typical < VANISHED * np.sqrt(left):
        return None
    return Finding(
        name="vanishing_gradients",
        severity="failure",
        sentence=f"The gradient's norm is about {typical:.2g}, although the training loss is still "
        f"{left:.0%} of a constant guess's: the network hears nothing of its errors.",
        evidence={"gradient_norm": typical, "train_loss_ratio": left},
        **trying(activation("relu", " (or silu)"), HE, FEWER_LAYERS),
    )


def dead_units(reading: Reading) -> Finding | None:
    """Most units of a layer give the same for all samples, or stand where the activation is flat."""
    names, idle = reading.layers("idle")
    if not len(idle):
        return None
    worst = int(np.nanargmax(idle[-1])) if np.isfinite(idle[-1]).any() else 0
    share = float(idle[-1, worst])
    if not share > 0.5:
        return None
    since = reading.sampled_epoch(int(np.argmax(idle[:, worst] > 0.5)))
    relu = reading.recipe.get("activation", "relu") == "relu"
    state = "are dead: zero for every sample" if relu else "are saturated for every sample"
    return Finding(
        name="dead_units",
        severity="failure" if share > 0.99 or not reading.has_learned else "warning",
        sentence=f"Since epoch {since} most units of the layer {names[worst]} {state} "
        f"({share:.0%} at the end): no gradient passes through them.",
        evidence={"share": share, "since_epoch": float(since), **_by_layer("idle", names, idle)},
        **trying(
            reading.rate_change(0.03, 0.3),
            activation("leaky_relu" if relu else "relu"),
            _SMALL_WEIGHTS if not relu else HE,
        ),
    )


_SMALL_WEIGHTS = ("smaller initial weights", Change(parameter="initial_scale", way="lower"))


def _by_layer(statistic: str, names: list[str], table: Array) -> dict[str, float]:
    return {
        f"{statistic}/{name}": float(value)
        for name, value in zip(names, table[-1], strict=True)
        if np.isfinite(value)
    }


def class_collapse(reading: Reading) -> Finding | None:
    """Nearly all samples are given one class, although the classes are not that unequal."""
    shares = list(reading.samples.get("largest_share", ()))[: len(reading.layers("gradient_norm")[1])]
    true = reading.class_share
    if true is None or len(shares) < 2 or true > 0.9:
        return None
    share = float(shares[-1])
    if share < 0.985:
        return None
    return Finding(
        name="class_collapse",
        severity="failure",
        sentence=f"At the end {share:.0%} of the validation samples are given one class; "
        f"the most frequent class has {true:.0%} of them.",
        evidence={"largest_share": share, "class_share": true},
        **trying(
            (
                "data.class_weight: balanced",
                Change(parameter="data.class_weight", way="set", value="balanced"),
            ),
            reading.tried_rate(RATES)
            or (reading.rate_change(0.1, 0.3) if _jumps(reading) else reading.rate_change(3, 10)),
            ADAM,
        ),
    )


def _jumps(reading: Reading) -> bool:
    return bool(len(reading.steps)) and float(np.median(np.abs(reading.steps))) > 0.003
