"""Tables too large for memory, read a few megabytes at a time and written to the cache."""

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hpsearch.data.cache import LARGE, Cache, file_key, forget
from hpsearch.data.columns import NA_SPELLINGS, beyond_float32
from hpsearch.data.fingerprint import fingerprint
from hpsearch.data.large import LargeInputs
from hpsearch.data.raw import RawData
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    from hpsearch.spec import DataSpec

Floats = NDArray[np.float64]


def is_large(spec: "DataSpec", path: Path) -> bool:
    """Whether a table's numbers are to be kept in a file."""
    if spec.known_kind not in {"auto", "table"} or path.suffix.lower() not in {
        ".csv",
        ".tsv",
        ".parquet",
        ".arrow",
        ".feather",
    }:
        return False
    return spec.storage == "disk" or (spec.storage == "auto" and path.stat().st_size > LARGE)


def read_large(path: Path, spec: "DataSpec", cache: Cache) -> tuple[RawData, list[str]]:
    """The table of a file too large for memory: its inputs in a file of the cache, its targets in memory; and a note.

    Raises:
        DataError: inputs that are no numbers, no target, or a file that cannot be read.
    """
    key = _key(path, spec)
    names, goals = _chosen(path, spec)
    before = cache.read_facts(key)
    facts = before or _stream(path, spec, cache, names, goals)
    stored = cache.array(f"{key}-x", (facts["rows"], len(names)), np.float32, _nothing)
    beside = pq.read_table(cache.directory / f"{key}-y.parquet").to_pandas()
    about = [name for name in spec.split.columns if name in beside]
    targets = beside.drop(columns=about)
    inputs = LargeInputs(
        stored=stored,
        names=tuple(names),
        center=np.array(facts["center"]),
        scale=np.array(facts["scale"]),
        fingerprint=facts["fingerprint"],
    )
    size = f"{stored.nbytes / 1e9:.2g} GB in {cache.directory}"
    note = (
        f"{spec.source}: prepared before, used again: {size}"
        if before
        else f"{spec.source}: prepared in files: {size}"
    )
    raw = RawData(name=spec.source, inputs=inputs, targets=targets, about=beside[about] if about else None)
    return raw, [note]


def _key(path: Path, spec: "DataSpec") -> str:
    return file_key(path, "table", spec.target, spec.drop, spec.split.columns)


def _nothing(_array: NDArray[Any]) -> None:
    raise OSError("it was removed while in use")


def _chosen(path: Path, spec: "DataSpec") -> tuple[list[str], list[str]]:
    schema = _schema(path, spec.source)
    targets = [spec.target] if isinstance(spec.target, str) else list(spec.target or ())
    problems = [
        Problem(place=spec.source, key=f"data.{key}", rule=f"the table has no column {name!r}")
        for key, listed in (("target", targets), ("drop", spec.drop), ("split", spec.split.columns))
        for name in listed
        if name not in schema
    ]
    aside = {*targets, *spec.drop, *spec.split.columns}
    names = [name for name in schema if name not in aside]
    problems += [
        Problem(
            place=spec.source,
            key=f"data.split.{key}",
            rule="a table that is kept in a file cannot be joined with another",
            remedy="give its rows with data.split.rows or data.split.column",
        )
        for key in ("validation", "test")
        if isinstance(getattr(spec.split, key), str)
    ]
    problems += [
        Problem(
            place=spec.source,
            key=f"column {name!r}",
            rule=f"must be numbers in a table that is kept in a file, got {schema[name]}",
            remedy=f"leave it out with data.drop: [{name}], or set data.storage: memory",
        )
        for name in names
        if not (
            pa.types.is_integer(schema[name])
            or pa.types.is_floating(schema[name])
            or pa.types.is_boolean(schema[name])
        )
    ]
    if problems:
        raise DataError(problems[:8])
    return names, [*targets, *(name for name in spec.split.columns if name not in targets)]


def _schema(path: Path, source: str) -> dict[str, pa.DataType]:
    try:
        if path.suffix.lower() == ".parquet":
            schema = pq.read_schema(path)
        elif path.suffix.lower() in {".arrow", ".feather"}:
            with pa.memory_map(str(path)) as mapped, pa.ipc.open_file(mapped) as file:
                schema = file.schema
        else:
            with _open_csv(path, None) as reader:
                schema = reader.schema
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(Problem(place=source, rule=f"cannot be read as a table: {error}")) from error
    types = {field.name: pa.float64() if pa.types.is_null(field.type) else field.type for field in schema}
    if len(types) < len(schema):
        raise DataError(Problem(place=source, rule="a column's name occurs more than once"))
    return types


