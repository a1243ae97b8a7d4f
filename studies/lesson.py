"""A study that comes along, what it must show, and how it is run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from studies.expectation import Expectation

HERE: Final = Path(__file__).parent
Overrides = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A study: its words are in its file, its numbers here.

    `variants` are runs of the same file, each with overrides of its own; one run of the file as it stands unless given.
    `beside` names studies that its expectations compare it with, or that it takes weights from; they are run before.
    `packages` bring its data: names to import, or files that `make data` brings. `picture` says what its picture shows,
    if it has one.
    """

    study: str
    expectations: tuple[Expectation, ...]
    variants: tuple[Overrides, ...] = ((),)
    beside: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    picture: str = ""

    @property
    def file(self) -> Path:
        """The study file."""
        return HERE / f"{self.study}.yaml"
