"""Data in files: the same numbers as in memory, written once, whole or not at all, and shared by all who map them."""

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image

from benchmarks.memory import measure
from hpsearch.data import prepare
from hpsearch.data.cache import Cache, root
from hpsearch.data.mapped import place_in_file
from hpsearch.data.prepared import frozen
from hpsearch.data.rows import Rows, rows_of
from hpsearch.engine import Cohort
from hpsearch.errors import DataError, StorageError
from hpsearch.spec import DataSpec
from tests.support.recipes import member

RANDOM = np.random.default_rng(0)
ROWS = 3000


def frame():
    x = RANDOM.normal([0, 1e9, 5], [1, 20, 0.1], size=(ROWS, 3))
    x[RANDOM.random(ROWS) < 0.1, 2] = np.nan
    flag = RANDOM.random(ROWS) < 0.5
    return pd.DataFrame(
        {
            "a": x[:, 0],
            "far": x[:, 1],
            "gaps": x[:, 2],
            "n": np.arange(ROWS) % 7,
            "flag": flag,
            "y": x[:, 0] * 2,
        }
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    made, table = tmp_path_factory.mktemp("large"), frame()
    table.to_csv(made / "t.csv", index=False)
    table.to_parquet(made / "t.parquet", row_group_size=500)
    table.to_feather(made / "t.feather")
    return made


def prepared(base, cache, source="t.csv", **given):
    spec = DataSpec(**{"source": source, "target": "y", **given})
    return prepare(spec, seed=0, base=base, cache=Cache(cache))


@pytest.mark.parametrize("source", ["t.csv", "t.parquet", "t.feather"])
@pytest.mark.parametrize(("numeric", "missing"), [("standardize", "mean"), ("min_max", 9.5)])
def test_a_table_in_files_is_the_table_in_memory(base, tmp_path, source, numeric, missing):
    """Up to the rounding of sums; the split and the targets are the same, and far columns keep their digits."""
    how = {"preprocess": {"numeric": numeric, "missing": missing}}
    large = prepared(base, tmp_path, source, storage="disk", **how)
    small = prepared(base, tmp_path, source, storage="memory", **how)
    for part in ("train", "validation"):
        one, other = getattr(large.training, part), getattr(small.training, part)
        assert place_in_file(one.x) is not None
        assert root(other.x) is None
        np.testing.assert_allclose(one.x, other.x, atol=2e-6)
        np.testing.assert_array_equal(one.y, other.y)
    refits = large.refit(), small.refit()
    np.testing.assert_allclose(refits[0].part.x, refits[1].part.x, atol=2e-6)
    tests = [data.sealed.open(data.preprocessor, data.task) for data in (large, small)]
    np.testing.assert_allclose(tests[0].x, tests[1].x, atol=2e-6)
    rows = small.raw_example()
    np.testing.assert_allclose(
        large.preprocessor.prepare(rows)[0], small.preprocessor.prepare(rows)[0], atol=2e-6
    )


def test_what_is_written_is_used_again_until_the_file_changes(base, tmp_path):
    source = tmp_path / "t.parquet"
    source.write_bytes((base / "t.parquet").read_bytes())
    cache = tmp_path / "cache"
    first = prepared(tmp_path, cache, "t.parquet", storage="disk")
    written = {file.name: file.stat().st_mtime_ns for file in cache.iterdir()}
    again = prepared(tmp_path, cache, "t.parquet", storage="disk")
    assert {file.name: file.stat().st_mtime_ns for file in cache.iterdir()} == written
    assert again.fingerprint == first.fingerprint
    assert any("prepared before" in warning for warning in again.warnings)
    changed = frame()
    changed.to_parquet(source)
    other = prepared(tmp_path, cache, "t.parquet", storage="disk")
    assert other.fingerprint != first.fingerprint
    assert len(list(cache.iterdir())) > len(written)


def test_an_array_is_there_whole_or_not_at_all(tmp_path):
    cache = Cache(tmp_path)

    def breaks(array):
        array[:2] = 1
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left on device"):
        cache.array("k", (10,), np.float32, breaks)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StorageError, match="GB are needed"):
        cache.array("k", (10**15,), np.float32, breaks)
    assert cache.array("k", (3,), np.int32, lambda array: array.fill(7)).tolist() == [7, 7, 7]
    assert cache.array("k", (3,), np.int32, breaks).tolist() == [7, 7, 7]


