"""Synchronization makes MLflow equal to the facts, whatever stood there before."""

from contextlib import nullcontext

import pytest

from hpsearch.errors import TrackingError
from hpsearch.judgment.variation import Variation
from hpsearch.search.examined import keep
from hpsearch.search.lock import StudyLock
from hpsearch.tracking import SyncReport, attach_files, run_id, sync
from hpsearch.tracking.client import ClientSink
from hpsearch.tracking.identity import establish_identity
from hpsearch.tracking.place import embedded_uri
from hpsearch.tracking.projection import COMPLETE_TAG
from hpsearch.tracking.projector import Projector
from tests.support.facts import fact
from tests.support.tracking import broken_server, finish_study, make_study, shown

EXAMINED = fact(
    2,
    verdict="vanishing_gradients",
    variations=(
        Variation(
            name="itself",
            words="nothing changed",
            changes={},
            state="complete",
            curves={"train_loss": (1.0, 0.5), "validation_loss": (1.0, 0.6)},
            value=0.6,
        ),
    ),
)
"""One of a study's trials, as `hpsearch why` leaves it."""


def client(store):
    return client_at(embedded_uri(store))


def client_at(uri):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


def other_uri(tmp_path, database):
    """An address that is not the store's own database, so that runs are written through the client."""
    copy = tmp_path / "elsewhere.db"
    copy.write_bytes(database.read_bytes())
    return f"sqlite:///{copy}"


def test_every_trial_is_a_run_below_the_study_s(study):
    assert sync(study.store, study.home) == SyncReport(projected=8, already=0, total=8)
    runs = client(study.store).search_runs(["1"])
    parent = run_id(study.store, study.home, None)
    children = {run.info.run_name: run for run in runs if run.info.run_id != parent}
    assert sorted(children) == [f"trial-{number:04d}" for number in range(8)]
    assert {run.data.tags["mlflow.parentRunId"] for run in children.values()} == {parent}
    assert children["trial-0003"].info.run_id == run_id(study.store, study.home, 3)


def test_synchronizing_twice_is_synchronizing_once(study):
    finish_study(study)
    sync(study.store, study.home)
    before = shown(embedded_uri(study.store), "digits")
    assert sync(study.store, study.home) == SyncReport(projected=0, already=8, total=8)
    assert shown(embedded_uri(study.store), "digits") == before


def test_new_trials_are_added_to_old_ones(study):
    sync(study.store, study.home)
    study.add(fact(8), fact(9, state="pruned"))
    assert sync(study.store, study.home) == SyncReport(projected=2, already=8, total=10)


def test_following_the_facts_ends_where_one_synchronization_does(store, study):
    """Caught up after every trial, or all at once: the same runs, points and tags."""
    followed = make_study(store, count=0, name="digits")
    projector = Projector(store, followed.home, _identity(followed))
    for trial in study.facts.facts():
        followed.add(trial)
        projector.catch_up()
    projector.finish()
    sync(store, study.home)
    assert _without_names(shown(embedded_uri(store), "digits~2")) == _without_names(
        shown(embedded_uri(store), "digits")
    )


def _identity(study):
    return establish_identity(study.home, uri=None, experiment=None)


def _without_names(runs):
    dropped = (
        "hpsearch.study",
        "hpsearch.creation",
        "mlflow.source.name",
        "mlflow.runName",
        "mlflow.note.content",
    )
    return [
        {
            **run,
            "name": run["name"].replace("~2", ""),
            "tags": {k: v for k, v in run["tags"].items() if k not in dropped},
        }
        for run in runs
    ]


def test_what_is_found_of_a_trial_while_its_study_runs_is_said_at_the_end(study):
    """The background writer has read and written the trial before."""
    projector = Projector(study.store, study.home, _identity(study))
    projector.catch_up()
    keep(study.home, EXAMINED)
    projector.finish()
    assert _judged(embedded_uri(study.store), study) == ("true", "vanishing_gradients")


@pytest.mark.parametrize("elsewhere", [False, True], ids=["embedded", "client"])
def test_what_is_found_of_a_trial_stays_when_runs_are_written_again(study, tmp_path, elsewhere):
    sync(study.store, study.home)
    uri = other_uri(tmp_path, study.store.database) if elsewhere else embedded_uri(study.store)
    sync(study.store, study.home, uri=uri if elsewhere else None)
    assert _judged(uri, study)[0] is None
    keep(study.home, EXAMINED)
    for damage in (lambda *_: None, _as_of_an_older_projection, lambda mlflow, run: mlflow.delete_run(run)):
        damage(client_at(uri), _examined_run(uri))
        sync(study.store, study.home, uri=uri if elsewhere else None)
        assert _judged(uri, study) == ("true", "vanishing_gradients")


def _examined_run(uri):
    (run,) = client_at(uri).search_runs(["1"], f"attributes.run_name = '{EXAMINED.name}'")
    return run.info.run_id


def _as_of_an_older_projection(mlflow, run):
    mlflow.set_tag(run, COMPLETE_TAG, "0")


