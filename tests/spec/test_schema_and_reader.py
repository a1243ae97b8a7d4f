"""Schema and reader on study files with one thing changed: an editor must not refuse what the reader takes."""

import re
from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.errors import SpecError
from hpsearch.spec import json_schema, parse_study
from hpsearch.spec.document import read_document
from hpsearch.spec.yaml_text import dump
from tests.support.fuzzing import study_texts
from tests.support.json_schema import accepts

SCHEMA = json_schema()
VALUES = [
    *(None, True, False, "", "x", "$w", "none", "1e-3", -1, 0, 1, 3, 0.5, 1.5, 1e9),
    *([], [1], [0.5, "a"], ["a", "a"], {}, {"a": 1}, {"min": 1, "max": 2}, {"values": [1, 2]}),
]


def refusal(study):
    """What the reader says of a study; nothing of a valid one."""
    try:
        parse_study(dump(study))
    except SpecError as error:
        return str(error)
    return ""


def _studies():
    found = (read_document(text.decode(), "a study").values for text in study_texts())
    return [study for study in found if not refusal(study)]


STUDIES = _studies()


def paths(value, path=()):
    """The paths of all keys and items inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from paths(item, (*path, key))


@st.composite
def changed(draw):
    """A study that comes along, or is shown in the docs, with a value replaced, or a key renamed or taken out."""
    study = deepcopy(draw(st.sampled_from(STUDIES)))
    *above, key = draw(st.sampled_from(list(paths(study))))
    node = study
    for step in above:
        node = node[step]
    how = draw(st.sampled_from(["replace", "replace", "replace", "rename", "remove"]))
    if how == "replace" or isinstance(key, int):
        node[key] = draw(st.sampled_from(VALUES))
    else:
        value = node.pop(key)
        if how == "rename":
            node[f"{key}x"] = value
    return study


def test_there_are_studies_to_change():
    assert len(STUDIES) > 30
    assert all(accepts(SCHEMA, study) for study in STUDIES)


@settings(deadline=None, max_examples=150)
@given(changed())
def test_what_the_schema_refuses_the_reader_refuses(study):
    said = refusal(study)
    assert accepts(SCHEMA, study) or said


def test_patterns_of_the_schema_are_those_that_editors_know():
    """JSON schema has the regular expressions of JavaScript: no flags inside, no names, nothing of Python alone."""
    found = re.findall(r"'pattern': '(.*?)'[,}]", str(SCHEMA))
    assert len(found) > 10
    assert [pattern for pattern in found if re.search(r"\(\?[^:=!]|\\[AZ]|\\p", pattern)] == []
