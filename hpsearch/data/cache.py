"""Arrays too large for memory: written once to files, by what they hold, and mapped from then on."""

import hashlib
import json
import mmap
import os
import shutil
import tempfile
from atexit import register
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hpsearch.errors import StorageError

LARGE: Final = 256 << 20
"""Bytes of a source from which its arrays are kept in files."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A directory of arrays, each under the key of its content."""

    directory: Path

    @classmethod
    def temporary(cls) -> "Cache":
        """One that is gone when the process ends."""
        directory = Path(tempfile.mkdtemp(prefix="hpsearch-"))
        register(shutil.rmtree, directory, ignore_errors=True)
        return cls(directory)

    def array(
        self, key: str, shape: tuple[int, ...], dtype: DTypeLike, fill: Callable[[NDArray[Any]], None]
    ) -> NDArray[Any]:
        """The array of a key, read-only; `fill` writes it where it is not there yet, whole or not at all.

        Raises:
            StorageError: there is no room, or the directory cannot be written.
        """
        path = self.directory / f"{key}.npy"
        if not path.exists():
            temporary = path.with_name(f".{path.name}.{os.getpid()}")
            try:
                self._make_room(shape, dtype)
                made = np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=shape)
                fill(made)
                made.flush()
                temporary.replace(path)
            except OSError as error:
                raise StorageError(
                    f"{self.directory}: prepared data cannot be written ({error.strerror or error}); "
                    "free space, or name another store with --store"
                ) from error
            finally:
                temporary.unlink(missing_ok=True)
        # asarray drops the memmap subclass, whose bookkeeping would slow every small operation
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))

    def has(self, key: str) -> bool:
        """Whether the array of a key is there."""
        return (self.directory / f"{key}.npy").exists()

    def remove(self, key: str) -> None:
        """Let the array of a key be made anew."""
        (self.directory / f"{key}.npy").unlink(missing_ok=True)

    def read_facts(self, key: str) -> dict[str, Any] | None:
        """What `write_facts` kept under a key, None before that."""
        try:
            facts: dict[str, Any] = json.loads((self.directory / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return facts

    def write_facts(self, key: str, facts: dict[str, Any]) -> None:
        """Keep JSON values under a key."""
        temporary = self.directory / f".{key}.json.{os.getpid()}"
        temporary.write_text(json.dumps(facts), encoding="utf-8")
        temporary.replace(self.directory / f"{key}.json")

    def _make_room(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        needed = int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize
        free = shutil.disk_usage(self.directory).free
        if needed > free:
            raise OSError(f"{needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free")


def key_of(*parts: Any) -> str:
    """A key of JSON values and arrays: 24 hexadecimal digits of their SHA-256."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.tobytes() if isinstance(part, np.ndarray) else json.dumps(part, default=str).encode()
        digest.update(b"%d:" % len(content))
        digest.update(content)
    return digest.hexdigest()[:24]


def file_key(path: Path, *settings: Any) -> str:
    """A key of a file as it is now (its place, size and time of change), and of what is made of it."""
    status = path.stat()
    return key_of(str(path.resolve()), status.st_size, status.st_mtime_ns, *settings)


def forget(array: NDArray[Any]) -> None:
    """Let the pages of a mapped array go from this process's memory; the system keeps them as long as it likes."""
    mapped = root(array)
    if mapped is not None:
        mapped.madvise(mmap.MADV_DONTNEED)


def root(array: NDArray[Any]) -> mmap.mmap | None:
    """The mapping of a file in which an array lies, if it does."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None


def slices(count: int, row_bytes: int) -> Iterator[slice]:
    """Rows in steps of 8 MB."""
    step = max(1, (8 << 20) // max(1, row_bytes))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))
