"""Facts read without Optuna are those that Optuna reads."""

import json
import subprocess
import sys

import pytest

from hpsearch.errors import StorageError
from hpsearch.search.facts import FactStore
from hpsearch.search.reader import JournalReader
from tests.search.test_records import FINDING
from tests.support.facts import fact

CHOICES = json.dumps(
    {"name": "CategoricalDistribution", "attributes": {"choices": [True, None, "a", 2, 0.5]}}
)
KINDS = [
    fact(0, findings=(FINDING,), sample_losses=(0.1, 2.5)),
    fact(1, state="pruned", values=None),
    fact(2, state="diverged", values=None),
    fact(3, state="failed", values=None, curves={}, reason="out of memory"),
    fact(4, values=(0.25, -1.5), members=({"validation_loss": 0.5},), samples={"idle/1 dense": (0.5,)}),
    *(
        fact(5 + at, params={"kind": choice, "fixed": None}, distributions={"kind": CHOICES})
        for at, choice in enumerate((True, None, "a", 2, 0.5))
    ),
]


@pytest.fixture
def written(tmp_path):
    directions = ["minimize", "minimize"]
    with FactStore.create(tmp_path / "facts.journal", study="s", directions=directions) as store:
        store.set_attribute("about", {"seed": 3})
        yield store, tmp_path / "facts.journal"


def two_values(one):
    from dataclasses import replace

    values = one.values if one.values is None or len(one.values) == 2 else (*one.values, 1.0)
    return replace(one, values=values)


def test_what_is_read_is_what_optuna_reads_as_it_comes(written):
    """Every state, every kind of parameter; only what is whole, and what is new is added."""
    store, path = written
    reader = JournalReader(path, study="s")
    assert reader.since(0) == []
    for one in KINDS:
        store.append(two_values(one))
        assert repr(reader.since(0)) == repr(store.facts())
    assert reader.since(7) == store.since(7)
    assert reader.directions == store.directions == ("minimize", "minimize")
    assert reader.attributes == store.attributes == {"about": {"seed": 3}}
    whole = reader.since(0)
    with path.open("ab") as journal:
        journal.write(b'{"op_code": 4, "study')
    assert reader.since(0) == whole
    assert reader._store is None, "it was read without Optuna"


def test_of_one_objective_the_value_is_read(tmp_path):
    with FactStore.create(tmp_path / "j", study="s", directions=["minimize"]) as store:
        store.append(fact(0))
        assert JournalReader(tmp_path / "j", study="s").since(0) == store.facts()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"garbage\n", "is not a record"),
        (
            b'{"op_code": 4, "study_id": 0, "worker_id": "w", "datetime_start": null, "state": 3}\n',
            "did not write",
        ),
    ],
)
def test_what_it_does_not_know_is_told_as_by_optuna(written, line, message):
    store, path = written
    store.append(two_values(fact(0)))
    with path.open("ab") as journal:
        journal.write(line + line)
    with pytest.raises(StorageError, match=message):
        JournalReader(path, study="s").since(0)


@pytest.mark.parametrize("study", ["another", "s"])
def test_another_study_or_none_is_refused(written, study):
    path = written[1] if study == "another" else written[1].with_name("nothing")
    with pytest.raises(StorageError, match=r"another|there are no facts"):
        JournalReader(path, study=study).since(0)


def test_the_background_writer_imports_no_library_that_it_does_not_need():
    """On one core its start is taken from the search."""
    code = (
        "import hpsearch.tracking.writer, hpsearch.search.reader, sys; "
        "print({'numpy', 'optuna', 'pandas', 'mlflow', 'pydantic'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
