"""Data written for other processes come back as they were, and what lies in a file is not written again."""

import resource

import numpy as np
import pytest

from hpsearch.data.mapped import mapped, place_in_file, written
from hpsearch.data.prepared import Fold, Task, TrainingData, frozen

TASK = Task(kind="regression", target_names=("t",))


def test_parts_of_any_rank_come_back_read_only(tmp_path):
    """Images, sequences with lengths, empty parts."""
    parts = [
        frozen(np.ones((5, 3), np.float32), np.arange(5, dtype=np.int32)),
        frozen(np.zeros((2, 4, 4, 3), np.float32), np.ones((2, 1), np.float32)),
        frozen(np.ones((2, 7, 1), np.float32), np.ones((2, 1), np.float32), np.array([7, 3], np.int32)),
        frozen(np.zeros((0, 3), np.float32), np.zeros(0, np.int32)),
    ]
    for number, part in enumerate(parts):
        directory = tmp_path / str(number)
        directory.mkdir()
        back = mapped(
            written(TrainingData(folds=(Fold(task=TASK, train=parts[0], validation=part),)), directory)
        )
        assert back.task == TASK
        assert back.validation.shape == part.shape
        for array in ("x", "y", "lengths"):
            given, read = getattr(part, array), getattr(back.validation, array)
            assert (given is None) is (read is None)
            if given is not None:
                assert type(read) is np.ndarray
                assert read.dtype == given.dtype
                assert not read.flags.writeable or not read.size
                np.testing.assert_array_equal(read, given)


def test_mapped_arrays_are_referred_to_by_their_place(tmp_path):
    """Parts of them too, and views of another shape; what is not contiguous must be written."""
    rows = np.arange(40, dtype=np.float32).reshape(10, 4)
    np.save(tmp_path / "big.npy", rows)
    big = np.load(tmp_path / "big.npy", mmap_mode="r")
    part = frozen(np.asarray(big)[3:8], np.arange(5, dtype=np.int32))
    sent = written(TrainingData(folds=(Fold(task=TASK, train=part, validation=part),)), tmp_path)
    assert sent.train.x.file == str(tmp_path / "big.npy")
    assert len(list(tmp_path.iterdir())) == 3  # it, and y twice
    np.testing.assert_array_equal(mapped(sent).train.x, rows[3:8])
    view = np.asarray(big)[2:4].reshape(2, 2, 2)
    np.testing.assert_array_equal(place_in_file(view).open(), view)
    assert place_in_file(np.asarray(big)[:, 1:]) is None
    assert place_in_file(rows[2:]) is None


def test_a_full_disk_is_an_error_however_little_is_missing(tmp_path):
    """Not a file that is too short, at which a worker would stumble."""
    part = frozen(np.ones((100, 3), np.float32), np.zeros(100, np.int32))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            written(TrainingData(folds=(Fold(task=TASK, train=part, validation=part),)), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
