import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from hpsearch.data.shipped import SHIPPED
from hpsearch.data.sources import load, select
from hpsearch.errors import DataError

NUMBERED = pd.DataFrame({"a": [1.5, np.nan, 3.0], "kind": ["x", None, "z"], "price": [1, 2, 3]})


def refusal(source, base):
    with pytest.raises(DataError) as caught:
        load(source, base=base)
    return str(caught.value)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_set_is_what_scikit_learn_loads(name):
    """Also digits, which is read without importing scikit-learn."""
    table = load(name, base=Path())
    bunch = getattr(datasets, name.replace("sklearn/", "load_"))(as_frame=True)
    raw = select(table, name, target=None, drop=())
    pd.testing.assert_frame_equal(raw.inputs, bunch.data)
    pd.testing.assert_frame_equal(raw.targets, pd.DataFrame(bunch.target))


def test_digits_are_read_without_importing_scikit_learn():
    code = (
        "import sys; from pathlib import Path; from hpsearch.data.sources import load;"
        "load('sklearn/digits', base=Path()); assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_workers_import_no_pandas():
    code = "import sys; import hpsearch.data.prepared; assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "a,kind,price\n1.5,x,1\nNA,,2\n3,z,3\n"),
        ("t.tsv", "a\tkind\tprice\n1.5\tx\t1\nNA\t\t2\n3\tz\t3\n"),
        ("semicolons.csv", "a;kind;price\n1,5;x;1\n;n/a;2\n3;z;3\n"),
        ("bom.csv", "\ufeffa,kind,price\r\n1.5,x,1\r\n,,2\r\n3,z,3\r\n"),
        ("blank.csv", "\n\na,kind,price\n1.5,x,1\n\n,,2\n 3 ,z,3\n\n"),
        ("quoted.csv", '"a",kind,price\n"1.5","x",1\n"",,2\n+3.0,z,"3"\n'),
    ],
)
def test_delimited_files_are_read_alike(tmp_path, name, text):
    """Separators, byte order mark, line ends, quotes, blank lines, decimal commas, spellings of missing."""
    (tmp_path / name).write_bytes(text.encode())
    frame = load(name, base=tmp_path).frame
    assert frame.dtypes.map(str).tolist() == ["float64", "object", "int64"]
    pd.testing.assert_frame_equal(
        frame, NUMBERED.astype({"kind": object}).where(NUMBERED.notna(), None), check_dtype=False
    )


def test_parquet_gives_the_same_table(tmp_path):
    NUMBERED.to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(load("t.parquet", base=tmp_path).frame, NUMBERED, check_dtype=False)


def test_numbers_are_read_to_the_last_bit(tmp_path):
    values = np.random.default_rng(0).normal(size=200) * 10.0 ** np.arange(-100, 100)
    (tmp_path / "t.csv").write_text("a\n" + "\n".join(map(repr, values.tolist())))
    assert load("t.csv", base=tmp_path).frame["a"].tolist() == values.tolist()


