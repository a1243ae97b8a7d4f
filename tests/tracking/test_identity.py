import json
import re

import pytest

from hpsearch.errors import StorageError
from hpsearch.tracking import run_id
from hpsearch.tracking.identity import (
    establish_identity,
    identity_file,
    known_runs_file,
    load_identity,
    write_json,
)


def test_run_ids_follow_from_the_study_and_the_trial_alone(study):
    identity = establish_identity(study.home, uri=None, experiment=None)
    ids = [identity.run_id(number) for number in (None, 0, 1)]
    assert len(set(ids)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)
    assert [load_identity(study.home).run_id(number) for number in (None, 0, 1)] == ids


def test_a_study_is_never_taken_for_another_of_its_name(study):
    first = establish_identity(study.home, uri=None, experiment=None)
    identity_file(study.home).unlink()
    assert establish_identity(study.home, uri=None, experiment=None).run_id(0) != first.run_id(0)


def test_a_change_of_place_keeps_the_identity(study):
    first = establish_identity(study.home, uri=None, experiment=None)
    moved = establish_identity(study.home, uri="http://there", experiment="mine")
    assert (moved.creation, moved.versions) == (first.creation, first.versions)
    assert load_identity(study.home) == moved
    assert (moved.uri, moved.experiment) == ("http://there", "mine")


def test_a_trial_s_run_is_known_without_asking_mlflow(study):
    assert run_id(study.store, study.home, 0) is None
    identity = establish_identity(study.home, uri=None, experiment=None)
    assert run_id(study.store, study.home, 3) == identity.run_id(3)
    assert run_id(study.store, study.home, None) == identity.run_id(None)


def test_a_server_s_run_ids_are_known_once_it_was_written(study):
    establish_identity(study.home, uri="http://there", experiment=None)
    assert run_id(study.store, study.home, 3) is None
    write_json(known_runs_file(study.home), {"3": "abc", "study": "def"})
    assert run_id(study.store, study.home, 3) == "abc"
    assert run_id(study.store, study.home, None) == "def"
    assert run_id(study.store, study.home, 4) is None


@pytest.mark.parametrize("text", ["{", '{"creation": 1, "unknown": 2}', "[]"])
def test_a_damaged_identity_is_named_with_its_remedy(study, text):
    identity_file(study.home).write_text(text, encoding="utf-8")
    with pytest.raises(StorageError, match=r"tracking\.json.*hpsearch sync digits"):
        load_identity(study.home)


def test_files_are_replaced_whole(study):
    path = study.home.path / "x.json"
    write_json(path, {"a": 1})
    write_json(path, {"a": 2})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 2}
    assert not list(study.home.path.glob("*.draft"))