def test_an_interrupted_study_does_not_seem_to_run_when_something_is_attached_to_it(study):
    """`hpsearch why` and `report` write to the run of a study that nobody runs."""
    sync(study.store, study.home)
    for lock, status in ((nullcontext(), "KILLED"), (StudyLock(study.home.lock), "RUNNING")):
        with lock:
            attach_files(study.store, study.home)
        parent = client(study.store).get_run(run_id(study.store, study.home, None))
        assert parent.info.status == status


def _judged(uri, study):
    """What the run of the trial that was examined says of that, and its verdict."""
    (run,) = [each for each in shown(uri, study.home.key) if each["name"] == EXAMINED.name]
    assert f"Verdict: {run['tags']['verdict']}" in run["tags"]["mlflow.note.content"]
    return run["tags"].get("examined"), run["tags"]["verdict"]


def _damage_soft_delete(mlflow, study):
    mlflow.delete_run(run_id(study.store, study.home, 2))
    mlflow.delete_run(run_id(study.store, study.home, None))


def _damage_experiment(mlflow, study):
    mlflow.delete_experiment("1")


def _damage_half_written(mlflow, study):
    mlflow.delete_tag(run_id(study.store, study.home, 2), COMPLETE_TAG)


def _damage_older_projection(mlflow, study):
    _as_of_an_older_projection(mlflow, run_id(study.store, study.home, 2))


def _damage_hard_delete(mlflow, study):
    mlflow._tracking_client.store._hard_delete_run(run_id(study.store, study.home, 2))


@pytest.mark.parametrize(
    "damage",
    [
        _damage_soft_delete,
        _damage_experiment,
        _damage_half_written,
        _damage_older_projection,
        _damage_hard_delete,
    ],
)
@pytest.mark.parametrize("embedded", [True, False], ids=["embedded", "client"])
def test_what_was_lost_meanwhile_is_made_good(study, tmp_path, database, damage, embedded):
    uri = None if embedded else other_uri(tmp_path, database)
    address = uri or embedded_uri(study.store)
    establish_identity(study.home, uri=uri, experiment=None)
    sync(study.store, study.home)
    before = shown(address, "digits")
    from mlflow import MlflowClient

    damage(MlflowClient(tracking_uri=address), study)
    sync(study.store, study.home)
    assert shown(address, "digits") == before


def test_an_outage_halfway_leaves_no_half_trial(study, tmp_path, database, monkeypatch):
    """The server goes away between two requests of one trial; the next time that trial is completed."""
    uri = other_uri(tmp_path, database)
    fill, calls = ClientSink._fill, []

    def failing(self, run_id, record, tags):
        calls.append(record.name)
        if len(calls) == 5:
            raise ConnectionError("gone")
        fill(self, run_id, record, tags)

    monkeypatch.setattr(ClientSink, "_fill", failing)
    with pytest.raises(TrackingError, match=r"gone.*hpsearch sync digits"):
        sync(study.store, study.home, uri=uri)
    monkeypatch.setattr(ClientSink, "_fill", fill)
    sync(study.store, study.home, uri=uri)
    direct = make_study(study.store, count=8)
    sync(study.store, direct.home)
    assert _without_names(shown(uri, "digits")) == _without_names(
        shown(embedded_uri(study.store), "digits~2")
    )


def test_studies_may_share_an_experiment(store, study):
    second = make_study(store, count=3, name="wine")
    sync(store, study.home, experiment="both")
    sync(store, second.home, experiment="both")
    names = [run["name"] for run in shown(embedded_uri(store), "both")]
    assert len(names) == 13
    assert sync(store, second.home) == SyncReport(projected=0, already=3, total=3)


def test_generations_have_an_experiment_each(store, study):
    second = make_study(store, count=2)
    sync(store, study.home)
    sync(store, second.home)
    assert len(shown(embedded_uri(store), "digits")) == 9
    assert len(shown(embedded_uri(store), "digits~2")) == 3


@pytest.mark.parametrize("status", [500, 403, 404])
def test_a_server_that_refuses_is_named_with_the_remedy(study, status, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with (
        broken_server(status) as (uri, asked),
        pytest.raises(TrackingError, match="hpsearch sync digits") as caught,
    ):
        sync(study.store, study.home, uri=uri)
    assert asked
    assert uri in str(caught.value)
    assert sync(study.store, study.home, uri=embedded_uri(study.store)).projected == 8


def test_the_study_s_place_is_remembered_and_another_one_is_not(study, tmp_path, database):
    """What a run writes to, later synchronizations write to; a copy to elsewhere changes nothing of that."""
    uri = other_uri(tmp_path, database)
    establish_identity(study.home, uri=uri, experiment="mine")
    assert sync(study.store, study.home).projected == 8
    there = run_id(study.store, study.home, 3)
    assert sync(study.store, study.home, uri=embedded_uri(study.store)).projected == 8
    study.add(fact(8))
    assert sync(study.store, study.home).projected == 1
    assert len(shown(uri, "mine")) == 10
    assert len(shown(embedded_uri(study.store), "mine")) == 9
    assert run_id(study.store, study.home, 3) == there
