"""The study's space in Optuna's terms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from hpsearch.search.space import Space
from hpsearch.spec import Choice, Fixed, Range
from tests.support.searches import SPACE
from tests.support.studies import spec_of


def walk(space, **answers):
    """The values of a space where `answers` is what is chosen; a number stands for the minimum elsewhere."""
    return space.values(lambda name, distribution: answers.get(name, getattr(distribution, "low", None)))


def test_each_kind_of_parameter_becomes_its_distribution():
    space = Space(
        {
            "rate": Range(min=1e-4, max=0.1, log=True),
            "drop": Range(min=0.0, max=0.5, step=0.25),
            "width": Range(min=8, max=64, step=8, integer=True),
            "epochs": Range(min=1, max=100, log=True, integer=True),
            "kind": Choice(values=("a", None, 3)),
        }
    )
    assert space.distributions == {
        "rate": FloatDistribution(1e-4, 0.1, log=True),
        "drop": FloatDistribution(0.0, 0.5, step=0.25),
        "width": IntDistribution(8, 64, step=8),
        "epochs": IntDistribution(1, 100, log=True),
        "kind": CategoricalDistribution(("a", None, 3)),
    }


def test_what_leaves_no_choice_is_a_parameter_but_not_a_distribution():
    """A fixed value, a choice of one and a range of one number are given, not sampled."""
    space = Space(
        {
            "a": Fixed(value="x"),
            "b": Choice(values=(7,)),
            "c": Range(min=2, max=2, integer=True),
            "d": Range(min=0.5, max=0.5),
        }
    )
    assert space.distributions == {}
    assert walk(space) == {"a": "x", "b": 7, "c": 2, "d": 0.5}


def test_a_conditional_parameter_comes_only_where_its_condition_holds():
    space = Space(spec_of(SPACE).space)
    assert set(walk(space, optimizer="sgd")) == {
        "epochs", "batch_size", "learning_rate", "optimizer", "dropout", "schedule",
    }  # fmt: skip
    assert walk(space, optimizer="momentum")["momentum"] == 0.8
    assert {"beta1", "beta2"} <= set(walk(space, optimizer="adam"))


def test_conditions_chain_and_hold_on_fixed_values_too():
    space = Space(
        {
            "last": Range(min=0.0, max=1.0, when={"middle": (1, 2)}),
            "middle": Choice(values=(0, 1, 2), when={"first": ("on",)}),
            "first": Fixed(value="on"),
        }
    )
    assert list(walk(space, middle=1)) == ["first", "middle", "last"], "parents come before their children"
    assert "last" not in walk(space, middle=0)
    off = Space(
        {
            "first": Fixed(value="off"),
            "middle": Choice(values=(0, 1), when={"first": ("on",)}),
            "c": Fixed(value=1, when={"middle": (1,)}),
        }
    )
    assert walk(off) == {"first": "off"}


def test_true_is_not_one_in_a_condition():
    space = Space({"flag": Choice(values=(True, False)), "a": Fixed(value=5, when={"flag": (1,)})})
    assert "a" not in walk(space, flag=True)


def test_the_unconditional_part_is_what_every_trial_has():
    space = Space(spec_of(SPACE).space)
    assert set(space.unconditional) == {"epochs", "batch_size", "learning_rate", "optimizer", "dropout"}


def test_parameters_with_one_condition_form_one_group():
    groups = [(set(group), test) for group, test in Space(spec_of(SPACE).space).groups()]
    assert [names for names, _ in groups][1:] == [{"momentum"}, {"beta1", "beta2"}]
    assert groups[0][1]({})
    assert groups[2][1]({"optimizer": "adam"})
    assert not groups[2][1]({"optimizer": "sgd"})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": Fixed(value=1, when={"b": (1,)}), "b": Fixed(value=1, when={"a": (1,)})}, "a -> b -> a"),
        ({"a": Fixed(value=1, when={"c": (1,)})}, "no 'c'"),
    ],
)
def test_conditions_that_cannot_be_decided_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        Space(parameters)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), n=st.integers(1, 6))
def test_every_value_has_its_conditions_met_by_values_before_it(data, n):
    """In any file's order, a walk meets parents first and has a child just where its parent has the value."""
    names = [f"p{i}" for i in range(n)]
    parents = {name: data.draw(st.sampled_from([None, *names[:i]])) for i, name in enumerate(names)}
    order = data.draw(st.permutations(names))
    space = Space(
        {name: Choice(values=(0, 1), when={parents[name]: (1,)} if parents[name] else {}) for name in order}
    )
    values = space.values(lambda name, _: data.draw(st.sampled_from([0, 1]), label=name))
    for name in names:
        parent = parents[name]
        assert (name in values) == (parent is None or values.get(parent) == 1)
    seen = list(values)
    assert all(parents[name] is None or seen.index(parents[name]) < seen.index(name) for name in seen)
