"""What `hpsearch why` finds is kept beside the facts and comes back whole; files of other versions can be read."""

import json
from dataclasses import replace
from math import isnan

import pytest

from hpsearch.errors import StorageError
from hpsearch.judgment.variation import Variation
from hpsearch.search.examined import examined, keep, make_place
from hpsearch.store import Store
from tests.support.facts import FINDING, fact

LEARNS = Variation(
    name="rate_tenth",
    words="a learning rate of 0.01 (a tenth)",
    changes={"learning_rate": 0.01},
    state="complete",
    curves={"train_loss": (1.0, 0.5), "validation_loss": (1.1, 0.7)},
    value=0.7,
)
EXPLODES = replace(
    LEARNS,
    name="wider",
    changes={"hidden": [24]},
    state="diverged",
    curves={"train_loss": (1.0, float("inf")), "validation_loss": (1.1, float("nan"))},
    value=None,
)


@pytest.fixture
def home(tmp_path):
    home = Store(tmp_path).new_generation("digits")
    home.path.mkdir(parents=True)
    return home


def test_findings_and_variations_of_an_examined_trial_come_back_and_others_stay_as_they_are(home):
    facts = [fact(0), fact(1), fact(2)]
    assert examined(home, facts) == facts
    keep(home, replace(facts[1], verdict="overfitting", findings=(FINDING,), variations=(LEARNS,)))
    first, second, third = examined(home, facts)
    assert (first, third) == (facts[0], facts[2])
    assert second == replace(facts[1], verdict="overfitting", findings=(FINDING,), variations=(LEARNS,))


def test_what_is_no_number_is_stored_as_json_has_it(home):
    """Any program can read the file; a loss that overflowed is null."""
    keep(home, replace(fact(0), variations=(EXPLODES,)))
    text = (home.variations / "0.json").read_text()
    (stored,) = json.loads(text, parse_constant=pytest.fail)["variations"]
    assert stored["curves"] == {"train_loss": [1.0, None], "validation_loss": [1.1, None]}
    (back,) = examined(home, [fact(0)])[0].variations
    assert isnan(back.curves["train_loss"][1])
    assert isnan(back.end)
    assert replace(back, curves=EXPLODES.curves) == EXPLODES


def test_what_a_later_version_says_besides_is_passed_over(home):
    keep(home, replace(fact(0), variations=(LEARNS,)))
    path = home.variations / "0.json"
    stored = json.loads(path.read_text())
    stored["variations"][0]["seconds"] = 1.5
    path.write_text(json.dumps({**stored, "budget": 3}))
    assert examined(home, [fact(0)])[0].variations == (LEARNS,)


@pytest.mark.parametrize(
    "text", ['{"verdict": ', "[]", '{"verdict": "healthy", "findings": [], "variations": [3]}']
)
def test_a_damaged_file_says_how_to_make_it_again(home, text):
    home.variations.mkdir()
    (home.variations / "7.json").write_text(text)
    with pytest.raises(StorageError, match=r"delete it and run `hpsearch why digits 7` again"):
        examined(home, [fact(7)])


def test_a_store_that_cannot_be_written_says_so_with_a_remedy(home):
    home.variations.write_text("no directory")
    with pytest.raises(StorageError, match=r"variations: cannot be written"):
        make_place(home)
    home.variations.unlink()
    (home.variations / "0.json").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"run `hpsearch why digits 0` again when it can"):
        keep(home, replace(fact(0), variations=(LEARNS,)))
