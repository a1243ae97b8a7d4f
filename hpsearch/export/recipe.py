"""A recipe for other libraries: what the source texts for PyTorch and Keras have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from hpsearch.engine.layers.ports import Shape
from hpsearch.errors import InputError
from hpsearch.spec.layers import LayerSettings

LEVELS: Final = 256
"""Dropout is by whole 256ths here, so that other libraries must drop as often."""


_EVERY_NETWORK: Final = {"activation", "initializer", "optimizer", "epsilon"}
"""What the recipe of every network of ours has, beside others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A network and its training. `of` says in words whose it is.

    `shape` is that of one input; `tokens`, of token ids, how many there are. `layers` are computed one after the other;
    where they are those of a fully connected network on rows of numbers, `hidden` has its widths, else it is None.
    `embedded`: the features that number categories, each as its place, the vectors that there are, and their numbers.
    """

    of: str
    shape: Shape
    tokens: int | None
    outputs: int
    layers: tuple[LayerSettings, ...]
    hidden: tuple[int, ...] | None
    settings: Mapping[str, Any]
    embedded: tuple[tuple[int, int, int], ...] = ()

    @classmethod
    def of_trial(
        cls, of: str, hyperparameters: Mapping[str, Any], network: Mapping[str, Any] | None
    ) -> "Recipe":
        """The recipe of a trial: its hyperparameters, and the refitted network's plan as JSON.

        The plan's layers may have the rates and initializers that a plan by itself leaves out.

        Raises:
            InputError: the network's size is not known yet, its sequences differ in length, or its schedule follows
                what it observes.
        """
        if not hyperparameters.keys() >= _EVERY_NETWORK:
            raise InputError(
                f"{of}: source text is written of hpsearch's networks, and a trainer trained this one"
            )
        if network is None:
            raise InputError(
                f"{of}: how many inputs the network takes is known when the study has come to its end"
            )
        inputs = network["inputs"]
        if inputs["ragged"]:
            raise InputError(
                f"{of}: source text is written of inputs of one size, and these sequences differ in length"
            )
        if hyperparameters["schedule"] == "plateau":
            raise InputError(
                f"{of}: the plateau schedule follows what is observed; no text says it in advance"
            )
        is_plain = "hidden" in hyperparameters and inputs["tokens"] is None and len(inputs["shape"]) == 1
        layers = tuple(map(LayerSettings.from_json, network["layers"]))
        if not is_plain and not layers[-1]["initializer"]:
            raise InputError(
                f"{of}: the dropout and initializers of its layers are in its study file, which cannot be read"
            )
        return cls(
            of=of,
            shape=tuple(inputs["shape"]),
            tokens=inputs["tokens"],
            outputs=network["outputs"],
            layers=layers,
            hidden=tuple(hyperparameters["hidden"]) if is_plain else None,
            settings=hyperparameters,
            embedded=_embedded(network["layers"][0]),
        )

    def __getitem__(self, name: str) -> Any:
        return self.settings[name]

    def left_out(self) -> list[str]:
        """What the trial had and no text says, in words, if anything."""
        prefix = "augment."
        steps = [
            f"{name.removeprefix(prefix)} {strength}"
            for name, strength in self.settings.items()
            if name.startswith(prefix)
        ]
        parts = [f"augmentation of rows ({', '.join(steps)})"] if steps else []
        if begun := self.settings.get("initialize_from"):
            parts.append(f"initial weights from {begun}")
        return ["", f"Not written here: {'; '.join(parts)}."] if parts else []

    @property
    def inputs(self) -> int:
        """How many numbers one input has."""
        return prod(self.shape)

    @property
    def rows(self) -> str:
        """The shape of inputs, in words."""
        kind = "" if self.tokens is None else " token ids"
        return f"({', '.join(map(str, ('N', *self.shape)))}){kind}"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers between the layers, from the inputs, or the vectors in their place, to the outputs."""
        vectors = sum(units for _, _, units in self.embedded) - len(self.embedded)
        return (self.inputs + vectors, *(self.hidden or ()), self.outputs)

    def parts(self) -> list[tuple[int, int] | None]:
        """What the layers get, from the first feature on: stretches of features, and None for each vector."""
        found: list[tuple[int, int] | None] = []
        start = 0
        for place, _, _ in self.embedded:
            found += [(start, place), None]
            start = place + 1
        return [part for part in [*found, (start, self.inputs)] if part is None or part[0] < part[1]]

    def rate(self, name: str) -> float:
        """A dropout rate as it is applied."""
        return applied_rate(self.settings[name])

    def learning_rate(self) -> list[str]:
        """The lines of a function `learning_rate(epoch, step, steps)`, all counted from 0."""
        h = self.settings
        rate, floor = h["learning_rate"], min(h["min_learning_rate"], h["learning_rate"])
        factor = {
            "constant": "1.0",
            "step": f"{h['decay_rate']!r} ** (epoch // {h['decay_epochs']})",
            "exponential": f"{h['decay_rate']!r} ** (epoch / {h['decay_epochs']})",
            "cosine": f"{floor / rate!r} + {1 - floor / rate!r} * "
            f"(1 + math.cos(math.pi * min(epoch / {h['epochs']}, 1))) / 2",
        }[h["schedule"]]
        lines = [
            "def learning_rate(epoch, step, steps):",
            '    """The learning rate of a step of an epoch of so many steps, all counted from 0."""',
            f"    rate = max({rate!r} * {_bracketed(factor)}, {floor!r})",
        ]
        if h["warmup_epochs"]:
            lines += [
                f"    if epoch < {h['warmup_epochs']}:",
                f"        rate *= (epoch * steps + step + 1) / ({h['warmup_epochs']} * steps)",
            ]
        return [*lines, "    return rate"]


def applied_rate(rate: float) -> float:
    """A dropout rate as it is applied."""
    return float(min(round(rate * LEVELS), LEVELS - 1) / LEVELS)


def _embedded(layer: Mapping[str, Any]) -> tuple[tuple[int, int, int], ...]:
    """The embedded columns that the first layer of a stored plan tells of."""
    if layer["kind"] != "column_embedding":
        return ()
    told = layer["settings"]
    vectors = (categories + 1 for categories in told["categories"])
    return tuple(zip(told["places"], vectors, told["units"], strict=True))


def _bracketed(factor: str) -> str:
    return factor if factor == "1.0" else f"({factor})"


def module_text(
    recipe: Recipe,
    library: str,
    *,
    targets: str,
    imports: Sequence[str],
    parts: Iterable[Iterable[str]],
    training: str,
) -> str:
    """A module in a library's words: what it is, its imports, its functions two lines apart, and their training."""
    head = [
        f'"""The network of {recipe.of} in {library}.',
        "",
        "Inputs are features: `x, _ = hpsearch.load_model(...).preprocessor.prepare(rows)`; targets are ",
        f"{targets}.",
        *recipe.left_out(),
        '"""',
        "",
        "import math  # noqa: F401",
        "",
        *imports,
    ]
    functions = [line for part in (*parts, recipe.learning_rate()) for line in ("", "", *part)]
    return "\n".join([*head, *functions, "", training.rstrip()]) + "\n"