def test_booleans_are_read_in_any_case(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\ntrue,False\nTRUE,\nfalse,true\n")
    frame = load("t.csv", base=tmp_path).frame
    assert frame["a"].tolist() == [True, True, False]
    assert frame["b"].tolist() == [False, None, True]


def test_an_unnamed_first_column_that_counts_the_rows_is_left_out(tmp_path):
    """This is how pandas writes a table's index."""
    NUMBERED.to_csv(tmp_path / "t.csv")
    table = load("t.csv", base=tmp_path)
    assert list(table.frame.columns) == ["a", "kind", "price"]
    assert table.warnings == ("t.csv: the first column has no name and counts the rows: left out",)


def test_a_first_line_of_numbers_is_asked_about(tmp_path):
    """It may be data whose columns have no names; it is read as the names that the file says."""
    (tmp_path / "t.csv").write_text("5.1,3,0\n4.9,2,1\n")
    table = load("t.csv", base=tmp_path)
    assert list(table.frame.columns) == ["5.1", "3", "0"]
    (warning,) = table.warnings
    assert "t.csv:1: the first line is taken for the columns' names; it holds numbers: put a line" in warning


def test_a_comma_inside_quotes_separates_nothing(tmp_path):
    (tmp_path / "t.csv").write_text('"a, in m";b\n1,5;2\n')
    assert load("t.csv", base=tmp_path).frame.to_dict("list") == {"a, in m": [1.5], "b": [2]}


def test_a_rows_line_counts_blank_lines_and_quoted_line_breaks(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\n1,"two\nlines"\n\n2,x\n')
    line = load("t.csv", base=tmp_path).line
    assert [line(0), line(1)] == [2, 5]


def test_npz_holds_inputs_and_targets(tmp_path):
    x, y = np.arange(6.0).reshape(3, 2), np.array(["a", "b", "a"])
    np.savez(tmp_path / "t.npz", X=x, y=y)
    table = load("t.npz", base=tmp_path)
    assert table.target == ("y",)
    assert table.frame.to_dict("list") == {"x0": [0, 2, 4], "x1": [1, 3, 5], "y": ["a", "b", "a"]}
    np.savez(tmp_path / "one.npz", inputs=x[:, 0].astype(">f4"), targets=x)
    one = load("one.npz", base=tmp_path)
    assert one.target == ("y0", "y1")
    assert one.frame["x"].tolist() == [0, 2, 4]


BAD_FILES = [
    ("t.csv", b"", "t.csv: the file is empty; give it a line of column names and the data"),
    ("t.csv", b"\n\r\n", "t.csv: the file is empty; give it a line of column names"),
    ("t.csv", b"a,b\n", "t.csv: the file has a line of column names and no rows; add the data"),
    (
        "t.csv",
        b"a,b\n1,2\n\n3\n1,2,3\n",
        (
            "t.csv:4: has 1 cell, but the first line 2; "
            "quote cells that hold the separator, fill in missing ones\n"
            "t.csv:5: has 3 cells, but the first line 2; "
            "quote cells that hold the separator, fill in missing ones"
        ),
    ),
    (
        "t.csv",
        b"a,b,a,\n1,2,3,4\n",
        (
            "t.csv:1: column 'a' occurs more than once; give each column a name of its own\n"
            "t.csv:1: column 4 has no name; give each column a name of its own"
        ),
    ),
    (
        "t.csv",
        b"1.5,0,0\n2,3,1\n",
        "t.csv:1: column '0' occurs more than once; it holds numbers: put a line with the columns' names above it",
    ),
    ("t.csv", b",b\nx,2\n", "t.csv:1: column 1 has no name; name it"),
    ("t.csv", b"a,b\n1,\xe9\n", "t.csv:2: must be UTF-8 text, and byte 0xe9 is not; save the file as UTF-8"),
    ("t.csv", b"a\0,b\n", "t.csv: must be UTF-8 text, and holds zero bytes; save the file as UTF-8"),
    ("t.npz", b"garbage", "t.npz: is no .npz archive; write it with numpy.savez(path, x=..., y=...)"),
    (
        "t.npz",
        b"PK\x03\x04garbage",
        "t.npz: is no .npz archive; write it with numpy.savez(path, x=..., y=...)",
    ),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES)
def test_a_bad_file_is_refused_with_its_place(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    assert refusal(name, tmp_path) == message


def test_garbage_is_no_parquet_file(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"garbage" * 10)
    assert refusal("t.parquet", tmp_path).startswith("t.parquet: is no Parquet file: ")


BAD_ARRAYS = [
    (
        {"x": np.ones(2), "z": np.ones(2)},
        (
            "must hold one array named 'y' or 'Y' or 'targets'; its arrays: 'x', 'z'; write it "
            "with numpy.savez(path, x=..., y=...)"
        ),
    ),
    ({"x": np.ones(2), "y": np.ones(3)}, "x has 2 rows and y has 3: they must agree"),
    ({"x": np.ones((2, 2, 2)), "y": np.ones(2)}, "x: must have 1 or 2 dimensions, got 3: shape (2, 2, 2)"),
    (
        {"x": np.ones((0, 2)), "y": np.ones(0)},
        "x: holds nothing: shape (0, 2)\nt.npz: y: holds nothing: shape (0,)",
    ),
    ({"x": np.ones(2, complex), "y": np.ones(2)}, "x: must hold numbers, booleans or texts, got complex128"),
    (
        {"x": np.array([1, "a"], dtype=object), "y": np.ones(2)},
        (
            "x: holds Python objects, which could run code when loaded; "
            "save numbers or texts: array.astype(float), array.astype(str)"
        ),
    ),
]


@pytest.mark.parametrize(("arrays", "message"), BAD_ARRAYS)
def test_arrays_that_do_not_fit_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "t.npz", **arrays)
    assert refusal("t.npz", tmp_path) == f"t.npz: {message}"


def test_a_source_that_is_not_there_is_named_with_the_nearest(tmp_path):
    (tmp_path / "houses.csv").write_text("a\n1\n")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    assert refusal("house.csv", tmp_path) == (
        f"house.csv: data.source: there is no file {tmp_path}/house.csv; did you mean 'houses.csv'?"
    )
    assert refusal("no/t.csv", tmp_path).endswith("paths start at its own directory")
    assert refusal("folder.csv", tmp_path) == (
        f"folder.csv: data.source: {tmp_path}/folder.csv is a directory; name a file in it"
    )
    assert refusal("loop.csv", tmp_path).startswith(
        f"loop.csv: data.source: {tmp_path}/loop.csv cannot be read: "
    )


BAD_COLUMNS = [
    (
        {"target": "pricee", "drop": ("kin",)},
        (
            "t: data.target: the table has no column 'pricee'; did you mean 'price'? its columns: "
            "'a', 'kind', 'price'\n"
            "t: data.drop: the table has no column 'kin'; did you mean 'kind'? its columns: 'a', "
            "'kind', 'price'"
        ),
    ),
    (
        {"target": None, "drop": ()},
        "t: data.target: a table needs to know which column to learn; its columns: 'a', 'kind', 'price'",
    ),
    ({"target": "a", "drop": ("a",)}, "t: data.drop: 'a' is the target; take it out of one of the two"),
]


@pytest.mark.parametrize(("choice", "message"), BAD_COLUMNS)
def test_columns_that_the_table_lacks_are_named_with_the_nearest(tmp_path, choice, message):
    NUMBERED.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError) as caught:
        select(load("t.parquet", base=tmp_path), "t", **choice)
    assert str(caught.value) == message


def test_columns_are_chosen_by_name(tmp_path):
    NUMBERED.to_parquet(tmp_path / "t.parquet")
    raw = select(load("t.parquet", base=tmp_path), "t", target=("price", "a"), drop=())
    assert (list(raw.inputs), list(raw.targets)) == (["kind"], ["price", "a"])


def test_a_sources_own_target_cannot_be_dropped():
    with pytest.raises(DataError) as caught:
        select(load("sklearn/iris", base=Path()), "sklearn/iris", target=None, drop=("target",))
    assert str(caught.value) == (
        "sklearn/iris: data.drop: 'target' is the target; take it out of one of the two"
    )
