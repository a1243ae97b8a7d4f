"""Augmentation: the samples of a batch are changed at random, each network's by its own strengths and numbers.

Every step draws from a stream of its own, for every batch as many numbers as the batch's size and the inputs' shape
say: a step that is off draws nothing, and changes nothing of the others.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from hpsearch.engine.arrays import Array
from hpsearch.engine.batches import Batch
from hpsearch.engine.images import Affine
from hpsearch.randomness import Address

STEPS: Final = (
    "shift",
    "flip",
    "rotate",
    "zoom",
    "crop",
    "brightness",
    "cutout",
    "scale",
    "window",
    "noise",
    "mixup",
)
"""In the order of their streams: a new one goes behind the others."""

Draws: TypeAlias = Mapping[str, np.random.Generator]
Strengths: TypeAlias = Mapping[str, float]


class Augmentation:
    """The steps of K networks for inputs of one shape: (D,), (T, D) or (H, W, C).

    `still`: the places of a table's features that number categories, and stay as they are.
    """

    def __init__(
        self,
        strengths: Sequence[Strengths],
        addresses: Sequence[Address],
        *,
        shape: tuple[int, ...],
        still: tuple[int, ...] = (),
    ) -> None:
        self._shape, self._still = shape, list(still)
        self._change = {1: _change_rows, 2: _change_series, 3: _change_images}[len(shape)]
        self._strengths = [{name: each[name] for name in each if each[name] > 0} for each in strengths]
        self._draws: list[Draws] = [
            dict(zip(STEPS, address.stream("augmentation").spawn(len(STEPS)), strict=True))
            for address in addresses
        ]

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these networks only, each where it stands in its streams."""
        self._strengths = [self._strengths[row] for row in rows]
        self._draws = [self._draws[row] for row in rows]

    def apply(self, batch: Batch, *, ones: bool) -> None:
        """Change a batch in place; a last column of ones stays."""
        inputs = batch.inputs[..., :-1] if ones else batch.inputs
        for row, (strengths, draws) in enumerate(zip(self._strengths, self._draws, strict=True)):
            if not strengths:
                continue
            x = inputs[row].reshape(-1, *self._shape)
            lengths = None if batch.lengths is None else batch.lengths[row]
            changed = self._change(np.ascontiguousarray(x), strengths, draws, lengths)
            if self._still:
                changed[:, self._still] = x[:, self._still]
            if "mixup" in strengths:
                weights = None if batch.weights is None else batch.weights[row]
                changed = _mix(changed, batch.targets[row], weights, strengths["mixup"], draws["mixup"])
            inputs[row] = changed.reshape(inputs[row].shape)


def _change_rows(x: Array, strengths: Strengths, draws: Draws, _lengths: Array | None) -> Array:
    """(B, D) rows of a table."""
    return x + _noise(x, strengths, draws) if "noise" in strengths else x


def _change_series(x: Array, strengths: Strengths, draws: Draws, lengths: Array | None) -> Array:
    """(B, T, D) sequences; what lies behind a sequence's end stays zero."""
    count, steps, _ = x.shape
    ends = np.full(count, steps) if lengths is None else lengths
    if {"shift", "window"} & strengths.keys():
        x = _resampled(x, ends, strengths, draws)
    if "scale" in strengths:
        factors = np.exp(strengths["scale"] * draws["scale"].standard_normal((count, 1, 1)))
        x = x * factors.astype(x.dtype)
    if "noise" in strengths:
        x = x + _noise(x, strengths, draws)
    if lengths is not None:
        x = x * (np.arange(steps) < ends[:, None])[..., None].astype(x.dtype)
    return x


