"""What is kept of a fact beside its curves: sampled curves, rows' losses, findings with their changes."""

import json
from dataclasses import replace

import pytest

from hpsearch.judgment.finding import Change, Finding
from hpsearch.search.records import to_fact, to_trial
from tests.support.facts import fact

FINDING = Finding(
    name="learning_rate_too_large",
    severity="warning",
    sentence="It rose.",
    advice="Try less.",
    evidence={"swing": 2.0},
    changes=(
        Change(parameter="learning_rate", way="lower", low=0.001, high=0.003),
        Change(parameter="optimizer", way="set", value="adam"),
    ),
)


def test_sampled_curves_rows_losses_and_changes_read_back_as_they_were():
    samples = {"gradient_norm/1 dense": (0.5, 0.25, 1e-9), "idle/1 dense": (0.0, 0.5, 1.0)}
    given = fact(3, samples=samples, sample_losses=(0.1, 2.5, 1e-3, 700.0), findings=(FINDING,)).rounded()
    stored = to_trial(given, curve="validation_loss")
    json.dumps(stored.user_attrs)
    assert replace(to_fact(stored), distributions=given.distributions) == given
    assert given.rounded() == given
    assert given.sample_losses == pytest.approx((0.1, 2.5, 1e-3, 700.0), rel=1e-3)


def test_facts_of_older_versions_have_none_of_them():
    stored = to_trial(fact(3, findings=(FINDING,)), curve=None)
    for name in ("samples", "sample_losses"):
        stored.user_attrs.pop(name, None)
    for finding in stored.user_attrs["findings"]:
        del finding["changes"]
    read = to_fact(stored)
    assert (read.samples, read.sample_losses, read.findings[0].changes) == ({}, (), ())


def test_three_characters_hold_a_row():
    """512 rows take less than a curve of a hundred epochs."""
    stored = to_trial(fact(1, sample_losses=(0.12345,) * 512), curve=None)
    assert len(stored.user_attrs["sample_losses"]) < 3 * 512
