"""Pictures as a kind of inputs: (height, width, channels), scaled channel by channel."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.fingerprint import CHUNK_BYTES, fingerprint_of_arrays, row_hashes
from hpsearch.data.kinds import examples_of
from hpsearch.data.prepared import EmbeddedColumn
from hpsearch.data.rows import rows_of
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    from hpsearch.data.raw import Findings
    from hpsearch.data.splits import Split
    from hpsearch.spec import DataSpec

_EXAMPLE_NUMBERS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class ImageInputs:
    """Pictures `pixels` (N, H, W, C), uint8 or float32, or those of its `rows`: taken when they are needed."""

    pixels: NDArray[Any]
    rows: NDArray[np.int64] | None = None

    @property
    def columns(self) -> int:
        """The number of channels."""
        return int(self.pixels.shape[-1])

    def __len__(self) -> int:
        return len(self.pixels) if self.rows is None else len(self.rows)

    def take(self, rows: NDArray[np.int64]) -> "ImageInputs":
        """These pictures."""
        return ImageInputs(self.pixels, rows if self.rows is None else self.rows[rows])

    def chunks(self) -> Iterator[NDArray[Any]]:
        """The pictures, some megabytes of them at a time."""
        count = max(1, CHUNK_BYTES // max(1, self.pixels[:1].nbytes))
        for start in range(0, len(self), count):
            rows = np.arange(start, min(start + count, len(self)))
            yield rows_of(self.pixels, rows if self.rows is None else self.rows[rows])

    def identity(self, targets: pd.DataFrame) -> str:
        """See `fingerprint_of_arrays`."""
        return fingerprint_of_arrays("image", [self.pixels], targets)

    def check(self, findings: "Findings") -> None:
        """Pixels that are no numbers."""
        start = 0
        for chunk in self.chunks():
            bad = np.zeros(1) if chunk.dtype.kind == "u" else ~np.isfinite(chunk).all(axis=(1, 2, 3))
            if bad.any():
                findings.problem(
                    f"pixels must be finite numbers, and picture {start + int(bad.argmax()) + 1} has others"
                )
                return
            start += len(chunk)

    def check_parts(self, split: "Split", findings: "Findings") -> None:
        """Training pictures that are all the same."""
        train = self.take(split.train)
        first = next(train.chunks())[:1]
        if all((chunk == first).all() for chunk in train.chunks()):
            findings.warn("all training pictures are the same: nothing can be learned from them")

    def row_codes(self) -> NDArray[np.uint64]:
        """Hashes of the pictures."""
        return np.concatenate([row_hashes(chunk) for chunk in self.chunks()])

    def fit(self, settings: "DataSpec") -> "ImagePreparer":
        """Each channel's scaling, over all pixels of these pictures."""
        center, scale = _moments(self, settings.image.scale)
        shape = self.pixels.shape[1:]
        return ImagePreparer(shape=shape, center=tuple(center.tolist()), scale=tuple(scale.tolist()))

    def example(self, rows: NDArray[np.int64]) -> pd.DataFrame:
        """A column `image` of nested lists (height, width, channels)."""
        few = rows[: max(1, _EXAMPLE_NUMBERS // max(1, int(np.prod(self.pixels.shape[1:]))))]
        return pd.DataFrame({"image": [picture.tolist() for picture in self.pixels[few]]})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePreparer:
    """Pixels minus `center`, by `scale`, one number a channel. `shape`: (H, W, C)."""

    shape: tuple[int, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The channels."""
        known = {1: ("gray",), 3: ("red", "green", "blue")}
        return known.get(self.shape[2]) or tuple(f"channel_{i}" for i in range(self.shape[2]))

    @property
    def embedded(self) -> tuple[EmbeddedColumn, ...]:
        """Pictures have no columns."""
        return ()

    @property
    def tokens(self) -> None:
        """Pixels are no tokens."""
        return

    def prepare(self, inputs: Any) -> tuple[NDArray[np.float32], None]:
        """Pictures as (N, H, W, C) float32.

        Args:
            inputs: an array (N, H, W, C), or (N, H, W) where there is one channel; a list of such pictures; or
                a table whose one column holds them.

        Raises:
            DataError: pictures of another shape, or pixels that are no finite numbers.
        """
        own = inputs if isinstance(inputs, ImageInputs) else ImageInputs(self._pictures(inputs))
        x = np.empty((len(own), *self.shape), dtype=np.float32)
        center, scale = (np.array(values, dtype=np.float32) for values in (self.center, self.scale))
        start = 0
        for chunk in own.chunks():
            part = x[start : start + len(chunk)]
            np.subtract(chunk, center, out=part, casting="unsafe")
            np.divide(part, scale, out=part)
            start += len(chunk)
        return x, None

    def in_step(self, others: Sequence["ImagePreparer"]) -> "ImagePreparer":
        """Every fold's pictures have the same shape."""
        del others
        return self

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {"kind": "image", **asdict(self)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ImagePreparer":
        """The preparer that `to_json` described."""
        return cls(**{name: tuple(stored[name]) for name in ("shape", "center", "scale")})

    def _pictures(self, inputs: Any) -> NDArray[Any]:
        wanted = f"must be pictures of {' x '.join(map(str, self.shape))} (height, width, channels)"
        given = examples_of(inputs)
        try:
            array = np.asarray(given)
            array = array if array.dtype == np.uint8 else array.astype(np.float32)
        except (TypeError, ValueError) as error:
            raise DataError(Problem(place="inputs", rule=f"{wanted}, all of one size")) from error
        if not array.size:
            return np.zeros((0, *self.shape), np.float32)
        if array.shape[1:] == self.shape[:2] and self.shape[2] == 1:
            array = array[..., None]
        if array.shape[1:] == (int(np.prod(self.shape)),):
            array = array.reshape(-1, *self.shape)
        if array.shape[1:] != self.shape:
            raise DataError(
                Problem(
                    place="inputs",
                    rule=f"{wanted}, got an array of shape {array.shape}",
                    remedy="a single picture is handed over as [picture]"
                    if array.shape == self.shape
                    else "",
                )
            )
        if array.dtype != np.uint8 and not np.isfinite(array).all():
            raise DataError(Problem(place="inputs", rule="pixels must be finite numbers"))
        return array


def _moments(images: ImageInputs, how: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Center and scale of each channel; a channel that does not vary has scale 1."""
    channels = images.columns
    if how == "none":
        return np.zeros(channels), np.ones(channels)
    low, high = np.full(channels, np.inf), np.full(channels, -np.inf)
    total = np.zeros(channels)
    for chunk in images.chunks():
        low = np.minimum(low, chunk.min(axis=(0, 1, 2)))
        high = np.maximum(high, chunk.max(axis=(0, 1, 2)))
        total += chunk.sum(axis=(0, 1, 2), dtype=np.float64)
    if how == "min_max":
        return low, np.where(high > low, high - low, 1.0)
    count = len(images) * int(np.prod(images.pixels.shape[1:3]))
    mean, squares = total / count, np.zeros(channels)
    for chunk in images.chunks():
        squares += np.square(chunk - mean).sum(axis=(0, 1, 2))
    return mean, np.where(high > low, np.sqrt(squares / count), 1.0)