def _resampled(x: Array, ends: Array, strengths: Strengths, draws: Draws) -> Array:
    """Sequences read at other moments, between two steps by the straight line between them."""
    count, steps, _ = x.shape
    ends = ends[:, None].astype(np.float32)
    at = np.broadcast_to(np.arange(steps, dtype=np.float32), (count, steps))
    if "window" in strengths:
        cut = np.float32(strengths["window"])
        at = at * (1 - cut) + draws["window"].random((count, 1), dtype=np.float32) * cut * (ends - 1)
    if "shift" in strengths:
        at = at + _both_ways(draws["shift"], (count, 1)) * np.float32(strengths["shift"]) * ends
    at = np.clip(at, 0, ends - 1)
    before = at.astype(np.intp)
    after = np.minimum(before + 1, ends.astype(np.intp) - 1)
    share = (at - before)[..., None].astype(x.dtype)
    rows = np.arange(count)[:, None]
    result: Array = x[rows, before] * (1 - share) + x[rows, after] * share
    return result


def _change_images(x: Array, strengths: Strengths, draws: Draws, _lengths: Array | None) -> Array:
    """(B, H, W, C) images."""
    count, height, width, _ = x.shape
    affine = Affine(count, height, width)
    for name, place in _PLACES.items():
        if name in strengths:
            place(affine, strengths[name], draws[name])
    x = affine.read(x)
    if "brightness" in strengths:
        x = x + _both_ways(draws["brightness"], (count, 1, 1, 1)) * x.dtype.type(strengths["brightness"])
    if "noise" in strengths:
        x = x + _noise(x, strengths, draws)
    if "cutout" in strengths:
        x = x * ~_squares(count, height, width, strengths["cutout"], draws["cutout"])[..., None]
    return x


def _flip(affine: Affine, strength: float, draw: np.random.Generator) -> None:
    affine.flip(draw.random(affine.count) < strength)


def _zoom(affine: Affine, strength: float, draw: np.random.Generator) -> None:
    affine.enlarge(1 + strength * _both_ways(draw, (affine.count,)))


def _rotate(affine: Affine, strength: float, draw: np.random.Generator) -> None:
    affine.turn(np.deg2rad(strength) * _both_ways(draw, (affine.count,)))


def _crop(affine: Affine, strength: float, draw: np.random.Generator) -> None:
    affine.enlarge(np.full(affine.count, 1 / (1 - strength), np.float32))
    affine.move(strength / 2 * _both_ways(draw, (2, affine.count)))


def _shift(affine: Affine, strength: float, draw: np.random.Generator) -> None:
    affine.move(strength * _both_ways(draw, (2, affine.count)))


_PLACES: Final[Mapping[str, Callable[[Affine, float, np.random.Generator], None]]] = {
    "flip": _flip,
    "zoom": _zoom,
    "rotate": _rotate,
    "crop": _crop,
    "shift": _shift,
}


def _squares(count: int, height: int, width: int, share: float, draw: np.random.Generator) -> Array:
    """(B, H, W) booleans: a square in each image, its centre anywhere (DeVries and Taylor 2017)."""
    side = share * min(height, width)
    centre_y, centre_x = draw.random((2, count, 1)) * np.array([[[height]], [[width]]])
    rows = np.abs(np.arange(height) + 0.5 - centre_y) < side / 2
    columns = np.abs(np.arange(width) + 0.5 - centre_x) < side / 2
    result: Array = rows[:, :, None] & columns[:, None, :]
    return result


def _mix(
    x: Array, targets: Array, weights: Array | None, strength: float, draw: np.random.Generator
) -> Array:
    """Each sample with the next one of the batch, whose order is random; targets and weights likewise, in place."""
    own = draw.beta(strength, strength, len(x)).astype(x.dtype)
    for values in (targets, weights):
        if values is not None:
            values[:] = _between(own, values)
    return _between(own, x)


def _between(own: Array, values: Array) -> Array:
    shares = own.reshape(-1, *(1,) * (values.ndim - 1))
    result: Array = values * shares + np.roll(values, 1, axis=0) * (1 - shares)
    return result


def _noise(x: Array, strengths: Strengths, draws: Draws) -> Array:
    result: Array = draws["noise"].standard_normal(x.shape, dtype=np.float32).astype(x.dtype)
    result *= x.dtype.type(strengths["noise"])
    return result


def _both_ways(draw: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Uniform between -1 and 1, float32."""
    return 2 * draw.random(shape, dtype=np.float32) - 1
