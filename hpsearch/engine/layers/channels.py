"""Ports of images and sequences between convolutional layers: channel by channel, with margins of zeros if asked for.

A frame's whole is (K, C, H', W', B): the numbers of one channel of all samples lie together, those of one pixel side by
side, so that what convolutions and poolings do to them are a few operations on long rows. What layers exchange is seen
as (K, B, H, W, C) as everywhere, in the same memory. A sequence is an image of height one.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.layers.ports import Frame, Port


class Margins(NamedTuple):
    """Rows above and below each image, columns to its left and right."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


NO_MARGINS: Final = Margins()


def plane(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(height, width, channels) of images (H, W, C), and of sequences (T, C) as images of height one."""
    height, width, channels = (1, *shape) if len(shape) == 2 else shape
    return height, width, channels


def channel_port(
    rows: int, batch: int, shape: tuple[int, ...], dtype: np.dtype[Any], margins: Margins = NO_MARGINS
) -> Port:
    """A port for K x B samples of `shape`, (H, W, C) or (T, C); all of it zero."""
    height, width, channels = plane(shape)
    top, bottom, left, right = margins
    whole = (rows, channels, top + height + bottom, left + width + right, batch)

    def frame() -> Frame:
        memory = aligned(whole, dtype)
        image = memory[:, :, top : top + height, left : left + width].transpose(0, 4, 2, 3, 1)
        return Frame(memory, image[:, :, 0] if len(shape) == 2 else image, by_sample=False)

    return Port(frame(), frame())


def images(inner: Array) -> Array:
    """What is exchanged as (K, C, H, W, B), whatever it lies in; sequences have height one."""
    image = inner[:, :, None] if inner.ndim == 4 else inner
    return image.transpose(0, 4, 2, 3, 1)


def outside(whole: Array, margins: Margins) -> list[Array]:
    """The margins of (K, C, H', W', B)."""
    top, bottom, left, right = margins
    height, width = whole.shape[2:4]
    lines = whole[:, :, top : height - bottom]
    above, below = whole[:, :, :top], whole[:, :, height - bottom :]
    parts = [above, below, lines[..., :left, :], lines[..., width - right :, :]]
    return [part for part in parts if part.size]


def lies_in(frame: Frame, grid: tuple[int, int]) -> bool:
    """Whether the frame is channel by channel, its images in the upper left corners of places of the size `grid`."""
    whole, image = frame.whole, images(frame.inner)
    channels, height, width = image.shape[1:4]
    if whole.ndim != 5 or whole.shape != (len(image), channels, *grid, image.shape[4]):
        return False
    corner = whole[:, :, :height, :width]
    at, expected = (array.__array_interface__["data"] for array in (image, corner))
    return bool(at == expected and image.strides == corner.strides)
