"""A layer of a network as a value: what it is, and its settings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class LayerSettings:
    """One layer. Equal layers are equal values, so that networks can be compared.

    `settings` pairs names with values: numbers, words, tuples of numbers, and in the study file also `$name`.
    `layers` are those within a residual block.
    """

    kind: str
    settings: tuple[tuple[str, Any], ...] = ()
    layers: tuple[Self, ...] = ()

    @classmethod
    def of(cls, kind: str, /, *layers: Self, **settings: Any) -> Self:
        """A layer from its settings by name."""
        return cls(kind, tuple(settings.items()), layers)

    def __getitem__(self, name: str) -> Any:
        for known, value in self.settings:
            if known == name:
                return value
        raise KeyError(name)

    def get(self, name: str, otherwise: Any = None) -> Any:
        """A setting, or what stands for it where the layer has none of that name."""
        return next((value for known, value in self.settings if known == name), otherwise)

    def having(self, **changes: Any) -> Self:
        """The layer with some of its settings changed, of those that it has."""
        return replace(
            self, settings=tuple((name, changes.get(name, value)) for name, value in self.settings)
        )

    def words(self) -> str:
        """The layer in one line: `convolution(filters=16, kernel=3)`."""
        inner = [f"[{', '.join(layer.words() for layer in self.layers)}]"] if self.layers else []
        settings = [f"{name}={value}" for name, value in self.settings if value is not None]
        inside = ", ".join([*inner, *settings])
        return f"{self.kind}({inside})" if inside else self.kind

    def to_json(self) -> dict[str, Any]:
        """The layer as JSON values; `from_json` gives an equal one back."""
        return {
            "kind": self.kind,
            "settings": dict(self.settings),
            "layers": [layer.to_json() for layer in self.layers],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The layer that `to_json` described."""
        settings = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in stored["settings"].items()
        }
        return cls.of(stored["kind"], *map(cls.from_json, stored["layers"]), **settings)

    def within(self) -> Iterator[Self]:
        """The layer and all that it holds, from the outside in, in the order of the file."""
        yield self
        for layer in self.layers:
            yield from layer.within()