def _open_csv(path: Path, types: dict[str, pa.DataType] | None) -> Any:
    return arrow_csv.open_csv(
        path,
        read_options=arrow_csv.ReadOptions(block_size=16 << 20, use_threads=False),
        parse_options=arrow_csv.ParseOptions(delimiter="\t" if path.suffix.lower() == ".tsv" else ","),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types, null_values=sorted(NA_SPELLINGS), strings_can_be_null=True
        ),
    )


def _batches(path: Path, columns: Sequence[str], types: dict[str, pa.DataType]) -> Iterator[Any]:
    """The file's rows, some megabytes at a time."""
    if path.suffix.lower() == ".parquet":
        with pq.ParquetFile(path, pre_buffer=False) as file:
            yield from file.iter_batches(
                batch_size=max(1, (16 << 20) // (8 * len(columns))), columns=list(columns)
            )
    elif path.suffix.lower() in {".arrow", ".feather"}:
        with pa.memory_map(str(path)) as mapped, pa.ipc.open_file(mapped) as file:
            for i in range(file.num_record_batches):
                yield file.get_batch(i).select(list(columns))
    else:
        numbers = {name: pa.float64() for name, kind in types.items() if pa.types.is_integer(kind)}
        with _open_csv(path, types | numbers) as reader:
            for batch in reader:
                yield batch.select(list(columns))


def _stream(path: Path, spec: "DataSpec", cache: Cache, names: list[str], goals: list[str]) -> dict[str, Any]:
    """Write inputs and targets to the cache; what is known of them."""
    types, key = _schema(path, spec.source), _key(path, spec)
    digest = hashlib.sha256(",".join(names).encode())
    targets: list[Any] = []
    scaling: list[Floats] = []

    def fill(stored: NDArray[np.float32]) -> None:
        rows = 0
        for batch in _batches(path, [*names, *goals], types):
            values = _values(batch, names)
            _check_finite(values, names, rows, spec.source)
            if not scaling:
                scaling.extend(_provisional(values))
            stored[rows : rows + len(values)] = (values - scaling[0]) / scaling[1]
            digest.update(np.where(np.isnan(values), np.nan, values + 0.0).tobytes())
            targets.append(batch.select(goals))
            rows += len(values)
            forget(stored)

    try:
        count = sum(len(batch) for batch in _batches(path, goals[:1] or names[:1], types))
        if not count:
            raise DataError(Problem(place=spec.source, rule="the file has no rows", remedy="add the data"))
        cache.remove(f"{key}-x")
        cache.array(f"{key}-x", (count, len(names)), np.float32, fill)
    except (pa.ArrowException, ValueError) as error:
        rule = f"cannot be read as a table: {str(error).splitlines()[0]}"
        raise DataError(Problem(place=spec.source, rule=rule, remedy="correct the file")) from error
    table = pa.Table.from_batches(targets)
    pa.default_memory_pool().release_unused()
    pq.write_table(table, cache.directory / f"{key}-y.parquet")
    facts = {
        "rows": count,
        "center": scaling[0].tolist(),
        "scale": scaling[1].tolist(),
        "fingerprint": fingerprint(pd.DataFrame({digest.hexdigest(): []}), table.to_pandas()),
    }
    cache.write_facts(key, facts)
    return facts


def _values(batch: Any, names: Sequence[str]) -> Floats:
    """The named columns of a batch as (N, D), NaN where missing."""
    values = np.empty((len(batch), len(names)))
    for i, name in enumerate(names):
        values[:, i] = pc.cast(batch.column(name), pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _check_finite(values: Floats, names: Sequence[str], before: int, source: str) -> None:
    bad = beyond_float32(values)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        rule = f"must be finite and below 3.4e38 in size, got {values[row, column]} in row {before + row + 1}"
        raise DataError(Problem(place=source, key=f"column {names[column]!r}", rule=rule))


def _provisional(values: Floats) -> tuple[Floats, Floats]:
    """Center and scale of the first rows: about where float32 has most digits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column may have no value here
        center, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    return np.nan_to_num(center), np.where(np.nan_to_num(scale) > 0, np.nan_to_num(scale), 1.0)
