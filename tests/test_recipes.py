"""What is tried of a recipe: one thing changed, all else as it was, for networks of every kind."""

from dataclasses import asdict, replace

import pytest
from hypothesis import given

from hpsearch.engine import Inputs
from hpsearch.judgment.variation import FASTER, ITSELF, LONGER, SEEDS, SLOWER, UNREGULARIZED, WIDER
from hpsearch.spec import EarlyStopping
from hpsearch.upkeep.recipes import first_recipes, further_recipes
from hpsearch.upkeep.varying import Course
from tests.support.recipes import columns, recipe
from tests.support.studies import spec_of

RATES = {**SLOWER, **FASTER}
MAY_CHANGE = {
    **{name: {"learning_rate", "min_learning_rate"} for name in RATES},
    **{name: {"dropout", "input_dropout", "l1", "l2", "weight_decay", "max_norm"} for name in UNREGULARIZED},
    LONGER: {"epochs", "decay_epochs"},
    WIDER: {"hidden"},
    "narrower": {"hidden"},
    "more_dropout": {"dropout"},
    "more_l2": {"l2"},
}


def all_recipes(h):
    found = [*first_recipes(h), *further_recipes(h, high=True, overfits=True)]
    assert len({each.name for each in found}) == len(found)
    return {each.name: each for each in found}


@given(columns())
def test_each_changes_one_thing(changes):
    h = recipe(**changes)
    for name, each in all_recipes(h).items():
        own, other = asdict(h), asdict(each.hyperparameters)
        changed = {key for key in own if own[key] != other[key]}
        assert changed <= MAY_CHANGE.get(name, set())
        assert changed or name in (ITSELF, *SEEDS)
        assert {key: other[key] for key in each.changes if key != "hidden"} == {
            key: value for key, value in each.changes.items() if key != "hidden"
        }


def test_what_is_regularized_is_left_out_from_three_seeds():
    found = all_recipes(recipe(dropout=0.2, l2=1e-3, max_norm=2.0))
    first, second, third = (found[name] for name in UNREGULARIZED)
    assert first.words == "no dropout and no l2 and no max_norm"
    assert first.hyperparameters == second.hyperparameters == third.hyperparameters == recipe()
    assert (first.seed, second.seed, third.seed) == (0, 1, 2)
    assert not set(UNREGULARIZED) & set(all_recipes(recipe()))


def test_twice_the_epochs_stretch_a_schedule():
    """So that the rate comes down as far, and no sooner."""
    h = recipe(schedule="step", decay_epochs=3, epochs=10)
    longer = all_recipes(h)[LONGER].hyperparameters
    assert (longer.epochs, longer.decay_epochs) == (20, 6)
    assert all_recipes(replace(h, schedule="constant"))[LONGER].hyperparameters.decay_epochs == 3


def test_another_rate_takes_its_floor_along():
    found = all_recipes(recipe(schedule="cosine", min_learning_rate=0.01))["rate_tenth"].hyperparameters
    assert (found.learning_rate, found.min_learning_rate) == (pytest.approx(0.005), pytest.approx(0.001))


def test_what_was_not_asked_for_is_not_tried():
    names = {each.name for each in further_recipes(recipe(), high=False, overfits=False)}
    assert not names
    assert {each.name for each in further_recipes(recipe(), high=True, overfits=False)} == {WIDER}


LAYERED = """
study: layered
data: {source: sklearn/digits}
model:
  layers: [{reshape: [8, 8, 1]}, {convolution: 4}, {residual: [{convolution: 4}]}, flatten, {dropout: 0.3}, {dense: 9}]
"""


def test_layers_are_widened_all_through_and_their_dropout_left_out():
    """In blocks as well; what the layers themselves say of dropout counts."""
    h = spec_of(LAYERED).resolve({}, default_loss="cross_entropy")
    found = all_recipes(h)
    wide = [inner for layer in found[WIDER].hyperparameters.layers for inner in layer.within()]
    assert [each["filters"] for each in wide if each.kind == "convolution"] == [12, 12]
    assert [each["units"] for each in wide if each.kind == "dense"] == [27]
    assert "filters=12" in found[WIDER].changes["layers"]
    free = [each for each in found[UNREGULARIZED[0]].hyperparameters.layers if each.kind == "dropout"]
    assert [each["rate"] for each in free] == [0.0]
    more = [each for each in found["more_dropout"].hyperparameters.layers if each.kind == "dropout"]
    assert [each["rate"] for each in more] == [0.6]


def test_weight_decay_is_left_out_where_the_optimizer_has_it():
    assert UNREGULARIZED[0] not in all_recipes(recipe(weight_decay=0.1, optimizer="sgd"))
    assert (
        all_recipes(recipe(weight_decay=0.1, optimizer="adamw"))[UNREGULARIZED[0]].words == "no weight_decay"
    )


@pytest.mark.parametrize("kind", ["convolutional", "recurrent"])
def test_networks_of_a_kind_are_widened(kind):
    text = (
        LAYERED.split("model:", maxsplit=1)[0]
        + f"model: {{kind: {kind}, width: 5}}\nspace: {{dropout: 0.1}}\n"
    )
    h = spec_of(text).resolve({}, default_loss="cross_entropy")
    found = all_recipes(h)
    assert found[WIDER].hyperparameters.layers[0]["width"] == 15
    assert found[UNREGULARIZED[0]].hyperparameters.layers[0]["rate"] == 0.0


def test_of_a_trainer_of_ones_own_what_it_has_is_changed():
    """Its learning rate, its regularization by the usual names, its epochs; nothing that it does not have."""
    h = replace(recipe(), own=(("learning_rate", 0.1), ("dropout", 0.2), ("depth", 3)))
    found = all_recipes(h)
    assert dict(found["rate_tenth"].hyperparameters.own) == {
        "learning_rate": pytest.approx(0.01),
        "dropout": 0.2,
        "depth": 3,
    }
    assert dict(found[UNREGULARIZED[0]].hyperparameters.own)["dropout"] == 0.0
    assert found[LONGER].hyperparameters.epochs == 8
    assert not {WIDER, "narrower", "more_l2"} & set(found)
    bare = all_recipes(replace(recipe(), own=(("step", 0.1),)))
    assert set(bare) == {ITSELF, *SEEDS, LONGER}


def test_widths_that_do_not_go_with_the_other_layers_are_not_tried():
    """What reshapes takes as many numbers as there were, and groups share channels evenly."""
    layers = "{dense: 16}, {reshape: [4, 4, 1]}, {convolution: {filters: 6, groups: 1}}, flatten"
    text = LAYERED.replace("{reshape: [8, 8, 1]}, ", "")
    h = spec_of(text.split("layers:")[0] + f"layers: [{layers}]\n").resolve({}, default_loss="cross_entropy")
    course = Course(objectives=(), early_stopping=EarlyStopping(), inputs=Inputs(shape=(64,)), outputs=10)
    tried = course.buildable(further_recipes(h, high=True, overfits=True))
    assert not {WIDER, "narrower"} & {each.name for each in tried}
    assert course.buildable(first_recipes(h)) == list(first_recipes(h))
