"""Layers in the study file: their forms, what is refused, and what a trial's network is."""

import pytest

from hpsearch.errors import SpecError
from hpsearch.spec import parse_study
from hpsearch.spec.layers import LayerSettings

of = LayerSettings.of


def study(layers, space="{batch_size: 8}", more=""):
    return parse_study(
        f"study: s\ndata: {{source: sklearn/digits}}\nmodel: {{layers: {layers}{more}}}\nspace: {space}\n"
    )


def network(layers, space="{batch_size: 8}", more="", **params):
    return study(layers, space, more).resolve(params, default_loss="mse").layers


LISTED = """[
  {convolution: {filters: 8, kernel: [3, 5], activation: tanh}}, {max_pool: 2},
  {max_pool: {size: 3, stride: 2}}, {residual: [{dense: 4}, activation]}, flatten,
  {dropout: {rate: 0.5, spatial: true}}, {dropout: 0.25}, dropout]"""


def test_layers_are_written_back_in_their_shortest_form():
    spec = study(LISTED)
    assert spec.written()["model"]["layers"] == [
        {"convolution": {"filters": 8, "kernel": [3, 5], "activation": "tanh"}},
        {"max_pool": 2},
        {"max_pool": {"size": 3, "stride": 2}},
        {"residual": [{"dense": 4}, "activation"]},
        "flatten",
        {"dropout": {"rate": 0.5, "spatial": True}},
        {"dropout": 0.25},
        "dropout",
    ]
    assert parse_study(spec.to_yaml()) == spec


def test_what_a_layer_does_not_say_is_the_model_s_or_the_table_s():
    layers = network(
        "[{dense: 4}, activation, dropout]", "{dropout: 0.5, initializer: lecun, activation: gelu}"
    )
    assert layers == (
        of("dense", units=4, activation="gelu", initializer="lecun"),
        of("activation", function="gelu"),
        of("dropout", rate=0.5, spatial=False),
    )


def test_names_stand_for_the_trial_s_values_and_for_defaults_where_they_are_not_there():
    space = "{n: [4, 8], k: {values: [5, 7], when: {n: 8}}, f: [relu, tanh]}"
    listed = "[{convolution: {filters: $n, kernel: [$k, 2], activation: $f}}]"
    here = network(listed, space, n=8, k=5, f="tanh")[0]
    assert (here["filters"], here["kernel"], here["activation"]) == (8, (5, 2), "tanh")
    assert network(listed, space, n=4, f="relu")[0]["kernel"] == (3, 2)


def test_the_recipe_s_dropout_is_on_what_comes_into_dense_layers_unless_layers_say_otherwise():
    kinds = [layer.kind for layer in network("[{dense: 4}, {dense: 3}]", "{dropout: 0.5}")]
    assert kinds == ["dense", "dropout", "dense", "dropout"]
    kinds = [layer.kind for layer in network("[{dense: 4}, {dropout: 0.1}, {dense: 3}]", "{dropout: 0.5}")]
    assert kinds == ["dense", "dropout", "dense"]
    assert network("[]", "{dropout: 0.5}") == ()


def test_a_kind_and_a_depth_stand_for_a_whole_network():
    spec = parse_study(
        "study: s\ndata: {source: sklearn/digits}\nspace: {kind: [dense, recurrent], depth: [1, 2]}"
    )
    dense = spec.resolve({"kind": "dense", "depth": 2}, default_loss="mse")
    assert (dense.layers, dense.hidden) == (None, (64, 64))
    [gated] = spec.resolve({"kind": "recurrent", "depth": 2}, default_loss="mse").layers
    assert (gated.kind, gated["depth"], gated["width"]) == ("recurrent", 2, 32)


REFUSED = {
    "[{dens: 3}]": "model.layers.0.dens: unknown layer; did you mean 'dense'?",
    "[dense]": "model.layers.0.dense.units: is needed; it says how many numbers come out",
    "[{dense: 0}]": "model.layers.0.dense.units: must be at least 1, got 0",
    "[{dense: {units: 3, unit: 4}}]": "model.layers.0.dense.unit: unknown setting; did you mean 'units'?",
    "[{flatten: 3}]": "model.layers.0.flatten: takes no settings, got 3; write flatten alone",
    "[{residual: []}]": "model.layers.0.residual.layers: must have at least one layer",
    "[{residual: [{dense: x}]}]": "model.layers.0.residual.layers.0.dense.units: must be an integer, got 'x'",
    "[{dense: $n}]": "$n refers to a parameter that the space lacks",
    "[{convolution: {filters: 3, kernel: [1, 2, 3, 4]}}]": "must have 1 to 3 values, one an axis, got 4",
    "[{dense: 3, dropout: 1}]": "must be a layer's name, or one name with its settings, got a mapping",
    "7": "model.layers: must be a list of layers, got 7",
    "[{dense: 3}], hidden: [3]": "cannot go with layers, which list the whole network",
    "[{dense: 3}], kind: recurrent": "cannot go with layers, which list the whole network",
}


@pytest.mark.parametrize(("layers", "said"), REFUSED.items(), ids=REFUSED)
def test_what_is_wrong_with_layers_is_said_with_its_place(layers, said):
    with pytest.raises(SpecError) as caught:
        study(layers)
    assert said in str(caught.value)


def test_values_of_a_name_must_suit_its_place():
    with pytest.raises(
        SpecError, match=r"space\.n: must be at least 1, got 0; model\.layers\.0\.dense\.units takes"
    ):
        study("[{dense: {units: $n}}]", "{n: [0, 4]}")
