"""What a study says survives being written and read."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.errors import SpecError
from hpsearch.spec import StudySpec, parse_study
from hpsearch.spec.registry import REGISTRY
from hpsearch.spec.yaml_text import dump
from tests.support.specs import SMALLEST, forbidden, studies


@settings(deadline=None, max_examples=60)
@given(studies())
def test_a_study_written_out_reads_back_as_equal(study):
    spec = parse_study(dump(study))
    again = parse_study(spec.to_yaml())
    assert again == spec
    assert again.to_yaml() == spec.to_yaml()


@settings(deadline=None, max_examples=40)
@given(studies())
def test_the_canonical_form_survives_json_with_sorted_keys(study):
    spec = parse_study(dump(study))
    stored = json.loads(json.dumps(spec.canonical(), sort_keys=True))
    assert spec.changes(stored) == []


@settings(deadline=None, max_examples=40)
@given(studies())
def test_a_trial_of_defaults_resolves_in_every_study(study):
    """With no parameter sampled, a recipe is complete: every value is what the table allows."""
    recipe = parse_study(dump(study)).resolve({}, default_loss="mse")
    for name, row in REGISTRY.items():
        if name not in ("hidden", "kind", "depth", "width"):
            assert row.rule.finding(getattr(recipe, name)) is None
    assert all(isinstance(width, int) for width in recipe.hidden)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(REGISTRY)), st.sampled_from(["bare", "list", "value", "min", "max"]), st.data())
def test_a_value_outside_of_its_rule_is_refused_at_its_line(name, form, data):
    """The table's own bounds give the values; the problem names the key and stands on the value's line."""
    rule = REGISTRY[name].rule
    value = data.draw(forbidden(rule))
    numeric = rule.kind in ("integer", "number")
    if form in ("min", "max") and not numeric:
        form = "value"
    if form == "bare" and isinstance(value, dict | list):
        form = "value"
    inner = {"bare": value, "list": [value], "value": {"value": value}}.get(form, {form: value})
    text = dump(SMALLEST) + "space:\n  " + dump({name: inner}).replace("\n", "\n  ")
    with pytest.raises(SpecError) as caught:
        parse_study(text)
    line = text[: text.index("space:")].count("\n") + 2
    problems = [p for p in caught.value.problems if p.key.startswith(f"space.{name}")]
    assert problems
    assert min(int(problem.place.rpartition(":")[2]) for problem in problems) >= line


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=12))
def test_text_is_written_so_that_it_is_read_as_text(text):
    if not text.isprintable():
        return
    spec = StudySpec.model_validate({"study": "s", "data": {"source": "x.csv", "target": f"{text}."}})
    assert parse_study(spec.to_yaml()).data.target == f"{text}."


def test_the_written_study_is_yaml_for_other_readers_too():
    """PyYAML's own loader finds the same names and numbers, but for what YAML 1.1 reads otherwise."""
    spec = parse_study(dump(SMALLEST))
    assert yaml.safe_load(spec.to_yaml())["space"]["l2"] == {"min": 1e-6, "max": 1e-1, "log": True}
