"""Callbacks of one's own: told how a study goes, and without effect on it."""

import json

import pytest

from hpsearch import run_study
from hpsearch.errors import SpecError
from hpsearch.spec import parse_study
from tests.stories.test_own_trainer import EXAMPLES
from tests.support.studies import cli_here

STUDY = {
    "study": "told",
    "data": {"source": "sklearn/iris"},
    "model": {"hidden": [4]},
    "space": {"epochs": 2, "learning_rate": {"min": 1e-3, "max": 1e-1, "log": True}},
    "budget": {"trials": 3},
}


def test_each_event_is_told_once_and_an_exception_hurts_nobody(tmp_path, capsys):
    """In the order of the trials, those of an earlier run to nobody; the table is what it is without callbacks."""
    told = []

    def failing(event):
        raise RuntimeError(f"no {event.kind}")

    study = run_study(STUDY, store=tmp_path / "one", callbacks=[failing, told.append])
    kinds = [event.kind for event in told]
    assert (kinds[0], kinds[-1], kinds.count("trial_begins")) == ("study_begins", "study_ends", 3)
    ended = [event for event in told if event.kind == "trial_ends"]
    assert [(event.trial, event.fact) for event in ended] == list(enumerate(study.result.facts))
    assert told[-1].result == study.result.result
    said = capsys.readouterr().err
    assert said.count("failing failed at study_begins, the study goes on: RuntimeError: no study_begins") == 1
    told.clear()
    more = {**STUDY, "budget": {"trials": 4}}
    longer = run_study(more, store=tmp_path / "one", callbacks=[told.append], progress=False)
    assert [event.trial for event in told if event.kind.startswith("trial")] == [3, 3]
    alone = run_study(more, store=tmp_path / "two", progress=False)
    assert [f.curves for f in longer.result.facts] == [f.curves for f in alone.result.facts]


def test_a_study_names_them_and_they_are_no_part_of_what_decides_it():
    with_them = parse_study(json.dumps({**STUDY, "callbacks": ["a:b", "log"]}))
    without = parse_study(json.dumps(STUDY))
    assert parse_study(with_them.to_yaml()) == with_them
    assert without.changes(with_them.canonical()) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a:b", "callbacks: must be a list, got 'a:b'"),
        (["a b"], "callbacks: must be an entry point's name, or `module:function`, got 'a b'"),
        (["a:b", "a:b"], "callbacks: 'a:b' is listed twice"),
    ],
)
def test_mistakes_are_told(value, said):
    with pytest.raises(SpecError) as caught:
        parse_study(json.dumps({**STUDY, "callbacks": value}))
    assert said in str(caught.value)


def test_the_example_of_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("tell.py", "tell.yaml"):
        (tmp_path / name).write_text(EXAMPLES[name], encoding="utf-8")
    options = ("-S", "budget.trials=3", "--workers", "1", "--allow-code", "--json")
    done = cli_here("run", "tell.yaml", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "progress.txt").read_text().splitlines()
    assert lines[0].startswith("tell: trial 0 complete: trained all 5 epochs")
    assert lines[-1] == f"tell: winner: {json.loads(done.stdout)['params']}"
