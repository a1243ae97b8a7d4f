"""Law 3: facts are whole. Whatever is killed or full when: none is half, double, or lost once stored."""

import os
import random
import resource
import signal
import subprocess
import sys
import time

import pytest

from hpsearch.errors import StorageError
from hpsearch.search.facts import FactStore
from tests.support.facts import fact, facts

APPEND = """
import sys
from pathlib import Path
from hpsearch.search.facts import FactStore, StudyLock
from tests.support.facts import facts

path = Path(sys.argv[1])
with StudyLock(path.with_name("driver.lock")):
    store = FactStore.open(path, study="digits", writer=True)
    for one in facts(3_000)[len(store.facts()):]:
        store.append(one)
        print(one.number, flush=True)
"""


def create(path):
    return FactStore.create(path, study="digits", directions=["minimize"], monitored="validation_loss")


def stored(path):
    """The facts as anyone may read them, in a form in which NaN equals NaN."""
    return list(map(repr, FactStore.open(path, study="digits").facts()))


def reopen(path):
    return FactStore.open(path, study="digits", writer=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "facts.journal"


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """The bytes of a journal of three short facts, where its last line begins, and its facts."""
    path = tmp_path_factory.mktemp("whole") / "facts.journal"
    store = create(path)
    for one in short(3):
        store.append(one)
    content = path.read_bytes()
    return content, content.rindex(b"\n", 0, -1) + 1, stored(path)


def short(count):
    return [
        fact(number, epochs=1, findings=(), hyperparameters={}, distributions={}) for number in range(count)
    ]


def test_a_record_torn_at_any_byte_is_passed_over_cut_off_and_written_again(journal, path):
    """At every byte of the last line: a reader sees the facts before it, the writer goes on."""
    content, last, whole = journal
    for end in range(last, len(content)):
        path.write_bytes(content[:end])
        assert stored(path) == whole[:2]
        assert path.read_bytes() == content[:end]
        store = reopen(path)
        assert path.read_bytes() == content[:last]
        assert len(store.warnings) == (end > last)
        store.append(short(3)[2])
        assert stored(path) == whole


@pytest.mark.parametrize(
    "tail", [b"{}{}\n", b"\x00" * 99, b"\x00" * 100 + b"\n", b'{"op_code":4,"wor\n', b"\xff\xfe\n", b"[]\n"]
)
def test_garbage_at_the_end_is_cut_off_and_kept_beside(journal, path, tail):
    """What a power cut may leave: half a line with an end, blocks of zeros, bytes that are no text."""
    content, _, whole = journal
    path.write_bytes(content + tail)
    store = reopen(path)
    assert list(map(repr, store.facts())) == whole
    assert path.read_bytes() == content
    (warning,) = store.warnings
    assert f"torn last record of {len(tail)} bytes" in warning
    assert path.with_name("facts.journal.torn").read_bytes() == tail.rstrip(b"\n") + b"\n"


def test_a_whole_file_is_not_touched_by_its_writer(journal, path):
    content, _, _ = journal
    path.write_bytes(content)
    assert reopen(path).warnings == ()
    assert path.read_bytes() == content
    assert not path.with_name("facts.journal.torn").exists()


def test_a_torn_record_longer_than_a_block_is_found(journal, path):
    content, _, whole = journal
    path.write_bytes(content + b'{"op_code":4,' + b"x" * 300_000)
    assert list(map(repr, reopen(path).facts())) == whole


def test_a_reader_of_a_growing_file_never_fails_and_never_sees_a_half(journal, path):
    """The file grows a few bytes at a time, as another process may write it."""
    content, _, whole = journal
    header = content.index(b'"op_code":4')
    header = content.rindex(b"\n", 0, header) + 1
    path.write_bytes(content[:header])
    reader, seen = FactStore.open(path, study="digits"), []
    for start in range(header, len(content), 7):
        with path.open("ab") as file:
            file.write(content[start : start + 7])
        seen += map(repr, reader.since(len(seen)))
        assert seen == whole[: len(seen)]
    assert seen == whole


def test_a_reader_goes_on_where_a_torn_record_was_replaced(journal, path):
    """It had read up to the torn record; the writer cut that off and wrote it anew."""
    content, last, whole = journal
    path.write_bytes(content[: last + 200])
    reader = FactStore.open(path, study="digits")
    assert len(reader.facts()) == 2
    store = reopen(path)
    assert len(reader.facts()) == 2
    store.append(short(3)[2])
    assert list(map(repr, reader.since(0))) == whole


def test_sigkill_at_any_moment_loses_nothing_that_was_stored(path):
    """Again and again on the same file: facts 0 to n, each once and right, none missing that was reported."""
    create(path)
    moments, reported = random.Random(0), -1
    for _ in range(5):
        command = [sys.executable, "-c", APPEND, path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
            first = process.stdout.readline()
            time.sleep(moments.uniform(0, 0.1))
            os.kill(process.pid, signal.SIGKILL)
            lines = [first, *process.stdout.read().splitlines(keepends=True)]
        numbers = [int(line) for line in lines if line.endswith("\n")]
        assert numbers[0] >= reported + 1
        reported = numbers[-1]
    again = reopen(path).facts()
    assert [one.number for one in again] == list(range(len(again)))
    assert len(again) > reported >= 4
    assert [repr(one.params) for one in again] == [repr(one.params) for one in facts(len(again))]
    assert [repr(one) for one in again] == [
        repr(one) for one in pristine(path.with_name("pristine"), len(again))
    ]


def pristine(path, count):
    store = create(path)
    return [store.append(one) for one in facts(count)]


FULL = """
import resource, sys
from pathlib import Path
from hpsearch.errors import StorageError
from hpsearch.search.facts import FactStore
from tests.support.facts import facts

path, room = Path(sys.argv[1]), int(sys.argv[2])
store = FactStore.open(path, study="digits", writer=True)
size = path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, resource.RLIM_INFINITY))
try:
    store.append(facts(6)[5])
except StorageError as error:
    print(error)
assert path.stat().st_size == size, "what was half written is taken back"
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert store.append(facts(6)[5]).number == 5
"""


@pytest.mark.parametrize("room", [0, 1, 1000])
def test_a_full_disk_is_an_error_with_a_remedy_and_the_store_goes_on(path, room):
    """In the same process, once there is room again, and for the next one."""
    pristine(path, 5)
    done = subprocess.run(
        [sys.executable, "-c", FULL, path, str(room)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "facts.journal: cannot be written: File too large; free some space and run the study again"
        in done.stdout
    )
    assert stored(path) == list(map(repr, pristine(path.with_name("pristine"), 6)))


def test_a_full_disk_at_the_beginning_leaves_no_store(path):
    """Nothing half made stands in the way of the next run."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30, limits[1]))
    try:
        with pytest.raises(StorageError, match="cannot be written: File too large"):
            create(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not FactStore.exists(path, study="digits")
    assert len(pristine(path, 2)) == 2


def test_a_repair_that_cannot_keep_the_torn_bytes_still_repairs(journal, path):
    """The facts count for more than the bytes of a trial that is trained again."""
    content, last, whole = journal
    path.write_bytes(content[:-20])
    path.with_name("facts.journal.torn").mkdir()
    store = reopen(path)
    assert "(lost)" in store.warnings[0]
    assert path.read_bytes() == content[:last]
    assert list(map(repr, store.facts())) == whole[:2]
