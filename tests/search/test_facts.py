"""The fact store: what goes in comes out, Optuna reads it, damage is named."""

import json
import math
import struct
import time
from dataclasses import replace

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.pool import NullPool

from hpsearch.errors import StorageError
from hpsearch.search.fact import single_precision
from hpsearch.search.facts import FactStore
from hpsearch.search.places import Database
from tests.support.facts import fact, facts

STATES = ("complete", "stopped_early", "pruned", "diverged", "failed")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study" / "facts.journal"


@pytest.fixture(params=["journal", "sqlite", "postgresql"])
def place(request, tmp_path):
    """A place for facts of each kind, with nothing in it."""
    if request.param == "journal":
        return tmp_path / "study" / "facts.journal"
    if request.param == "sqlite":
        return Database.at(f"sqlite:///{tmp_path / 'facts.db'}")
    return Database.at(request.getfixturevalue("postgres").new_database())


def create(path, *, study="digits", directions=("minimize",), **attributes):
    return FactStore.create(
        path, study=study, directions=directions, attributes=attributes, monitored="validation_loss"
    )


def same(one, other):
    """Equality to which NaN is equal to NaN."""
    return repr(one) == repr(other)


def filled(path, count=20):
    with create(path) as store:
        return [store.append(one) for one in facts(count)]


@pytest.mark.parametrize("state", STATES)
def test_a_fact_reads_back_as_append_returned_it(place, state):
    """In every state, with its NaNs and infinities, in the same process and in another store."""
    store = create(place)
    stored = store.append(fact(0, state=state, epochs=0 if state == "failed" else 9))
    (read,) = FactStore.open(place, study="digits").facts()
    assert same(read, stored)
    assert same(store.facts(), [stored])
    assert list(read.params) == list(stored.params)


def test_only_the_curves_are_rounded(place):
    given_ = fact(0)
    stored = create(place).append(given_)
    assert same(replace(stored, curves={}, distributions={}), replace(given_, curves={}, distributions={}))
    assert stored.curves["train_loss"] == pytest.approx(given_.curves["train_loss"], rel=1e-7)


def test_fixed_parameters_keep_their_place_and_are_not_optunas(place):
    one = fact(0)
    mixed = replace(one, params={"schedule": "cosine", **one.params, "max_norm": None, "flag": True})
    stored = create(place).append(mixed)
    (read,) = FactStore.open(place, study="digits").facts()
    assert list(read.params.items()) == list(stored.params.items()) == list(mixed.params.items())
    assert set(plain(place).trials[0].params) == set(one.distributions)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(width=64)))
def test_rounding_is_to_single_precision_once_and_for_all(values):
    with np.errstate(over="ignore"):
        expected = np.array(values, np.float64).astype(np.float32)
    once = single_precision(values)
    assert np.array_equal(np.array(once, np.float64).astype(np.float32), expected, equal_nan=True)
    assert repr(single_precision(once)) == repr(once)
    assert all(math.isnan(value) or float(f"{value:.9g}") == value for value in once), "nine digits at most"


def test_one_fact_is_one_line(path):
    store = create(path)
    lines = path.read_bytes().count(b"\n")
    for number in range(5):
        store.append(fact(number))
        assert path.read_bytes().count(b"\n") == lines + number + 1


@pytest.mark.parametrize("number", [0, 2, 4])
def test_a_gap_or_a_repeat_is_refused(place, number):
    """Three are stored: 3 is the next."""
    store, stored = create(place), facts(3)
    for one in stored:
        store.append(one)
    with pytest.raises(StorageError, match=f"trial 3 is the next, got the fact of trial {number}"):
        store.append(fact(number))
    assert len(store.facts()) == 3


def plain(path, study="digits"):
    """As anyone with Optuna and without this package would read it."""
    if isinstance(path, Database):
        storage = optuna.storages.RDBStorage(path.url, engine_kwargs={"poolclass": NullPool})
        return optuna.load_study(study_name=study, storage=storage)
    return optuna.load_study(study_name=study, storage=JournalStorage(JournalFileBackend(str(path))))


