"""PNG and JPEG files as one array of pixels, and the idx format of MNIST."""

import gzip
import math
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.bounds import check_pictures, check_unpacked
from hpsearch.data.cache import LARGE, Cache, file_key, forget, key_of
from hpsearch.data.fingerprint import CHUNK_BYTES
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    from hpsearch.spec import ImageSpec

ENDINGS: Final = (".png", ".jpg", ".jpeg")
MOST_PIXELS: Final = 50_000_000
"""What a picture's header may claim, before anything is decoded."""
_GRAY: Final = frozenset({"1", "L", "LA"})
_COLORED: Final = frozenset({"P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
_TOLD: Final = 5

Place = Callable[[int], str]


def read_pictures(
    files: Sequence[Path], settings: "ImageSpec", *, place: Place, cache: Cache, storage: str = "auto"
) -> NDArray[np.uint8]:
    """All pictures as (N, H, W, C) uint8; `place` names one in messages.

    Those of more than 256 MiB (or with `storage` "disk") are decoded once into a file of the cache.

    The camera's note of how it was held is followed; transparency is left out; one that is resized is
    averaged over the pixels that a new one covers.

    Raises:
        DataError: files that cannot be read, of a size or depth that is not allowed, or of different sizes.
    """
    problems: list[Problem] = []
    heads = [_head(file, place(i), problems) for i, file in enumerate(files)]
    _stop(problems)
    known = [head for head in heads if head is not None]
    sizes = [size for size, _ in known]
    size = settings.size or sizes[0]
    if settings.size is None:
        _check_sizes(sizes, place)
    gray = settings.color == "gray" or (settings.color == "auto" and all(gray for _, gray in known))
    shape = (len(files), *size, 1 if gray else 3)
    check_pictures(math.prod(shape), sum(file.stat().st_size for file in files), place(0))

    def fill(pixels: NDArray[np.uint8]) -> None:
        at_once = max(1, CHUNK_BYTES // pixels[:1].nbytes)
        for i, file in enumerate(files):
            try:
                pixels[i] = _decoded(file, size, "L" if gray else "RGB")
            except (OSError, SyntaxError, ValueError) as error:
                problems.append(_broken(place(i), error))
            if i % at_once == 0:
                forget(pixels)
        _stop(problems)

    if storage == "memory" or (storage == "auto" and np.prod(shape, dtype=np.float64) <= LARGE):
        pixels = np.empty(shape, np.uint8)
        fill(pixels)
        return pixels
    key = key_of("pictures", shape, [file_key(file) for file in files])
    return cache.array(key, shape, np.uint8, fill)


def read_idx(path: Path, source: str, *, dimensions: tuple[int, ...]) -> NDArray[np.uint8]:
    """The array of an idx file (MNIST's format), also gzipped: bytes, of so many dimensions.

    Raises:
        DataError: it is no such file, or shorter or longer than its head says.
    """
    opened = (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb")
    try:
        with opened as file:
            head = file.read(4)
            if len(head) < 4 or head[:3] != b"\0\0\x08" or head[3] not in dimensions:
                wanted = " or ".join(map(str, dimensions))
                rule = f"is no idx file of bytes with {wanted} dimensions"
                raise DataError(
                    Problem(place=source, rule=rule, remedy="name MNIST's file as it was published")
                )
            shape = struct.unpack(f">{head[3]}I", _exactly(file, 4 * head[3], source))
            size = int(np.prod(shape, dtype=np.float64))
            check_unpacked(size, path, source)
            if not size:
                raise DataError(Problem(place=source, rule="its head claims no picture"))
            content = _exactly(file, size, source)
            if file.read(1):
                raise DataError(
                    Problem(place=source, rule="is longer than its head says", remedy="it is damaged")
                )
    except (gzip.BadGzipFile, EOFError) as error:
        raise DataError(
            Problem(place=source, rule=f"is damaged: {error}", remedy="fetch it again")
        ) from error
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _exactly(file: Any, count: int, source: str) -> bytes:
    parts, missing = [], count
    while missing and (part := file.read(min(missing, 1 << 24))):
        parts.append(part)
        missing -= len(part)
    if missing:
        rule = f"is {missing:,} bytes shorter than its head says"
        raise DataError(Problem(place=source, rule=rule, remedy="fetch it again"))
    return b"".join(parts)


def _head(file: Path, place: str, problems: list[Problem]) -> tuple[tuple[int, int], bool] | None:
    """A picture's (height, width) and whether it is gray, from its head alone."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - only where there are pictures

    Image.MAX_IMAGE_PIXELS = None  # the limit below says more, and holds before decoding
    try:
        with Image.open(file, formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                rule = f"its head claims {width} x {height} pixels, of at most {MOST_PIXELS:,}"
                problems.append(
                    Problem(place=place, rule=rule, remedy="bring a smaller picture, or leave it out")
                )
            elif picture.mode not in _GRAY | _COLORED:
                rule = f"must have 8 bits a channel, got mode {picture.mode}"
                problems.append(Problem(place=place, rule=rule, remedy="save it with 8 bits a channel"))
            else:
                turned = picture.getexif().get(0x0112, 1) in {5, 6, 7, 8}
                return ((width, height) if turned else (height, width)), picture.mode in _GRAY
    except FileNotFoundError:
        rule = "there is no such file"
        problems.append(Problem(place=place, rule=rule, remedy="paths start at the table's directory"))
    except UnidentifiedImageError:
        problems.append(
            Problem(place=place, rule="is no PNG or JPEG picture", remedy="leave it out, or save it anew")
        )
    except (OSError, SyntaxError, ValueError) as error:
        problems.append(_broken(place, error))
    return None


def _decoded(file: Path, size: tuple[int, int], mode: str) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps  # noqa: PLC0415 - only where there are pictures

    with Image.open(file, formats=("PNG", "JPEG")) as picture:
        upright: Image.Image = ImageOps.exif_transpose(picture).convert(mode)
    if upright.size != size[::-1]:
        upright = upright.resize(size[::-1], Image.Resampling.BILINEAR)
    array = np.asarray(upright)
    return array[:, :, None] if array.ndim == 2 else array


def _check_sizes(sizes: Sequence[tuple[int, int]], place: Place) -> None:
    different = [i for i, size in enumerate(sizes) if size != sizes[0]]
    if different:
        first = different[0]
        one, other = (f"{height} x {width}" for height, width in (sizes[0], sizes[first]))
        raise DataError(
            Problem(
                place=place(first),
                rule=f"is {other} pixels (height x width), the first picture {one}; "
                f"{len(different)} of {len(sizes)} differ from it",
                remedy=f"bring all to one size with data.image.size: [{sizes[0][0]}, {sizes[0][1]}]",
            )
        )


def _broken(place: str, error: Exception) -> Problem:
    return Problem(place=place, rule=f"cannot be read: {error}", remedy="save it anew, or leave it out")


def _stop(problems: list[Problem]) -> None:
    if problems:
        more = len(problems) - _TOLD
        told = problems[:_TOLD]
        if more > 0:
            told.append(Problem(place=f"{more} more pictures", rule="cannot be used either"))
        raise DataError(told)
