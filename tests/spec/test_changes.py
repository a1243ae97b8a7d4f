"""What changed between the stored study and the present one, in a person's words."""

import pytest

from hpsearch.spec import parse_study

HEAD = "study: s\ndata: {source: sklearn/iris}\n"

CHANGES = [
    ("", "budget: {trials: 9, time: 1h}\ntracking: {uri: x}", []),
    ("", "seed: 1", ["seed: 0 -> 1"]),
    ("", "budget: {in_flight: 4}", ["budget.in_flight: auto -> 4"]),
    ("space: {l2: {min: 1, max: 2}}", "space: {l2: {min: 1, max: 3}}", ["space.l2.max: 2.0 -> 3.0"]),
    ("space: {l2: {min: 1, max: 2}}", "space: {l2: {min: 1.0, max: 2.0}}", []),
    (
        "space: {l2: {min: 1, max: 2}}",
        "space: {l2: {min: 1, max: 2, log: true}}",
        ["space.l2.log: absent -> true"],
    ),
    ("space: {l2: 1}", "space: {l2: 1, l1: [1, 2]}", ["space.l1: absent -> [1.0, 2.0]"]),
    ("space: {l2: 1, l1: 1}", "space: {l2: 1}", ["space.l1: 1.0 -> absent"]),
    ("space: {l2: 1, l1: 1}", "space: {l1: 1, l2: 1}", ["the order of the space: l2, l1 -> l1, l2"]),
    ("", "objective: {direction: maximize}", ["objective.direction: minimize -> maximize"]),
    ("model: {hidden: [8]}", "model: {hidden: [8, 8]}", ["model.hidden: [8] -> [8, 8]"]),
    ("", "sampler: {name: tpe, n_ei_candidates: 9}", ["sampler.n_ei_candidates: absent -> 9"]),
]


@pytest.mark.parametrize(("stored", "now", "lines"), CHANGES)
def test_every_change_is_one_line(stored, now, lines):
    assert parse_study(HEAD + now).changes(parse_study(HEAD + stored).canonical()) == lines


def test_a_key_that_an_earlier_version_did_not_know_is_no_change_at_its_default():
    now = parse_study(HEAD)
    earlier = now.canonical()
    del earlier["data"]["preprocess"]["dates"]
    del earlier["data"]["augment"]
    assert now.changes(earlier) == []
    chosen = parse_study(HEAD.replace("iris}", "iris, preprocess: {dates: text}}"))
    assert chosen.changes(earlier) == ["data.preprocess.dates: absent -> text"]