def test_optuna_reads_the_store_without_us(place):
    stored = filled(place, 30)
    study = plain(place)
    best = min((one for one in stored if one.finished), key=lambda one: one.values)
    assert (study.best_trial.number, study.best_value) == (best.number, best.values[0])
    frame = study.trials_dataframe()
    assert len(frame) == 30
    assert frame["params_learning_rate"].tolist() == [one.params["learning_rate"] for one in stored]
    assert frame["user_attrs_reason"].tolist() == [one.reason for one in stored]


def test_states_and_curves_are_in_optunas_terms(place):
    store = create(place)
    for number, state in enumerate(STATES):
        store.append(fact(number, state=state))
    trials = plain(place).trials
    assert [trial.state.name for trial in trials] == ["COMPLETE", "COMPLETE", "PRUNED", "FAIL", "FAIL"]
    curve = store.facts()[0].curves["validation_loss"]
    assert trials[0].intermediate_values == dict(enumerate(curve, start=1))
    assert trials[0].datetime_start.timestamp() == pytest.approx(store.facts()[0].started, abs=1e-3)
    assert trials[0].duration.total_seconds() == pytest.approx(store.facts()[0].seconds, abs=1e-5)


def test_several_objectives_keep_their_directions(place):
    store = create(place, directions=("minimize", "maximize"))
    store.append(fact(0, values=(0.5, 0.25)))
    store.append(fact(1, state="pruned"))
    again = FactStore.open(place, study="digits")
    assert again.directions == ("minimize", "maximize")
    assert [one.values for one in again.facts()] == [(0.5, 0.25), None]
    assert [trial.values for trial in plain(place).best_trials] == [[0.5, 0.25]]


def test_attributes_belong_to_the_study_and_outlive_the_process(place):
    store = create(place, canonical={"seed": 0, "space": {"l2": [1, 2]}}, fingerprint="abc")
    store.set_attribute("winner", 7)
    expected = {"canonical": {"seed": 0, "space": {"l2": [1, 2]}}, "fingerprint": "abc", "winner": 7}
    assert store.attributes == FactStore.open(place, study="digits").attributes == expected


def test_a_store_is_made_once(place):
    filled(place, 2)
    with pytest.raises(StorageError, match="there are facts already"):
        create(place)
    assert len(FactStore.open(place, study="digits").facts()) == 2


def test_an_unfinished_creation_is_no_store(path):
    """A kill before the last step leaves a draft, which the next creation replaces."""
    path.parent.mkdir()
    path.with_name("facts.journal.new").write_bytes(b'{"op_code":0,"worker')
    assert not FactStore.exists(path, study="digits")
    create(path)
    assert FactStore.exists(path, study="digits")
    assert [one.name for one in path.parent.iterdir()] == ["facts.journal"]


def test_an_empty_file_is_no_store(path):
    path.parent.mkdir()
    path.touch()
    assert not FactStore.exists(path, study="digits")
    with pytest.raises(StorageError, match="no facts; run the study first"):
        FactStore.open(path, study="digits")
    create(path)


def test_looking_for_a_store_makes_none(path):
    with pytest.raises(StorageError, match="no facts"):
        FactStore.open(path, study="digits", writer=True)
    assert not path.parent.exists()


def test_looking_for_a_database_makes_none(tmp_path):
    with pytest.raises(StorageError, match="no facts"):
        FactStore.open(Database.at(f"sqlite:///{tmp_path / 'none.db'}"), study="digits", writer=True)
    assert list(tmp_path.iterdir()) == []


def test_another_study_in_the_file_is_named(path):
    filled(path, 1)
    with pytest.raises(StorageError, match=r"no study 'wine' in it \(there: digits\)"):
        FactStore.open(path, study="wine")


def test_a_reader_cannot_write(place):
    before = filled(place, 2)
    reader = FactStore.open(place, study="digits")
    for write in (lambda: reader.append(fact(2)), lambda: reader.set_attribute("a", 1)):
        with pytest.raises(StorageError, match="open for reading only"):
            write()
    assert same(FactStore.open(place, study="digits").facts(), before)


