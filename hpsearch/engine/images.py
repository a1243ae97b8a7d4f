"""Images that are moved, turned, enlarged and mirrored: all of it in one reading."""

import numpy as np

from hpsearch.engine.arrays import Array


class Affine:
    """For each of B images a map from a place in the new image to the place in the old one that it shows.

    Places are (y, x) counted from the image's centre, in pixels: old = matrix @ new + offset. What is added first
    happens to the new image last.
    """

    def __init__(self, count: int, height: int, width: int) -> None:
        self.count, self._size = count, (height, width)
        self._matrix = np.broadcast_to(np.eye(2, dtype=np.float32), (count, 2, 2)).copy()
        self._offset = np.zeros((count, 2), np.float32)
        self._moved = False

    def flip(self, chosen: Array) -> None:
        """Exchange left and right of the images chosen, (B,) booleans."""
        mirrored = np.where(chosen, -1, 1).astype(np.float32)
        self._after(
            np.stack([np.ones_like(mirrored), mirrored], axis=1)[:, None, :] * np.eye(2, dtype=np.float32)
        )

    def enlarge(self, factors: Array) -> None:
        """Make the images larger by (B,) factors, about their centres."""
        self._after((1 / factors).astype(np.float32)[:, None, None] * np.eye(2, dtype=np.float32))

    def turn(self, angles: Array) -> None:
        """Turn the images by (B,) angles, in radians, about their centres."""
        cosine, sine = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
        self._after(np.stack([np.stack([cosine, -sine], axis=1), np.stack([sine, cosine], axis=1)], axis=1))

    def move(self, shares: Array) -> None:
        """Move the images by (2, B) shares of their height and width."""
        pixels = shares.T.astype(np.float32) * np.array(self._size, np.float32)
        self._offset += np.einsum("bij,bj->bi", self._matrix, pixels)
        self._moved = True

    def read(self, images: Array) -> Array:
        """(B, H, W, C) images as the maps show them: bilinear between pixels, the edge beyond it."""
        if not self._moved:
            return images
        (height, width), channels = self._size, images.shape[3]
        centre = (np.array(self._size, np.float32) - 1) / 2
        rows, columns = (
            np.arange(size, dtype=np.float32) - middle
            for size, middle in zip(self._size, centre, strict=True)
        )
        y, x = (
            np.clip(
                self._matrix[:, axis, 0, None, None] * rows[:, None]
                + self._matrix[:, axis, 1, None, None] * columns
                + (self._offset[:, axis, None, None] + centre[axis]),
                0,
                size - 1,
            )
            for axis, size in enumerate(self._size)
        )
        top, left = y.astype(np.int32), x.astype(np.int32)
        down = ((top < height - 1) * width).reshape(-1)
        right = (left < width - 1).reshape(-1).astype(np.int32)
        at = (
            top * width + left + np.arange(self.count, dtype=np.int32)[:, None, None] * (height * width)
        ).reshape(-1)
        dy, dx = (
            (place - whole).reshape(-1, 1).astype(images.dtype) for place, whole in ((y, top), (x, left))
        )
        pixels = images.reshape(-1, channels)
        upper = _between(pixels, at, at + right, dx)
        lower = _between(pixels, at + down, at + down + right, dx)
        lower -= upper
        lower *= dy
        lower += upper
        return lower.reshape(images.shape)

    def _after(self, matrices: Array) -> None:
        self._matrix = self._matrix @ matrices
        self._moved = True


def _between(pixels: Array, one: Array, other: Array, share: Array) -> Array:
    first = pixels.take(one, axis=0)
    second = pixels.take(other, axis=0)
    second -= first
    second *= share
    second += first
    return second
