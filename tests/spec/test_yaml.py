"""YAML is read by the core schema of version 1.2, and written so that it is read back."""

import math

import pytest

from hpsearch.errors import SpecError
from hpsearch.spec import parse_study
from hpsearch.spec.yaml_text import dump, scalar

NUMBERS = [
    ("1e-4", 1e-4),
    ("1E5", 1e5),
    ("1e+3", 1e3),
    ("-.5", -0.5),
    ("1.", 1.0),
    ("+3", 3),
    ("010", 10),
    ("0x1F", 31),
    ("0o17", 15),
    (".inf", math.inf),
    ("-.INF", -math.inf),
    ("1" * 40, 1.1111111111111112e39),
]
TEXTS = [
    "no",
    "yes",
    "on",
    "off",
    "y",
    "N",
    "1_000",
    "1:30",
    "2024-01-01",
    "0b1",
    "1e",
    "e5",
    ".",
    "-",
    "+.5e",
    "nan",
    "inf",
    "tRUE",
]
WORDS = [("", None), ("~", None), ("null", None), ("Null", None), ("true", True), ("FALSE", False)]


@pytest.mark.parametrize(("text", "value"), [*NUMBERS, *WORDS])
def test_a_plain_scalar_is_what_the_core_schema_says(text, value):
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


@pytest.mark.parametrize("text", TEXTS)
def test_what_yaml_1_1_reads_otherwise_is_text(text):
    assert scalar(text) == text


def test_not_a_number_is_one_word():
    assert math.isnan(scalar(".nan"))


@pytest.mark.parametrize("text", ["1e-4", "null", "12", "true", ".inf", "~", ""])
def test_text_that_looks_like_something_else_is_quoted(text):
    assert dump({"a": text}) == f'a: "{text}"\n'


@pytest.mark.parametrize("text", ["plain", "1e-4.x", "64-64"])
def test_other_text_is_written_plain(text):
    assert dump({"a": text}) == f"{{a: {text}}}\n"


def test_a_text_with_too_many_values_is_refused_before_it_is_read_to_its_end():
    text = "study: a\nx: [" + "1," * 300_000
    with pytest.raises(SpecError, match=r"study\.yaml:2: holds more than 100000 values"):
        parse_study(text)
