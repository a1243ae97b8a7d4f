"""Networks against their data before any training: what cannot be built, and the table that is shown."""

import pytest

from hpsearch.architecture import combinations, example_network, unbuildable
from hpsearch.fit import prepare_study
from tests.support.studies import spec_of

HEAD = "study: s\ndata: {source: sklearn/digits}\n"
CONVOLUTIONS = """
model:
  layers:
    - {reshape: [8, 8, 1]}
    - {convolution: {filters: 4, kernel: $kernel, padding: valid}}
    - {max_pool: $pool}
    - {convolution: {filters: $filters, padding: valid}}
    - flatten
    - {dense: 8}
"""


@pytest.fixture(scope="module")
def digits():
    return prepare_study(spec_of(HEAD))


def problems(text, data):
    return [str(problem) for problem in unbuildable(spec_of(HEAD + text), data)]


def test_a_combination_that_cannot_be_built_is_named_with_its_layer_and_line(digits):
    space = "space: {kernel: [3, 5], pool: [2, 3], filters: [8, 16], learning_rate: {min: 0.1, max: 1}}"
    [problem] = problems(CONVOLUTIONS + space, digits)
    assert problem.startswith(
        "study.yaml:9: model.layers.3.convolution: kernel 3 reaches over 3 numbers, but 2"
    )
    assert "(with kernel: 3, pool: 3, filters: 8)" in problem


def test_a_combination_that_no_trial_has_is_no_problem(digits):
    space = "space: {kernel: [3, 5], pool: {values: [3], when: {kernel: 99}}, filters: [8]}"
    text = CONVOLUTIONS + space.replace("99", "3")
    assert problems(text, digits)
    text = CONVOLUTIONS + "space: {kernel: [3], pool: [2], filters: [8, 16]}"
    assert problems(text, digits) == []


def test_kinds_that_do_not_suit_a_table_say_what_would(digits):
    [problem] = problems("space: {kind: [dense, convolutional], depth: [1, 2]}", digits)
    assert problem.startswith(
        "study.yaml:3: space.kind: a convolutional network takes images or sequences, got a table"
    )


def test_only_what_decides_shapes_is_combined():
    spec = spec_of(
        HEAD + "model: {layers: [{dense: {units: $n, activation: $f}}, {dropout: $p}]}\n"
        "space: {n: {min: 1, max: 500}, f: [relu, tanh], p: {min: 0, max: 0.5}, epochs: [1, 2]}"
    )
    found = list(combinations(spec))
    assert [set(params) for params in found] == [{"n"}] * 9
    assert (found[0]["n"], found[-1]["n"]) == (1, 500)


def test_too_many_combinations_are_tried_in_part():
    units = ", ".join(f"{{dense: $n{i}}}" for i in range(6))
    space = ", ".join(f"n{i}: {{min: 1, max: 99}}" for i in range(6))
    found = list(combinations(spec_of(f"{HEAD}model: {{layers: [{units}]}}\nspace: {{{space}}}")))
    assert 2000 < len(found) <= 3000


def test_the_table_has_every_listed_layer_and_the_output(digits):
    params, rows = example_network(
        spec_of(HEAD + CONVOLUTIONS + "space: {kernel: [3], pool: [2], filters: [8, 16]}"), digits
    )
    assert params == {"kernel": 3, "pool": 2, "filters": 8}
    assert [(row.layer.kind, row.shape, row.parameters) for row in rows] == [
        ("reshape", (8, 8, 1), 0),
        ("convolution", (6, 6, 4), 9 * 4 + 4),
        ("max_pool", (3, 3, 4), 0),
        ("convolution", (1, 1, 8), 9 * 4 * 8 + 8),
        ("flatten", (8,), 0),
        ("dropout", (8,), 0),
        ("dense", (8,), 8 * 8 + 8),
        ("dropout", (8,), 0),
        ("output", (10,), 8 * 10 + 10),
    ]
