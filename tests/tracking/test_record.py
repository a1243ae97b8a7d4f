import math

import pytest

from hpsearch.tracking.record import as_text, finite_or_nan, infinite_places, safe_key, shortened


@pytest.mark.parametrize(
    ("key", "safe"),
    [
        ("validation/loss", "validation/loss"),
        ("größe", "größe"),
        ("a@b%c", "a_b_c"),
        ("../up", "_/up"),
        ("a//b/", "a/b"),
        ("", "_"),
        ("x" * 300, "x" * 250),
    ],
)
def test_a_key_becomes_one_that_mlflow_takes(key, safe):
    from mlflow.utils.validation import _validate_metric_name

    assert safe_key(key) == safe
    _validate_metric_name(safe_key(key))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (12345678901234, "12345678901234"),
        (0.001, "0.001"),
        (2.1224925012345e-05, "2.1225e-05"),
        ("adam", "adam"),
        ([64, 32], "[64, 32]"),
        ([], "[]"),
    ],
)
def test_a_parameter_reads_as_a_person_writes_it(value, text):
    assert as_text(value) == text


def test_long_text_is_cut_to_the_limit_and_shows_it():
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "ab…"


def test_infinity_becomes_nan_and_its_place_is_told():
    assert math.isnan(finite_or_nan(math.inf))
    assert finite_or_nan(1.5) == 1.5
    assert infinite_places([("a", 1, math.inf), ("a", 2, math.nan), ("b", 3, -math.inf)]) == "a@1, b@3"
    assert infinite_places([("a", step, math.inf) for step in range(12)]).endswith("a@9, and 2 more")
