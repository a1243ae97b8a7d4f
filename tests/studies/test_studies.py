"""The studies that come along: every one states what should be seen, and shows it."""

import importlib.util
import json
import re

import pytest

from hpsearch.errors import HpsearchError
from hpsearch.fit import prepare_study
from hpsearch.spec import load_study
from studies import page
from studies import run as runner
from studies.expectation import Expectation
from studies.fetch import DATA, SPLITS, concrete_splits
from studies.lesson import HERE
from studies.lessons import LESSONS
from studies.pictures import PICTURES

FILES = sorted(HERE.glob("*.yaml"))
PREPARED = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem.startswith("overfitting-") else [])
    for path in FILES
]  # those have the data of `overfitting`
SETS = {"ItalyPowerDemand": DATA / "ItalyPowerDemand" / "ItalyPowerDemand_TRAIN.ts"}
QUICK = "iris-tutorial"


@pytest.fixture(scope="module", autouse=True)
def _splits():
    concrete_splits(DATA / "concrete")


def skip_without(lesson):
    """Skip where the data of a study are not on this machine."""
    for package in lesson.packages:
        there = SETS[package].exists() if package in SETS else importlib.util.find_spec(package)
        if not there:
            pytest.skip(f"{lesson.study} needs {package}: pip install 'hpsearch[studies]', make data")


def test_every_study_has_expectations_and_every_expectation_a_study():
    assert {path.stem for path in FILES} == set(LESSONS)
    assert all(lesson.expectations for lesson in LESSONS.values())


def test_a_study_comes_after_those_beside_it():
    names = list(LESSONS)
    for lesson in LESSONS.values():
        assert all(names.index(other) < names.index(lesson.study) for other in lesson.beside)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_study_says_in_words_what_should_be_seen(path):
    """At its head, where it is read first; the smallest one says what it is."""
    words = page.words(LESSONS[path.stem])
    assert "What should be seen:" in words
    assert words in page.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PREPARED)
def test_every_study_fits_its_data(path):
    """Its data can be prepared as it says, and its networks built; each variant as well."""
    lesson = LESSONS[path.stem]
    skip_without(lesson)
    for overrides in lesson.variants[:2]:
        data = prepare_study(load_study(path, overrides))
        assert len(data.training.train)


def test_there_is_a_split_of_concrete_for_every_variant():
    lists = [json.loads((DATA / "concrete" / f"{n:02}.json").read_text()) for n in range(1, SPLITS + 1)]
    assert len(LESSONS["concrete"].variants) == SPLITS == 20
    for split in lists:
        assert (len(split["train"]), len(split["test"])) == (927, 103)
        assert sorted(split["train"] + split["test"]) == list(range(1030))
    assert len({tuple(split["test"]) for split in lists}) == SPLITS


def test_what_is_shown_is_what_was_measured():
    """The page is made from the results; what has a picture was measured, and draws one."""
    results = page.load()
    assert page.PAGE.read_text(encoding="utf-8") == page.page(results)
    assert {name for name, lesson in LESSONS.items() if lesson.picture} == set(PICTURES)
    shown = re.findall(r"images/studies/(.+)\.png\)", page.PAGE.read_text(encoding="utf-8"))
    assert {path.stem for path in page.IMAGES.glob("*.png")} == set(shown) == set(PICTURES) & results.keys()


def test_every_expectation_was_met_when_last_measured():
    results = page.load()
    assert results
    for name, result in results.items():
        expectations = LESSONS[name].expectations
        assert [check["says"] for check in result["checks"]] == [one.says for one in expectations]
        for expectation, check in zip(expectations, result["checks"], strict=True):
            assert expectation.holds(check["value"]), f"{name}: {check['says']}"


def test_a_bound_must_be_passed_and_what_is_no_number_passes_none():
    both = Expectation(says="x", measure=lambda _: 0.0, above=1, below=2)
    assert [both.holds(value) for value in (1, 1.5, 2, float("nan"), float("inf"))] == [0, 1, 0, 0, 0]
    assert both.bound == "> 1, < 2"
    with pytest.raises(ValueError, match="needs a bound"):
        Expectation(says="x", measure=lambda _: 0.0)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A study, run as `make studies` runs it, in a store of its own."""
    store = tmp_path_factory.mktemp("store")
    return store, {QUICK: runner.run(LESSONS[QUICK], store)}


def test_a_study_runs_and_shows_what_it_should(ran):
    _, seen = ran
    checks = runner.check(LESSONS[QUICK], seen)
    assert len(checks) == 2
    assert all(check["met"] for check in checks), checks


def test_an_expectation_that_is_not_met_is_told(ran):
    _, seen = ran
    (lesson,) = runner.in_order([QUICK])
    missed = [Expectation(says=one.says, measure=one.measure, above=2.0) for one in lesson.expectations]
    checks = [
        {"says": one.says, "value": one.measure(seen), "met": one.holds(one.measure(seen))} for one in missed
    ]
    assert not any(check["met"] for check in checks)
    entry = {"checks": checks, "trials": 1, "minutes": 1.0}
    assert page.lines(lesson, entry).count("NOT met") == len(checks)


def test_comparing_with_a_trial_that_was_not_tried_is_an_error(ran):
    _, seen = ran
    with pytest.raises(LookupError, match="no trial with"):
        seen[QUICK][0].trials(optimizer="adagrad")


def test_a_study_that_fails_says_why(tmp_path):
    lesson = LESSONS[QUICK]
    broken = type(lesson)(
        study=QUICK, expectations=lesson.expectations, variants=(("model.initialize_from=nothing-there",),)
    )
    with pytest.raises(HpsearchError, match="nothing-there"):
        runner.run(broken, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", LESSONS)
def test_every_study_shows_what_it_should(name, tmp_path):
    """Run anew, with those beside it."""
    lessons = runner.in_order([name])
    for lesson in lessons:
        skip_without(lesson)
    seen = {lesson.study: runner.run(lesson, tmp_path) for lesson in lessons}
    assert [check for check in runner.check(LESSONS[name], seen) if not check["met"]] == []
