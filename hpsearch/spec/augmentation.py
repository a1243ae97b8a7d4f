"""How training samples are changed at random: the section `data.augment` of the study file."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator

from hpsearch.spec.findings import error
from hpsearch.spec.hyperparameters import ParameterValue
from hpsearch.spec.references import is_reference
from hpsearch.spec.rules import IDENTIFIER, NAME, Form, Rule
from hpsearch.spec.section import Section

_SHARE: Final = Rule(kind="number", minimum=0, below=1)
_AMOUNT: Final = Rule(kind="number", minimum=0, maximum=100)

STRENGTHS: Final[Mapping[str, Rule]] = {
    "shift": _SHARE,
    "flip": Rule(kind="number", minimum=0, maximum=1),
    "rotate": Rule(kind="number", minimum=0, maximum=180),
    "zoom": _SHARE,
    "crop": _SHARE,
    "brightness": _AMOUNT,
    "cutout": _SHARE,
    "scale": _AMOUNT,
    "window": _SHARE,
    "noise": _AMOUNT,
    "mixup": _AMOUNT,
}
"""What each strength may be; 0 is off."""

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "image": ("shift", "flip", "rotate", "zoom", "crop", "brightness", "cutout", "noise", "mixup"),
    "sequence": ("shift", "scale", "window", "noise"),
    "table": ("noise", "mixup"),
}
"""Which steps there are for which inputs."""


def _strength(name: str) -> Any:
    rule = STRENGTHS[name]

    def validate(value: Any) -> Any:
        wrong = NAME.finding(value[1:]) if is_reference(value) else rule.finding(value)
        if wrong is not None:
            raise error(f"after `$`, {wrong.rule}" if is_reference(value) else wrong.rule, wrong.remedy)
        return value if is_reference(value) else float(value)

    return PlainValidator(validate)


def _form(name: str) -> Form:
    reference = {"type": "string", "pattern": rf"^\${IDENTIFIER}$"}
    return Form(f"{STRENGTHS[name].words}, or `$name`", {"anyOf": [STRENGTHS[name].schema(), reference]})


class AugmentSpec(Section):
    """Random changes of training samples, new in every epoch; a strength of 0 is off.

    Nothing that is measured is augmented: neither validation nor test, nor the training sample that the gap is
    measured on. `$name` in place of a strength refers to a parameter of the space.
    """

    shift: Annotated[float | str, _strength("shift"), _form("shift")] = Field(
        default=0.0,
        description="images, sequences: moved by up to this share of height and width, or of the length; what comes "
        "in from outside repeats the edge",
    )
    flip: Annotated[float | str, _strength("flip"), _form("flip")] = Field(
        default=0.0, description="images: how often left and right are exchanged"
    )
    rotate: Annotated[float | str, _strength("rotate"), _form("rotate")] = Field(
        default=0.0, description="images: turned by up to so many degrees, either way"
    )
    zoom: Annotated[float | str, _strength("zoom"), _form("zoom")] = Field(
        default=0.0, description="images: made larger or smaller by up to this share"
    )
    crop: Annotated[float | str, _strength("crop"), _form("crop")] = Field(
        default=0.0,
        description="images: this share of height and width is cut away at random, the rest stretched",
    )
    brightness: Annotated[float | str, _strength("brightness"), _form("brightness")] = Field(
        default=0.0,
        description="images: all pixels made lighter or darker by up to so much, in units of the prepared inputs",
    )
    cutout: Annotated[float | str, _strength("cutout"), _form("cutout")] = Field(
        default=0.0,
        description="images: a square with a side of this share of the shorter one becomes 0, which in standardized "
        "images is the mean",
    )
    scale: Annotated[float | str, _strength("scale"), _form("scale")] = Field(
        default=0.0,
        description="sequences: multiplied by a factor whose logarithm has this standard deviation",
    )
    window: Annotated[float | str, _strength("window"), _form("window")] = Field(
        default=0.0,
        description="sequences: this share of the length is cut away at random, the rest stretched",
    )
    noise: Annotated[float | str, _strength("noise"), _form("noise")] = Field(
        default=0.0,
        description="all: normal noise of this standard deviation is added, in units of the prepared inputs",
    )
    mixup: Annotated[float | str, _strength("mixup"), _form("mixup")] = Field(
        default=0.0,
        description="images, tables: each sample and its target are mixed with another of the batch, in shares drawn "
        "from Beta(a, a) (Zhang et al. 2018)",
    )

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, Rule]]:
        """Every `$name` as (path in the section, parameter's name, rule of its values)."""
        for name, rule in STRENGTHS.items():
            if is_reference(value := getattr(self, name)):
                yield (name,), value[1:], rule

    def used(self) -> tuple[str, ...]:
        """The steps that are not off."""
        return tuple(name for name in STRENGTHS if getattr(self, name) != 0)

    def strengths(self, values: Mapping[str, ParameterValue]) -> tuple[tuple[str, float], ...]:
        """The strengths of a trial with these parameters, of the steps that are not off."""
        resolved: dict[str, float] = {}
        for name in self.used():
            written = getattr(self, name)
            value = values.get(written[1:], 0.0) if is_reference(written) else written
            resolved[name] = float(value or 0.0)
        return tuple(resolved.items())
