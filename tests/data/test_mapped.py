"""Parts written for other processes come back as they were, and what lies in a file is not written again."""

import numpy as np

from hpsearch.data.mapped import open_part, place_in_file, save_part
from hpsearch.data.prepared import frozen


def test_parts_of_any_rank_come_back_read_only(tmp_path):
    cases = {
        "table": frozen(np.ones((5, 3), np.float32), np.arange(5, dtype=np.int32)),
        "image": frozen(np.zeros((2, 4, 4, 3), np.float32), np.ones((2, 1), np.float32)),
        "sequence": frozen(
            np.ones((2, 7, 1), np.float32), np.ones((2, 1), np.float32), np.array([7, 3], np.int32)
        ),
        "empty": frozen(np.zeros((0, 3), np.float32), np.zeros(0, np.int32)),
    }
    for name, part in cases.items():
        save_part(part, tmp_path, name)
        back = open_part(tmp_path, name)
        assert back.shape == part.shape
        for array in ("x", "y", "lengths"):
            given, read = getattr(part, array), getattr(back, array)
            assert (given is None) is (read is None)
            if given is not None:
                assert type(read) is np.ndarray
                assert read.dtype == given.dtype
                assert not read.flags.writeable or not read.size
                np.testing.assert_array_equal(read, given)


def test_mapped_arrays_are_referred_to_by_their_place(tmp_path):
    rows = np.arange(40, dtype=np.float32).reshape(10, 4)
    np.save(tmp_path / "big.npy", rows)
    mapped = np.load(tmp_path / "big.npy", mmap_mode="r")
    part = frozen(np.asarray(mapped)[3:8], np.arange(5, dtype=np.int32))
    save_part(part, tmp_path, "train")
    assert not (tmp_path / "train.x.npy").exists()
    np.testing.assert_array_equal(open_part(tmp_path, "train").x, rows[3:8])
    assert place_in_file(np.asarray(mapped)[:, 1:]) is None
    assert place_in_file(rows[2:]) is None
