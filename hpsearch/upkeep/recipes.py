"""What is tried of a trial's recipe: one thing changed at a time, all else as it was."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hpsearch.judgment.variation import (
    FASTER,
    ITSELF,
    LONGER,
    REMEDIES,
    SEEDS,
    SLOWER,
    UNREGULARIZED,
    WIDER,
    rounded,
)
from hpsearch.spec.hyperparameters import Hyperparameters
from hpsearch.spec.layers import LayerSettings

_FRACTIONS: Final = {
    "rate_third": "a third",
    "rate_tenth": "a tenth",
    "rate_hundredth": "a hundredth",
    "rate_threefold": "3 times as much",
    "rate_tenfold": "10 times as much",
    "rate_hundredfold": "100 times as much",
}
_OFF: Final[Mapping[str, float | None]] = {
    "dropout": 0.0,
    "input_dropout": 0.0,
    "l1": 0.0,
    "l2": 0.0,
    "weight_decay": 0.0,
    "max_norm": None,
}
"""Regularizations, with the value that leaves each out."""
_WIDTHS: Final = ("units", "filters", "width")
_WIDER: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe to train, what is changed in it, and from which of the trial's seeds (0: its own)."""

    name: str
    words: str
    hyperparameters: Hyperparameters
    changes: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0


def first_recipes(h: Hyperparameters) -> Iterator[Recipe]:
    """The trial as it was, from two other seeds, with other learning rates, unregularized, and for twice the epochs."""
    yield Recipe(name=ITSELF, words="nothing changed", hyperparameters=h)
    for seed, name in enumerate(SEEDS, start=1):
        yield Recipe(name=name, words="another seed", hyperparameters=h, seed=seed)
    rate = _setting(h, "learning_rate")
    for name, factor in {**SLOWER, **FASTER}.items():
        if isinstance(rate, int | float) and rate > 0:
            words = f"a learning rate of {rounded(factor * rate)} ({_FRACTIONS[name]})"
            floor = _setting(h, "min_learning_rate")
            along = {"min_learning_rate": factor * floor} if floor else {}
            yield _changed(h, name, words, learning_rate=factor * rate, **along)
    on = {name: off for name, off in _OFF.items() if _setting(h, name) not in (off, None)}
    if h.own is None and h.optimizer != "adamw":
        on.pop("weight_decay", None)  # of no other rule
    if on:
        words = f"no {' and no '.join(on)}"
        for seed, name in enumerate(UNREGULARIZED):
            yield replace(_changed(h, name, f"{words} (another seed)" if seed else words, **on), seed=seed)
    yield _longer(h)


def further_recipes(h: Hyperparameters, *, high: bool, overfits: bool) -> Iterator[Recipe]:
    """Wider layers where the training loss stays high; against overfitting narrower ones, and each regularization."""
    if high:
        yield from _resized(h, WIDER, f"{_WIDER} times the width", lambda width: _WIDER * width)
    if overfits:
        narrower, more_dropout, more_l2 = REMEDIES
        yield from _resized(h, narrower, "half the width", lambda width: max(width // 2, 1))
        dropout, l2 = _setting(h, "dropout"), _setting(h, "l2")
        if dropout is not None and dropout < 0.7:
            more = min(dropout + 0.3, 0.8)
            yield _changed(h, more_dropout, f"a dropout of {rounded(more)}", dropout=more)
        if l2 is not None:
            more = max(10 * l2, 1e-3)
            yield _changed(h, more_l2, f"an l2 of {rounded(more)}", l2=more)


def _setting(h: Hyperparameters, name: str) -> Any:
    """A value of the recipe; of a trainer of one's own its parameter's, None where it has none of that name."""
    if h.own is not None:
        return dict(h.own).get(name)
    if name == "dropout" and h.layers is not None:
        return max(_rates(h.layers), default=None)
    return getattr(h, name)


def _changed(h: Hyperparameters, name: str, words: str, **changes: Any) -> Recipe:
    if h.own is not None:
        other = replace(h, own=tuple((key, changes.get(key, value)) for key, value in h.own))
    else:
        other = replace(h, **changes)
        if "dropout" in changes and h.layers is not None:
            other = replace(other, layers=_each(h.layers, {"rate": lambda _: changes["dropout"]}))
    return Recipe(name=name, words=words, hyperparameters=other, changes=changes)


def _longer(h: Hyperparameters) -> Recipe:
    """Twice the epochs, a schedule stretched with them."""
    h, epochs = replace(h, epochs=2 * h.epochs), 2 * h.epochs
    if h.schedule in ("step", "exponential"):
        h = replace(h, decay_epochs=2 * h.decay_epochs)
    words = f"{epochs} epochs (twice as many)"
    return Recipe(name=LONGER, words=words, hyperparameters=h, changes={"epochs": epochs})


def _resized(h: Hyperparameters, name: str, words: str, to: Callable[[int], int]) -> Iterator[Recipe]:
    """The recipe with other widths, if these are known and change."""
    if h.own is not None:
        return
    if h.layers is not None:
        other = replace(h, layers=_each(h.layers, dict.fromkeys(_WIDTHS, to)))
        changes: dict[str, Any] = {"layers": ", ".join(layer.words() for layer in other.layers or ())}
    else:
        other = replace(h, hidden=tuple(map(to, h.hidden)))
        words, changes = f"{words} ({_listed(other.hidden)})", {"hidden": list(other.hidden)}
    if other != h:
        yield Recipe(name=name, words=words, hyperparameters=other, changes=changes)


def _listed(widths: tuple[int, ...]) -> str:
    return ", ".join(map(str, widths))


def _each(
    layers: tuple[LayerSettings, ...], change: Mapping[str, Callable[[Any], Any]]
) -> tuple[LayerSettings, ...]:
    """The layers, and those within them, with a change of each setting of these names; embeddings stay."""
    return tuple(
        replace(
            layer.having(
                **{name: to(layer[name]) for name, to in change.items() if layer.get(name) is not None}
            ),
            layers=_each(layer.layers, change),
        )
        if layer.kind != "embedding"
        else layer
        for layer in layers
    )


def _rates(layers: tuple[LayerSettings, ...]) -> list[float]:
    """What is dropped, by all layers that drop anything."""
    inner = [each for layer in layers for each in layer.within()]
    return [float(each["rate"]) for each in inner if each.get("rate") is not None]
