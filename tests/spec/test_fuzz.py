"""Whatever a file holds, the reader gives a study or tells what is wrong with it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.errors import SpecError
from hpsearch.spec import parse_study
from hpsearch.spec.yaml_text import dump
from tests.support.specs import studies

PIECES = [
    "{",
    "}",
    "[",
    "]",
    ":",
    "- ",
    "\n",
    "\t",
    " ",
    "&a ",
    "*a",
    "!x ",
    "'",
    '"',
    "$",
    "#",
    "null",
    "1e9",
    "\x00",
    "ä",
    "? ",
    "|\n",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("$w"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["min", "max", "when", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def read(text, overrides=()):
    """A study, or problems that each have a place and a rule in our own words."""
    problems = ()
    try:
        parse_study(text, overrides=overrides)
    except SpecError as error:
        problems = error.problems or [None]
    for problem in problems:
        assert problem.place
        assert problem.rule
        assert "pydantic" not in str(problem)
        assert "Input should" not in str(problem)


@st.composite
def mutated(draw):
    """The text of a valid study with some of it cut out, doubled or replaced."""
    text = dump(draw(studies()))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 8)))
        text = text[:start] + draw(st.sampled_from([*PIECES, "", text[start:end] * 2])) + text[end:]
    return text


@settings(deadline=None, max_examples=150)
@given(mutated())
def test_a_mutated_file_is_a_study_or_refused(text):
    read(text)


@settings(deadline=None, max_examples=150)
@given(studies(), st.data())
def test_a_study_with_any_value_anywhere_is_a_study_or_refused(study, data):
    node, key = study, data.draw(st.sampled_from([*study, "space", "objectives", "x"]))
    while isinstance(node.get(key), dict) and node[key] and data.draw(st.booleans()):
        node, key = node[key], data.draw(st.sampled_from(sorted(node[key])))
    node[key] = data.draw(VALUES)
    read(dump(study))


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=30))
def test_any_text_is_refused(text):
    read(text)


KEYS = st.sampled_from(
    [
        "study",
        "data",
        "space",
        "l2",
        "hidden",
        "model",
        "objectives",
        "0",
        "sampler",
        "name",
        "min",
        "when",
        "",
    ]
)


@settings(deadline=None, max_examples=80)
@given(studies(), st.lists(st.tuples(st.lists(KEYS, max_size=4), st.text(max_size=6)), max_size=3))
def test_any_override_is_taken_or_refused(study, overrides):
    read(dump(study), [f"{'.'.join(keys)}={value}" for keys, value in overrides])
