"""A process of its own that reads damaged files, bounded in memory and time: what came of each.

`python -m tests.support.fuzzing study|.csv|.tsv|.parquet|.npz|.ts|idx|.png|.jpg FIRST COUNT` prints a JSON report.
"""

import io
import json
import random
import re
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from hpsearch.errors import InputError
from hpsearch.fit import prepare_study
from hpsearch.spec import parse_study
from hpsearch.spec.document import read_document
from hpsearch.spec.reader import load_study
from tests.support.absurd import absurd
from tests.support.mutation import any_mutation, mutate_bytes
from tests.support.studies import QUICK, write_customers, write_houses

ROOT = Path(__file__).parents[2]
_SECONDS = 10  # of processor time for one file
_ROOM = 512 << 20  # of address space beyond what reading a healthy file has taken


class HangError(BaseException):
    """A file took too long; not to be caught by what is tested."""


def study_texts():
    """All study files that the project shows."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    shown = [
        block for page in pages for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    shipped = [path.read_text() for path in sorted((ROOT / "studies").glob("*.yaml"))]
    return [text.encode() for text in (QUICK, *shipped, *shown) if re.search(r"^study:", text, re.MULTILINE)]


def tables(directory):
    """Small healthy tables as files of each format, by ending: (content, target)."""
    houses = pd.read_csv(write_houses(directory / "houses.csv", rows=60))
    customers = pd.read_csv(write_customers(directory / "customers.csv", rows=60))
    rich = customers.assign(
        when=pd.date_range("2020", periods=len(customers)),
        category=customers["plan"].astype("category"),
        flag=customers["calls"] > 2,
        small=customers["calls"].astype("int8"),
        nullable=customers["age"].astype("Int64"),
        raw=[b"ab"] * len(customers),
    )
    stream = np.random.default_rng(0)
    x = stream.normal(size=(60, 3))
    return {
        ".csv": [
            ((directory / "houses.csv").read_bytes(), "price"),
            ((directory / "customers.csv").read_bytes(), "left"),
            (houses.to_csv(sep=";", decimal=",", quoting=2).encode(), "price"),
        ],
        ".tsv": [
            (houses.to_csv(sep="\t", index=False).encode(), "price"),
            (customers.to_csv(sep="\t", index=False).encode(), "left"),
        ],
        ".parquet": [
            (houses.to_parquet(), "price"),
            (houses.to_parquet(compression=None), "price"),
            (customers.to_parquet(compression="gzip"), "left"),
            (rich.to_parquet(row_group_size=20), "left"),
            (customers.assign(lists=[[1, 2]] * len(customers)).to_parquet(compression="zstd"), "left"),
        ],
        ".npz": [
            (_npz(np.savez, x=x, y=stream.integers(0, 3, 60)), None),
            (_npz(np.savez_compressed, X=x.astype("f4"), Y=x[:, 0]), None),
            (_npz(np.savez, x=x[:, 0] > 0, y=np.array(["a", "bb", "c"] * 20)), None),
        ],
    }


def _npz(save, **arrays):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


class StudyFiles:
    """Damaged study files, through the reader as the command line calls it."""

    def __init__(self, directory):
        self._path = directory / "study.yaml"
        self._texts = study_texts()
        self._trees = [read_document(text.decode(), "corpus").values for text in self._texts]  # noqa: PD011 - no pandas

    def read(self, chance):
        self._path.write_bytes(any_mutation(self._texts, self._trees, chance))
        load_study(self._path)

    def read_healthy(self):
        for text in self._texts:
            self._path.write_bytes(text)
            load_study(self._path)


class DataFiles:
    """Damaged data files, also such whose heads claim what cannot be, read, checked, split and preprocessed."""

    def __init__(self, directory, ending):
        self._ending, self._base = ending, directory / "corpus"
        self._path, self._source, self._healthy = corpus(directory, ending)

    def read(self, chance):
        content, target = chance.choice(self._healthy)
        others = [other for other, _ in self._healthy]
        if chance.random() < 0.3:
            self._prepare(absurd(self._ending, content, chance), target)
        else:
            self._prepare(mutate_bytes(content, chance, others, times=chance.choice((1, 1, 3))), target)

    def read_healthy(self):
        for content, target in self._healthy:
            self._prepare(content, target)

    def _prepare(self, content, target):
        self._path.write_bytes(content)
        wanted = f", target: {target}" if target else ""
        text = f"study: damaged\ndata: {{source: {self._source}{wanted}}}"
        prepare_study(parse_study(text, base=self._base))


def corpus(directory, ending):
    """The file that is damaged, the source that it belongs to, and what it holds when healthy."""
    place = directory / "corpus" / "of" / "data"
    place.mkdir(parents=True)
    if ending in (".png", ".jpg"):
        return pictures(place, ending)
    if ending == "idx":
        stream = np.random.default_rng(0)
        labels = idx(stream.integers(0, 2, 40, dtype=np.uint8))
        (place / "train-labels-idx1-ubyte").write_bytes(labels)
        healthy = idx(stream.integers(0, 256, (40, 4, 3), dtype=np.uint8))
        path = place / "train-images-idx3-ubyte"
        return path, "of/data/train-images-idx3-ubyte", [(healthy, None)]
    if ending == ".ts":
        return place / "data.ts", "of/data/data.ts", [(text.encode(), None) for text in time_series()]
    return place / f"data{ending}", f"of/data/data{ending}", tables(directory)[ending]


def pictures(place, ending):
    """Two folders of pictures, one of which is damaged."""
    from PIL import Image

    stream, healthy = np.random.default_rng(0), []
    for label in ("cat", "dog"):
        (place / label).mkdir()
        for number in range(12):
            path = place / label / f"{number}{ending}"
            Image.fromarray(stream.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(path)
            healthy.append((path.read_bytes(), None))
    return place / "cat" / f"0{ending}", "of/data/", healthy


def idx(array):
    """MNIST's format."""
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def time_series():
    """Series of equal length, of unequal length, and of two dimensions."""
    stream = np.random.default_rng(0)
    label = "@problemName made\n@timeStamps false\n@classLabel true a b\n"

    def lines(lengths, dimensions):
        for i, length in enumerate(lengths):
            values = [",".join(f"{x:.3f}" for x in stream.normal(size=length)) for _ in range(dimensions)]
            yield ":".join([*values, "ab"[i % 2]])

    equal = "@univariate true\n@equalLength true\n@seriesLength 8\n"
    return [
        label + equal + "@data\n" + "\n".join(lines([8] * 30, 1)),
        label + "@univariate true\n@equalLength false\n@data\n" + "\n".join(lines(range(3, 33), 1)),
        label + "@univariate false\n@dimensions 2\n@data\n" + "\n".join(lines([5] * 30, 2)),
    ]