def test_a_reader_follows_what_is_appended(place):
    """One open store, asked again and again, gives each fact once."""
    store = create(place)
    reader, seen = FactStore.open(place, study="digits"), []
    for one in facts(30):
        stored = store.append(one)
        new = reader.since(len(seen))
        assert same(new, [stored])
        seen += new
    assert reader.since(30) == []
    assert same(reader.since(28), seen[28:])


def test_following_reads_only_what_is_new(path):
    filled(path, 300)
    reader = FactStore.open(path, study="digits")
    started = time.perf_counter()
    for _ in range(50):
        assert reader.since(300) == []
    assert time.perf_counter() - started < 0.5, "a whole reading takes about 50 ms"


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"",
        b"[1, 2]",
        b'{"op_code": 4}',
        b'{"op_code": 77, "worker_id": "x"}',
        b"\x00" * 40,
        b"null",
    ],
)
@pytest.mark.parametrize("writer", [True, False])
def test_damage_before_the_end_is_an_error_that_names_the_line(path, line, writer):
    """And never Optuna's or JSON's own; nothing is repaired where trials would be lost."""
    filled(path, 4)
    lines = path.read_bytes().split(b"\n")
    lines[-3] = line
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(
        StorageError, match=rf"facts\.journal:{len(lines) - 2}: .*backup.*head -n {len(lines) - 3}`"
    ):
        FactStore.open(path, study="digits", writer=writer)
    assert path.read_bytes() == b"\n".join(lines)


def test_an_open_reader_names_damage_that_comes_later(path):
    filled(path, 3)
    reader = FactStore.open(path, study="digits")
    lines = path.read_bytes().count(b"\n")
    with path.open("ab") as file:
        file.write(b"garbage\n{}\n")
    with pytest.raises(StorageError, match=rf"facts\.journal:{lines + 1}: "):
        reader.since(3)


def test_a_store_that_vanishes_is_a_storage_error(path):
    """A reader may be open when the study is deleted."""
    filled(path, 1)
    reader = FactStore.open(path, study="digits")
    path.unlink()
    with pytest.raises(StorageError, match="cannot be read: No such file"):
        reader.since(1)


def test_the_store_prints_and_logs_nothing(place, caplog, capfd):
    with caplog.at_level("INFO"):
        filled(place, 1)
        FactStore.open(place, study="digits", writer=True).close()
    assert (caplog.records, *capfd.readouterr()) == ([], "", "")


def test_a_trial_that_someone_else_added_is_named(place):
    """Optuna lets anyone add trials; they are not facts."""
    filled(place, 1)
    plain(place).add_trial(optuna.create_trial(value=1.0))
    with pytest.raises(StorageError, match="a trial that hpsearch did not write"):
        FactStore.open(place, study="digits").facts()


def test_a_link_left_by_optunas_lock_blocks_nobody(path):
    """A killed Optuna process leaves one; its own backend waits for 30 seconds."""
    filled(path, 1)
    path.with_name("facts.journal.lock").symlink_to(path)
    started = time.perf_counter()
    FactStore.open(path, study="digits", writer=True).append(fact(1))
    assert time.perf_counter() - started < 2


def test_not_a_number_survives_as_a_number(place):
    """JSON has no NaN; Python's has, on both sides."""
    curve = (1.0, math.nan, math.inf, -math.inf, 3.4e38, 1e300, 5e-324)
    create(place).append(fact(0, curves={"validation_loss": curve}, scores={"gap": math.nan}))
    (read,) = FactStore.open(place, study="digits").facts()
    assert repr(read.curves["validation_loss"]) == "(1.0, nan, inf, -inf, 3.4e+38, inf, 0.0)"
    assert math.isnan(read.scores["gap"])


@settings(max_examples=30, deadline=None)
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_values_and_scores_keep_every_bit(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("bits") / "facts.journal"
    create(path).append(fact(0, values=(value,), scores={"s": value}))
    (read,) = FactStore.open(path, study="digits").facts()
    assert struct.pack("d", read.values[0]) == struct.pack("d", read.scores["s"]) == struct.pack("d", value)


def test_every_line_is_json(path):
    filled(path, 14)
    assert all(isinstance(json.loads(line), dict) for line in path.read_bytes().splitlines())
