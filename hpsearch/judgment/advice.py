"""What to try, in words and as changes of parameters."""

from typing import Any, Final

from hpsearch.judgment.finding import Change
from hpsearch.judgment.reading import Reading

Option = tuple[str, Change]

CLIP: Final[Option] = ("clip_norm: 1", Change(parameter="clip_norm", way="set", value=1.0))
ADAM: Final[Option] = ("optimizer: adam", Change(parameter="optimizer", way="set", value="adam"))
COSINE: Final[Option] = ("schedule: cosine", Change(parameter="schedule", way="set", value="cosine"))
LARGER_BATCH: Final[Option] = ("a larger batch_size", Change(parameter="batch_size", way="higher"))
HE: Final[Option] = ("initializer: he", Change(parameter="initializer", way="set", value="he"))
WIDER: Final[Option] = ("wider layers", Change(parameter="hidden", way="higher"))
SMALLER: Final[Option] = ("fewer or narrower layers", Change(parameter="hidden", way="lower"))
FEWER_LAYERS: Final[Option] = ("fewer layers", Change(parameter="hidden", way="lower"))

_STRENGTHS: Final = ("dropout", "l2", "l1", "weight_decay", "input_dropout")
_USUAL: Final = {"dropout": (0.2, 0.5), "l2": (1e-4, 1e-2)}


def trying(*options: Option, lead: str = "Try", more: str = "") -> dict[str, Any]:
    """`advice` and `changes` of a finding: `Try X, Y or Z`, and a further sentence."""
    words = [words for words, _ in options]
    last = f" or {words[-1]}" if len(words) > 1 else words[-1]
    listed = ", ".join(words[:-1]) + last
    return {
        "advice": f"{lead} {listed}.{f' {more}' if more else ''}",
        "changes": tuple(change for _, change in options),
    }


def activation(name: str, also: str = "") -> Option:
    """Another activation."""
    return f"activation: {name}{also}", Change(parameter="activation", way="set", value=name)


def weaker(reading: Reading) -> list[Option]:
    """Less of each regularization that the recipe has, the strongest first; of an unknown recipe, of all."""
    strong = [
        (reading.setting(name), name) for name in _STRENGTHS if reading.setting(name) > _WEAK.get(name, 0)
    ]
    if not strong:
        return (
            [("less l1, l2 and dropout", Change(parameter="l2", way="lower"))] if not reading.recipe else []
        )
    return [
        reading.change(name, value, *_weakened(name, value)) for value, name in sorted(strong, reverse=True)
    ]


_WEAK: Final = {"l2": 1e-5, "l1": 1e-6, "weight_decay": 1e-5}


def _weakened(name: str, value: float) -> tuple[float, float]:
    return (0.0, 0.5 * value) if "dropout" in name else (0.001 * value, 0.1 * value)


def stronger(reading: Reading) -> list[Option]:
    """More dropout or L2 than the recipe has, in ranges."""
    options = []
    for name, (low, high) in _USUAL.items():
        own = reading.setting(name)
        if not reading.recipe:
            options.append((f"more {name}", Change(parameter=name, way="higher")))
        elif own < 0.7 * high:
            at_least = max(low, 2 * own) if name == "l2" else max(low, own + 0.1)
            options.append(reading.change(name, own, at_least, max(high, 2 * at_least)))
    return options