def fuzz(reader, first, count):
    """Read damaged files one by one; how many were valid, refused, and which broke the reader, with the reason."""
    valid, refused, broken, slowest = 0, Counter(), {}, 0.0
    for seed in range(first, first + count):
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, _SECONDS)
        try:
            reader.read(random.Random(seed))
            valid += 1
        except InputError as error:
            refused[str(error).partition(";")[0][:60]] += 1
        except BaseException as error:  # noqa: BLE001 - that is what is looked for
            broken.setdefault(_where(error), seed)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, time.process_time() - began)
    return {
        "valid": valid,
        "refused": refused.total(),
        "kinds": len(refused),
        "broken": broken,
        "slowest": slowest,
    }


def _where(error):
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {str(error)[:100]} ({place.filename}:{place.lineno})"


def _limit_memory():
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + _ROOM, resource.RLIM_INFINITY))


def _hang(_number, _frame):
    raise HangError(f"more than {_SECONDS} s of processor time")


def main(kind, first, count):
    signal.signal(signal.SIGPROF, _hang)
    with tempfile.TemporaryDirectory() as directory:
        reader = StudyFiles(Path(directory)) if kind == "study" else DataFiles(Path(directory), kind)
        reader.read_healthy()
        _limit_memory()
        sys.stdout.write(json.dumps(fuzz(reader, int(first), int(count))))


if __name__ == "__main__":
    main(*sys.argv[1:])
