"""Files that announce or unpack to absurd sizes are refused by their headers, before memory is taken."""

import io
import struct
import zipfile
import zlib
from struct import pack_into

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hpsearch.data import bounds
from hpsearch.data.loading import load_special
from hpsearch.data.sources import load
from hpsearch.errors import DataError
from hpsearch.fit import prepare_study
from hpsearch.spec import DataSpec, parse_study


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


def test_a_cell_may_be_a_long_document(tmp_path):
    """Longer than the 131,072 characters that Python's reader takes by itself; also where a line is wrong."""
    (tmp_path / "t.csv").write_text("a,y\n" + "word " * 100_000 + ",1\nb,2\n")
    assert len(load("t.csv", base=tmp_path).frame) == 2
    (tmp_path / "t.csv").write_text("a,y\n" + "word " * 100_000 + ",1\nb\n")
    assert "t.csv:3" in refusal("t.csv", tmp_path)


def png(width, height, *, pixels):
    """A gray picture of one shade: its head claims the size, and next to nothing is in it."""
    data = zlib.compress(bytes((width + 1) * height) if pixels else b"")
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


@pytest.mark.parametrize("side", [60_000, 2**31 - 1])
def test_a_picture_whose_head_claims_too_many_pixels_is_refused_undecoded(tmp_path, side):
    for label in "ab":
        (tmp_path / "pictures" / label).mkdir(parents=True)
        (tmp_path / "pictures" / label / "0.png").write_bytes(png(side, side, pixels=False))
    with pytest.raises(DataError, match=f"its head claims {side} x {side} pixels, of at most 50,000,000"):
        load_special(DataSpec(source="pictures/"), base=tmp_path)


def test_many_pictures_of_nothing_are_refused_before_there_is_memory_for_all(tmp_path, monkeypatch):
    """Each is allowed, together they are a bomb; the limit is lowered here, for speed."""
    monkeypatch.setattr(bounds, "_HARMLESS", 1 << 20)
    for number in range(40):
        folder = tmp_path / "pictures" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:02}.png").write_bytes(png(700, 700, pixels=True))
    said = r"pictures/a/00\.png: it and the pictures after it would unpack from .* to 19\.6 MB: refused"
    with pytest.raises(DataError, match=said):
        load_special(DataSpec(source="pictures/"), base=tmp_path)


def test_a_picture_of_one_colour_is_read(tmp_path):
    """Small files of much nothing are no attack as long as there is room."""
    for label in "ab":
        (tmp_path / "pictures" / label).mkdir(parents=True)
        (tmp_path / "pictures" / label / "0.png").write_bytes(png(2000, 2000, pixels=True))
    raw, _ = load_special(DataSpec(source="pictures/"), base=tmp_path)
    assert raw.inputs.pixels.shape == (2, 2000, 2000, 1)


def test_one_long_series_among_many_short_ones_takes_no_memory(tmp_path):
    """4 MB of text that padding would make 30 GB; `data.sequence.length` is the way out."""
    lines = ["1," * 1_000_000 + "1:a", *(["1,2:b", "2:a"] * 2000)]
    (tmp_path / "t.ts").write_text("@classLabel true a b\n@data\n" + "\n".join(lines) + "\n")
    said = r"t\.ts: series of 1 to 1000001 steps: padding them to the longest would make 32 GB of 8\.05 MB"
    with pytest.raises(DataError, match=said):
        load_special(DataSpec(source="t.ts"), base=tmp_path)
    raw, _ = load_special(DataSpec(source="t.ts", sequence={"length": 50}), base=tmp_path)
    assert raw.inputs.series.shape == (4001, 50, 1)


def test_memory_that_cannot_be_had_is_an_error_in_the_data(tmp_path, monkeypatch):
    def exhausted(*_, **__):
        raise MemoryError("Unable to allocate 800. GiB")

    monkeypatch.setattr("hpsearch.fit.prepare", exhausted)
    with pytest.raises(DataError, match=r"t\.csv: does not fit into memory \(Unable to allocate 800\. GiB\)"):
        prepare_study(parse_study("study: s\ndata: {source: t.csv, target: y}", base=tmp_path))


def test_what_cannot_fit_into_memory_is_refused_with_both_sizes(tmp_path):
    path = tmp_path / "t.npz"
    with path.open("wb") as file:
        file.truncate(1 << 42)
    with pytest.raises(DataError, match=r"needs 4\.4 TB of memory when unpacked, and this machine has"):
        bounds.check_unpacked(1 << 42, path, "t.npz")
