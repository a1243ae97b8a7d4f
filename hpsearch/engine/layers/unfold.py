"""Where the numbers under a window lie: its shape, and what each of its taps meets.

A convolution is the product of its weights with a matrix whose rows hold what one tap of the window meets in each of
its places. Where windows move one step at a time, such a row is the input itself, shifted: with gaps of zeros between
an image's lines, one copy serves all of them at once. Results in the gaps are computed and not used. Where windows
take longer steps, or too much would be computed in vain, rows are gathered from images with margins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Final, Literal, Self

import numpy as np

from hpsearch.engine.arrays import Array
from hpsearch.engine.layers.channels import Margins, plane
from hpsearch.engine.layers.kind import ShapeError, words_of
from hpsearch.engine.layers.ports import Shape
from hpsearch.spec.layers import LayerSettings

IN_VAIN: Final = 1.5
"""Places computed for each place used, up to which shifted copies are faster than gathered ones."""

Padding = Literal["same", "valid"]


@dataclass(frozen=True, slots=True)
class Axis:
    """A window of `kernel` taps, `dilation` apart, that takes steps of `stride` along `size` numbers.

    With padding `same` there are ceil(size / stride) places, and zeros before and behind, the odd one behind; with
    `valid` the window never leaves the numbers.
    """

    size: int
    kernel: int
    stride: int
    dilation: int
    padding: Padding

    @property
    def reach(self) -> int:
        """Numbers from the window's first tap to its last."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def places(self) -> int:
        """Places of the window; below one where it does not fit."""
        if self.padding == "same":
            return -(-self.size // self.stride)
        return (self.size - self.reach) // self.stride + 1

    @property
    def zeros(self) -> tuple[int, int]:
        """How many zeros the window meets before the numbers, and behind."""
        missing = max(0, (self.places - 1) * self.stride + self.reach - self.size)
        return missing // 2, missing - missing // 2

    @property
    def gap(self) -> int:
        """Zeros behind the numbers that serve as those before the next ones, too."""
        return max(self.zeros)

    def taps(self) -> range:
        """Where the taps stand in the window's first place, from the first number on."""
        return range(-self.zeros[0], self.reach - self.zeros[0], self.dilation)

    def under(self, tap: int, places: slice | None = None) -> slice:
        """What the tap meets in some places, in numbers with their zeros before them."""
        start, stop = (0, self.places) if places is None else (places.start, places.stop)
        first = self.zeros[0] + tap
        return slice(first + self.stride * start, first + self.stride * (stop - 1) + 1, self.stride)


@dataclass(frozen=True, slots=True)
class Window:
    """A window over images, vertically and horizontally."""

    down: Axis
    right: Axis

    @classmethod
    def over(
        cls,
        size: tuple[int, int],
        *,
        kernel: tuple[int, int],
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: Padding = "valid",
    ) -> Self:
        """Over images of `size`."""
        pairs = zip(size, kernel, stride, dilation, strict=True)
        return cls(*(Axis(*numbers, padding) for numbers in pairs))

    @property
    def taps(self) -> int:
        """Numbers under the window, of one channel."""
        return self.down.kernel * self.right.kernel

    @property
    def places(self) -> tuple[int, int]:
        """Places of the window, vertically and horizontally: the size of what comes out."""
        return self.down.places, self.right.places

    @property
    def shifted(self) -> bool:
        """Whether rows are shifted copies of whole channels."""
        steps = self.down.stride * self.right.stride
        computed = (self.down.size + self.down.gap) * (self.right.size + self.right.gap)
        return steps == 1 and computed <= IN_VAIN * self.down.places * self.right.places

    @property
    def margins(self) -> Margins:
        """What must be around the images that are read."""
        if self.shifted:
            return Margins(bottom=self.down.gap, right=self.right.gap)
        return Margins(*self.down.zeros, *self.right.zeros)

    @property
    def grid(self) -> tuple[int, int]:
        """Places that are computed, those in the gaps included."""
        if self.shifted:
            return self.down.size + self.down.gap, self.right.size + self.right.gap
        return self.places

    @property
    def vain(self) -> Margins:
        """What is computed besides the places."""
        return Margins(bottom=self.grid[0] - self.places[0], right=self.grid[1] - self.places[1])

    def met(self, frame: Array, lines: slice) -> Iterator[tuple[slice, Array]]:
        """For each tap: which places in some lines of the grid meet numbers, and those numbers.

        The other places meet zeros. The frame is (..., H', W', B) with the margins. Numbers are (..., places) if
        shifted, else (..., lines, W, B).
        """
        taps = ((down, right) for down in self.down.taps() for right in self.right.taps())
        if not self.shifted:
            for down, right in taps:
                met = frame[..., self.down.under(down, lines), self.right.under(right), :]
                yield slice(0, prod(met.shape[-3:])), met
            return
        height, width, batch = frame.shape[-3:]
        flat = frame.reshape(*frame.shape[:-3], height * width * batch)
        start, stop = (line * width * batch for line in (lines.start, lines.stop))
        for down, right in taps:
            shift = (down * width + right) * batch
            first = min(max(start, -shift), stop)
            last = max(min(stop, flat.shape[-1] - shift), first)
            yield slice(first - start, last - start), flat[..., first + shift : last + shift]


def window_of(layer: LayerSettings, shape: Shape) -> Window:
    """The window that a layer's settings describe, over images (H, W, C) or sequences (T, C).

    Settings are `kernel` or `size`, `stride` (of a pooling without one, its size), `dilation` and `padding`.

    Raises:
        ShapeError: the window is larger than what it moves over.
    """
    images = len(shape) == 3

    def pair(value: int | tuple[int, int]) -> tuple[int, int]:
        if isinstance(value, int):
            return (value, value) if images else (1, value)
        return value

    kernel = pair(layer.get("kernel") or layer["size"])
    window = Window.over(
        plane(shape)[:2],
        kernel=kernel,
        stride=pair(layer.get("stride") or kernel),
        dilation=pair(layer.get("dilation", 1)),
        padding=layer["padding"],
    )
    for axis in (window.down, window.right):
        if axis.places < 1:
            name, reach = ("kernel" if layer.get("kernel") else "size"), axis.reach
            rule = f"{name} {axis.kernel} reaches over {reach} numbers, but {axis.size} come in ({words_of(shape)})"
            remedy = f"use a smaller {name}, padding `same`, or fewer layers in front that shrink their input"
            raise ShapeError(rule, remedy)
    return window


def steps_of(layer: LayerSettings, steps: Array) -> Array:
    """How many steps a window leaves of sequences with so many: those in which it lies within, at least one."""
    size = layer.get("kernel") or layer["size"]
    stride = layer.get("stride") or size
    if layer["padding"] == "same":
        return np.asarray(-(-steps // stride))
    reach = layer.get("dilation", 1) * (size - 1) + 1
    return np.asarray(np.maximum(steps - reach, 0) // stride + 1)