def test_what_cannot_be_streamed_is_refused_with_the_way_out(base, tmp_path):
    table = frame().assign(word="x")
    table.to_csv(tmp_path / "w.csv", index=False)
    with pytest.raises(
        DataError, match="must be numbers in a table that is kept in a file, got string; leave it"
    ):
        prepared(tmp_path, tmp_path, "w.csv", storage="disk")
    prepared(tmp_path, tmp_path, "w.csv", storage="disk", drop=["word"])
    how = {"numeric": "robust", "missing": "indicator", "columns": {"a": {"missing": 0}}, "pca": 2}
    with pytest.raises(DataError) as refused:
        prepared(base, tmp_path, storage="disk", preprocess=how)
    assert [problem.key.rpartition(".")[2] for problem in refused.value.problems] == list(how)
    assert (
        "data.preprocess.pca: needs all values in memory, and these are kept in a file; leave it out, or"
        in str(refused.value)
    )
    with pytest.raises(DataError, match="the table has no column 'z'"):
        prepared(base, tmp_path, storage="disk", target="z")
    (tmp_path / "bad.csv").write_text("a,y\n" + "1,2\n" * 50 + "1\n")
    with pytest.raises(DataError, match="cannot be read as a table"):
        prepared(tmp_path, tmp_path, "bad.csv", storage="disk")
    table.assign(word=np.inf).to_parquet(tmp_path / "inf.parquet")
    with pytest.raises(DataError, match=r"must be finite and below 3\.4e38 in size, got inf in row 1"):
        prepared(tmp_path, tmp_path, "inf.parquet", storage="disk")


def test_pictures_in_files_are_the_pictures_in_memory(tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for i in range(8):
            picture = RANDOM.integers(0, 256, (6, 5, 3), dtype=np.uint8)
            Image.fromarray(picture).save(tmp_path / f"pets/{label}/{i}.png")
    given = {"source": "pets/", "target": None, "image": {"size": 5}}
    large, small = (
        prepared(tmp_path, tmp_path / "cache", storage=how, **given) for how in ("disk", "memory")
    )
    assert place_in_file(large.training.train.x) is not None
    np.testing.assert_array_equal(large.training.train.x, small.training.train.x)
    assert large.fingerprint == small.fingerprint
    assert large.preprocessor == small.preprocessor


@given(st.data(), st.sampled_from([np.float32, np.float64]))
@examples(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_of_a_file_are_those_of_the_array(tmp_path, data, wanted):
    """In any order, with repetitions and runs, into any type of buffer, also beside a column of ones."""
    array = np.arange(60, dtype=np.float32).reshape(20, 3)
    np.save(tmp_path / "a.npy", array)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")[2:]
    rows = np.array(data.draw(st.lists(st.integers(0, 17), max_size=30)), dtype=np.int32)
    np.testing.assert_array_equal(rows_of(mapped, rows), array[2:][rows])
    out = np.ones((len(rows), 4), wanted)
    Rows(mapped).read(rows, out[:, :-1])
    np.testing.assert_array_equal(out[:, :-1], array[2:][rows])
    assert (out[:, -1] == 1).all()


def test_a_file_that_became_shorter_is_told(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((20, 300), np.float32))
    rows = Rows(np.load(tmp_path / "a.npy", mmap_mode="r"))
    os.truncate(tmp_path / "a.npy", 5000)
    with pytest.raises(OSError, match=r"a\.npy is shorter than it was"):
        rows.read(np.array([19]), np.empty((1, 300), np.float32))


def test_a_network_learns_the_same_from_a_file_as_from_memory(tmp_path):
    """Bit by bit, also where the samples are too many to be copied."""
    x, y = RANDOM.normal(size=(300, 4)).astype(np.float32), RANDOM.normal(size=(300, 1)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    curves = []
    for part, limit in ((frozen(x, y), None), (frozen(mapped, y), 0)):
        with pytest.MonkeyPatch.context() as patch:
            if limit is not None:
                patch.setattr("hpsearch.engine.batches.COPIED_AT_MOST", limit)
            cohort = Cohort([member(i, loss="mse") for i in range(2)], part, outputs=1)
            curves.append([cohort.train_epoch().gradient_norm for _ in range(2)])
    np.testing.assert_array_equal(*curves)


@pytest.mark.slow
def test_memory_stays_flat_while_data_grow():
    """Four times the data, and hardly more memory: of a row stay its target and its number."""
    small, large = measure(0.1), measure(0.4)
    assert large["RssAnon"] < small["RssAnon"] + 100
    assert large["RssFile"] < small["RssFile"] + 50
