"""Pictures in folders, one a class, and in a table of paths."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.cache import Cache
from hpsearch.data.images import ImageInputs
from hpsearch.data.pictures import ENDINGS, read_idx, read_pictures
from hpsearch.data.raw import RawData
from hpsearch.data.sources import ELSEWHERE
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    from hpsearch.spec import DataSpec

PARTS: Final = {
    "train": "train",
    "training": "train",
    "valid": "validation",
    "val": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""Folders of these names above the classes are the parts of the data."""


def read_folder(path: Path, source: str, spec: "DataSpec", *, cache: Cache) -> tuple[RawData, list[str]]:
    """A folder with a folder of pictures for each class, sorted by class and name; and warnings.

    Where all its folders are named like parts (train, validation, test), each of them holds the classes.

    Raises:
        DataError: there are fewer than two classes, or pictures that cannot be read.
    """
    if not path.is_dir():
        rule = f"there is no folder {path}" if not path.exists() else f"{path} is no folder"
        raise DataError(Problem(place=source, key="data.source", rule=rule, remedy=ELSEWHERE))
    given = bool(_folders(path)) and all(folder.name.lower() in PARTS for folder in _folders(path))
    roots = [(PARTS[folder.name.lower()], folder) for folder in _folders(path)] if given else [("", path)]
    found = [
        (file, label.name, part)
        for part, root in roots
        for label in _folders(root)
        for file in sorted(label.rglob("*"))
        if file.is_file() and not file.name.startswith(".")
    ]
    pictures = [row for row in found if row[0].suffix.lower() in ENDINGS]
    classes = sorted({label for _, label, _ in pictures})
    if len(classes) < 2:
        rule = f"{path} must have a folder of PNG or JPEG pictures for each of two classes or more, got "
        rule += f"{len(classes)} with pictures"
        raise DataError(
            Problem(place=source, rule=rule, remedy=f"as in {source}cat/1.png, {source}dog/1.png")
        )
    files = [file for file, _, _ in pictures]
    place = _named(files, path, source)
    pixels = read_pictures(files, spec.image, place=place, cache=cache, storage=spec.storage)
    left = len(found) - len(pictures)
    warnings = [f"{source}: {left} files that are no PNG or JPEG left out"] if left else []
    parts = np.array([part for _, _, part in pictures]) if given else None
    targets = pd.DataFrame({"class": [label for _, label, _ in pictures]})
    return RawData(name=source, inputs=ImageInputs(pixels), targets=targets, part=parts), warnings


def read_listed(raw: RawData, base: Path, spec: "DataSpec", *, cache: Cache) -> RawData:
    """The pictures that a table's column of paths names, relative to the table's directory.

    Raises:
        DataError: the table has no such column, empty paths, or pictures that cannot be read.
    """
    frame: Any = raw.inputs
    name = spec.image.path
    paths = frame[name]
    if paths.isna().any():
        row = int(paths.isna().to_numpy().argmax())
        place = f"{raw.name}:{raw.line(row)}" if raw.line else raw.name
        raise DataError(Problem(place=place, key=f"column {name!r}", rule="a picture's path is missing"))
    files = [base / str(path) for path in paths]
    line = raw.line

    def place_of(row: int) -> str:
        return f"{raw.name}:{line(row)}: {paths.iloc[row]}" if line else f"{raw.name}: {paths.iloc[row]}"

    pixels = read_pictures(files, spec.image, place=place_of, cache=cache, storage=spec.storage)
    about = raw.about_with(frame.drop(columns=name))
    return RawData(
        name=raw.name, inputs=ImageInputs(pixels), targets=raw.targets, line=line, part=raw.part, about=about
    )


def read_mnist(path: Path, source: str) -> RawData:
    """MNIST's idx files: the images named and the labels beside them; `t10k-` files beside are the test part.

    Raises:
        DataError: a file is missing, damaged, or the two do not agree.
    """
    pixels, labels = _pair(path, source)
    beside = path.with_name(path.name.replace("train", "t10k"))
    part = None
    if beside != path and beside.exists():
        more, their_labels = _pair(beside, source)
        if more.shape[1:] != pixels.shape[1:]:
            rule = f"{beside.name} holds pictures of {more.shape[1:]}, {path.name} of {pixels.shape[1:]}"
            raise DataError(Problem(place=source, rule=rule))
        part = np.repeat(["train", "test"], [len(pixels), len(more)])
        pixels, labels = np.concatenate([pixels, more]), np.concatenate([labels, their_labels])
    pixels = pixels[..., None] if pixels.ndim == 3 else pixels
    return RawData(
        name=source, inputs=ImageInputs(pixels), targets=pd.DataFrame({"label": labels}), part=part
    )


def _pair(path: Path, source: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    beside = path.with_name(
        path.name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1")
    )
    if not beside.exists():
        raise DataError(Problem(place=source, rule=f"there are no labels {beside.name} beside {path.name}"))
    pixels = read_idx(path, source, dimensions=(3, 4))
    labels = read_idx(beside, source.replace(path.name, beside.name), dimensions=(1,))
    if len(pixels) != len(labels):
        rule = f"holds {len(pixels)} pictures, and {beside.name} {len(labels)} labels"
        raise DataError(Problem(place=source, rule=rule, remedy="fetch both again"))
    return pixels, labels


def _folders(path: Path) -> list[Path]:
    return sorted(f for f in path.iterdir() if f.is_dir() and not f.name.startswith((".", "__")))


def _named(files: list[Path], root: Path, source: str) -> Callable[[int], str]:
    return lambda row: f"{source}{files[row].relative_to(root)}"
