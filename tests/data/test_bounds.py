"""Files that announce or unpack to absurd sizes are refused by their headers, before memory is taken."""

import io
import zipfile
from struct import pack_into

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hpsearch.data import bounds
from hpsearch.data.sources import load
from hpsearch.errors import DataError


def refusal(name, directory):
    with pytest.raises(DataError) as caught:
        load(name, base=directory)
    return str(caught.value)


def header(shape, descr="'<f8'"):
    """The first bytes of an .npy file."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text = text.ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def archive(path, *, compression=zipfile.ZIP_DEFLATED, **members):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_an_array_whose_header_announces_more_than_is_there_takes_no_memory(tmp_path):
    archive(tmp_path / "t.npz", x=header((10**15, 3)) + bytes(64), y=npy(np.ones(3)))
    assert refusal("t.npz", tmp_path) == (
        "t.npz: x: is damaged: its header announces 24000000000000000 bytes, and 64 are there"
    )


@pytest.mark.parametrize("shape", ["(-1,)", "(2, -3)", "(1.5,)", "None", "(((((1,),),),),)", "(" * 5000])
def test_an_array_with_an_absurd_shape_is_refused(tmp_path, shape):
    archive(tmp_path / "t.npz", x=header(shape) + bytes(64), y=npy(np.ones(3)))
    assert refusal("t.npz", tmp_path).startswith("t.npz: x: is damaged: ")


def test_a_zip_bomb_is_refused_by_its_directory(tmp_path):
    """Many layers of zeros: 1 MB that would be 300 GB; the directory's sizes are enough to know."""
    path = tmp_path / "t.npz"
    archive(path, x=header((3,)) + bytes(24), y=npy(np.ones(3)))
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    pack_into("<I", content, entry + 24, 0xF0000000)
    path.write_bytes(content)
    assert refusal("t.npz", tmp_path) == (
        f"t.npz: would unpack from {len(content)} bytes to 4.03 GB: refused, as a file made to exhaust memory; "
        "save it uncompressed if it is real data"
    )


def test_members_that_are_not_asked_for_are_not_unpacked(tmp_path):
    archive(tmp_path / "t.npz", x=npy(np.ones(3)), y=npy(np.arange(3)), z=header((10**15,)))
    assert len(load("t.npz", base=tmp_path).frame) == 3


def test_a_damaged_stream_is_no_traceback(tmp_path):
    path = tmp_path / "t.npz"
    archive(path, x=npy(np.random.default_rng(0).normal(size=100)), y=npy(np.ones(100)))
    content = bytearray(path.read_bytes())
    content[200:220] = bytes(20)
    path.write_bytes(content)
    assert refusal("t.npz", tmp_path).startswith("t.npz: x: is damaged: ")


def test_a_zip_of_a_later_version_or_with_a_password_is_no_traceback(tmp_path):
    for offset, value, start in ((6, 127, "t.npz: is no .npz archive"), (8, 1, "t.npz: x: is damaged: File")):
        path = tmp_path / "t.npz"
        archive(path, x=npy(np.ones(3)), y=npy(np.ones(3)))
        content = bytearray(path.read_bytes())
        content[content.index(b"PK\x01\x02") + offset] = value
        path.write_bytes(content)
        assert refusal("t.npz", tmp_path).startswith(start)


def test_a_parquet_file_of_endless_equal_rows_is_refused_by_its_footer(tmp_path, monkeypatch):
    """A run of equal values takes a few bytes, however long it is; the limit is lowered here, for speed."""
    monkeypatch.setattr(bounds, "_HARMLESS", 1 << 20)
    path, rows = tmp_path / "t.parquet", 2_000_000
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int8)), pa.array(["a"]))
    columns = {f"c{i}": column for i in range(10)}
    pq.write_table(pa.table(columns), path, compression="zstd")
    assert ": refused, as a file made to exhaust memory" in refusal("t.parquet", tmp_path)


def test_texts_in_parquet_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": ["wrong" * 4, "b"], "y": [1, 2]}).to_parquet(path, compression=None)
    path.write_bytes(path.read_bytes().replace(b"wrongwrong", b"wrong\xff\xfe\xff\xff\xff"))
    assert "is no Parquet file: " in refusal("t.parquet", tmp_path)


def test_what_cannot_fit_into_memory_is_refused_with_both_sizes(tmp_path):
    path = tmp_path / "t.npz"
    with path.open("wb") as file:
        file.truncate(1 << 42)
    with pytest.raises(DataError, match=r"needs 4\.4 TB of memory when unpacked, and this machine has"):
        bounds.check_unpacked(1 << 42, path, "t.npz")
