"""A store may be moved: MLflow finds its files where they are now."""

import shutil
import sqlite3
from contextlib import closing

from mlflow import MlflowClient

from hpsearch.store import Store
from hpsearch.tracking import run_id, sync
from hpsearch.tracking.place import embedded_uri
from tests.support.tracking import finish_study


def files(store, home):
    client = MlflowClient(tracking_uri=embedded_uri(store))
    return sorted(file.path for file in client.list_artifacts(run_id(store, home, None)))


def locations(store):
    with closing(sqlite3.connect(store.database)) as connection:
        return [path for (path,) in connection.execute("SELECT artifact_uri FROM runs")]


def test_a_moved_store_has_its_files_after_the_next_sync(study, tmp_path):
    finish_study(study)
    sync(study.store, study.home)
    before = files(study.store, study.home)
    assert "study.yaml" in before
    moved = Store(tmp_path / "elsewhere's" / "runs")
    moved.root.parent.mkdir()
    study.store.root.rename(moved.root)
    home = moved.find("digits")
    assert files(moved, home) == [], "as MLflow has it"
    assert sync(moved, home).projected == 0
    assert files(moved, home) == before
    assert all(path.startswith(f"{moved.artifacts}/") for path in locations(moved))


def test_a_copy_leaves_its_original_alone_and_a_second_sync_changes_nothing(study, tmp_path):
    finish_study(study)
    sync(study.store, study.home)
    before = locations(study.store)
    copy = Store(tmp_path / "copy")
    shutil.copytree(study.store.root, copy.root)
    sync(copy, copy.find("digits"))
    sync(study.store, study.home)
    assert locations(study.store) == locations(copy) == before
