"""Findings of trials that were trained again with one thing changed, in both directions; on curves drawn for them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.judgment.diagnosis import diagnose
from hpsearch.judgment.experience import Experience
from hpsearch.judgment.experiments import BY_EXPERIMENT
from hpsearch.judgment.sentences import best_variation
from hpsearch.judgment.variation import (
    FASTER,
    ITSELF,
    LONGER,
    SEEDS,
    SLOWER,
    UNREGULARIZED,
    WIDER,
    Variation,
    rounded,
    rows_of,
)

RATE, EPOCHS, UNIT = 0.03, 16, 2.0
RATES = {**SLOWER, **FASTER}


def falling(start, end):
    """Half of the way is gone after two epochs."""
    return tuple(end + (start - end) * 0.5 ** (np.arange(EPOCHS) / 2))


def variation(name, train, validation, *, words="", state="complete", value=None, **changes):
    return Variation(
        name=name,
        words=words or name,
        changes=changes,
        state=state,
        curves={"train_loss": tuple(train), "validation_loss": tuple(validation)},
        value=value,
    )


def tried(own, **others):
    """A trial whose losses end at `own`, alike from other seeds and with other rates; `others` by name end elsewhere.

    A loss of None diverged. In units of a constant guess's.
    """
    ends = dict.fromkeys((ITSELF, *SEEDS, *RATES), own) | others
    found = []
    for name, end in ends.items():
        lost = end is None
        losses = () if lost else UNIT * np.array(falling(1.2, end))
        if name == LONGER and not lost:  # the trial's own curve, and from there on
            losses = UNIT * np.array([*falling(1.2, own or end), *np.linspace(own or end, end, EPOCHS)])
        changes = {"learning_rate": RATE * RATES[name]} if name in RATES else {}
        state = "diverged" if lost else "complete"
        found.append(variation(name, losses, losses, state=state, **changes))
    return found


def findings_of(variations, *, best=None, state="complete", **recipe):
    curves = next(each for each in variations if each.name == ITSELF).curves
    experience = Experience()
    if best is not None:
        experience.add({}, best)
    n = len(curves["train_loss"])
    found, _ = diagnose(
        {**curves, "learning_rate": (RATE,) * n} if n else dict.fromkeys(curves, (float("nan"),)),
        state=state,
        epochs_planned=EPOCHS,
        baseline_loss=UNIT,
        recipe={"learning_rate": RATE, "optimizer": "sgd", **recipe},
        experience=experience,
        variations=variations,
    )
    return {finding.name: finding for finding in found}


def experimental(found):
    return set(found) & set(BY_EXPERIMENT)


def test_where_nothing_that_was_tried_does_better_no_experiment_says_anything():
    for own in (0.05, 0.3, 0.6, 0.9):
        others = {LONGER: own, WIDER: own, **dict.fromkeys(UNREGULARIZED, own)}
        assert not experimental(findings_of(tried(own, **others)))


def test_a_smaller_rate_that_fits_and_predicts_better_says_that_the_rate_is_too_large():
    found = findings_of(tried(0.6, rate_tenth=0.2, rate_third=0.5))["learning_rate_too_large"]
    assert "training loss comes to 21% of a constant guess's instead of 61%" in found.sentence
    assert found.changes[0].parameter == "learning_rate"
    assert found.changes[0].low < 0.1 * RATE < found.changes[0].high < RATE


def test_not_where_most_seeds_of_the_recipe_do_as_well():
    both = dict.fromkeys(SEEDS, 0.15)
    assert not experimental(findings_of(tried(0.6, rate_tenth=0.2, **both)))
    assert experimental(findings_of(tried(0.6, rate_tenth=0.2, second_seed=0.15)))


def test_not_where_it_predicts_no_better():
    better = variation("rate_tenth", UNIT * np.array(falling(1, 0.1)), UNIT * np.array(falling(1.2, 0.6)))
    others = [each for each in tried(0.6) if each.name != "rate_tenth"]
    assert not experimental(findings_of([*others, better]))


def test_a_rate_at_which_all_is_lost_is_too_large_where_a_smaller_one_learns():
    """Beside the breakdown, which is the verdict."""
    found = findings_of(tried(None, rate_tenth=0.2, **dict.fromkeys(SEEDS)), state="diverged")
    assert list(found) == ["diverged", "learning_rate_too_large"]
    assert found["learning_rate_too_large"].sentence.endswith("; as it was, it diverged.")
    assert "about 0.003" in found["diverged"].advice, "what was tried, not what rules would try"


def test_where_the_arithmetic_broke_down_no_larger_rate_is_advised():
    found = findings_of(tried(0.5, rate_threefold=0.2), state="diverged")
    assert "0.0009 to 0.009 instead of 0.03" in found["diverged"].advice


def test_advice_on_the_learning_rate_is_what_did_best_wherever_it_is_given():
    """A rule for the curves alone may guess the other way."""
    found = findings_of(tried(1.1, rate_tenfold=0.2))
    assert {"at_chance", "learning_rate_too_small"} <= set(found)
    for name in ("at_chance", "learning_rate_too_small"):
        assert "Try a learning rate of about 0.3" in found[name].advice
        assert found[name].changes[0].way == "higher"
    assert list(findings_of(tried(None, **dict.fromkeys(SEEDS)), state="diverged")) == ["diverged"]


def test_a_larger_rate_that_comes_twice_as_far_says_that_the_rate_is_too_small():
    found = findings_of(tried(0.9, rate_tenfold=0.2))["learning_rate_too_small"]
    assert found.changes[0].way == "higher"
    assert found.changes[0].low < 10 * RATE < found.changes[0].high
    assert not experimental(findings_of(tried(0.9, rate_tenfold=0.85)))


def test_what_regularization_explains_no_rate_does():
    """Unless another rate does far better than no regularization."""
    free = dict.fromkeys(UNREGULARIZED, 0.1)
    assert "regularization_too_strong" in findings_of(tried(0.8, **free), dropout=0.5)
    found = findings_of(tried(0.8, rate_tenfold=0.4, **free), dropout=0.5)
    assert experimental(found) == {"regularization_too_strong"}
    found = findings_of(tried(0.8, rate_tenfold=0.05, **free), dropout=0.5)
    assert experimental(found) == {"learning_rate_too_small"}


def test_regularization_is_too_strong_where_most_seeds_do_without_it():
    one, *more = UNREGULARIZED
    lucky = {one: 0.1, **dict.fromkeys(more, 0.6)}
    unlucky = {one: 0.55, **dict.fromkeys(more, 0.1)}
    assert "regularization_too_strong" not in findings_of(tried(0.6, **lucky), dropout=0.5)
    mixed = {one: 0.1, more[0]: 0.1, more[1]: 0.7}
    assert "regularization_too_strong" not in findings_of(tried(0.6, **mixed), dropout=0.5)
    found = findings_of(tried(0.6, **unlucky), dropout=0.5)["regularization_too_strong"]
    assert found.changes[0].parameter == "dropout"
    assert "regularization_too_strong" not in findings_of(tried(0.6), dropout=0.5)


def test_twice_the_epochs_tell_whether_it_was_still_improving():
    found = findings_of(tried(0.5, **{LONGER: 0.3}))["still_improving"]
    assert found.evidence["gain"] == pytest.approx(0.2, abs=0.02)
    assert found.changes[0].parameter == "epochs"
    assert "still_improving" not in findings_of(tried(0.5, **{LONGER: 0.49}))
    worse = variation(LONGER, *[UNIT * np.array([*falling(1, 0.5), *np.linspace(0.5, 0.9, EPOCHS)])] * 2)
    assert "still_improving" not in findings_of([*tried(0.5), worse])


def test_a_network_underfits_where_more_epochs_do_not_help_and_another_network_does():
    held = {LONGER: 0.6}
    found = findings_of(tried(0.6, **held, **{WIDER: 0.2}))["underfitting"]
    assert "with twice the epochs at 60%. With wider the training loss comes to 21%" in found.sentence
    found = findings_of(tried(0.6, **held), best=0.2)["underfitting"]
    assert "the study's best trial comes to 20% in validation" in found.sentence
    for other in (tried(0.6, **held), tried(0.6, **{LONGER: 0.3, WIDER: 0.2}), tried(0.3, **{WIDER: 0.1})):
        assert "underfitting" not in findings_of(other)


def test_of_what_overfits_the_remedy_is_named_that_left_the_least():
    """If it leaves less than another seed does."""
    train, rising = np.array(falling(1, 0.05)), np.array([*falling(1, 0.4)[:8], *np.linspace(0.45, 0.9, 8)])

    def ends(**at):
        kept = [
            variation(
                name,
                UNIT * train,
                UNIT * np.minimum(rising, at.get(name, 1.0)),
                words=f"more {name}",
                **(
                    {}
                    if name in (ITSELF, *SEEDS)
                    else {"dropout": 0.4}
                    if "dropout" in name
                    else {"hidden": [3]}
                ),
            )
            for name in (ITSELF, *SEEDS, "narrower", "more_dropout")
        ]
        return findings_of(kept)["overfitting"]

    helped = ends(more_dropout=0.5)
    assert helped.advice.startswith(
        "What helped most of all that was tried is more more_dropout: the validation loss ends at 50% instead of 8"
    )
    assert (helped.changes[0].parameter, helped.changes[0].low) == ("dropout", 0.4)
    assert ends(narrower=0.5).changes[0].parameter == "hidden"
    for none in (ends(), ends(more_dropout=0.5, second_seed=0.5)):
        assert none.advice.startswith("Try a dropout")


@given(
    st.lists(
        st.one_of(st.none(), st.floats(0.001, 50)),
        min_size=len(RATES) + len(SEEDS) + len(UNREGULARIZED) + 3,
        max_size=len(RATES) + len(SEEDS) + len(UNREGULARIZED) + 3,
    )
)
def test_any_experiment_can_be_read(ends):
    """Whatever diverged; advice of an experiment names what was tried."""
    names = (ITSELF, *SEEDS, *RATES, *UNREGULARIZED, LONGER, WIDER)
    variations = tried(0.5, **dict(zip(names, ends, strict=True)))
    state = "diverged" if ends[0] is None else "complete"
    found = findings_of(variations, state=state, dropout=0.3)
    assert found
    for name in experimental(found):
        assert all(np.isfinite(value) for value in found[name].evidence.values())
        assert found[name].changes


def test_the_best_change_is_told_against_what_seeds_make():
    same = [
        variation(name, (), (), value=value)
        for name, value in zip((ITSELF, *SEEDS), (0.5, 0.4, 0.6), strict=True)
    ]
    better = variation("wider", (), (), words="three times the width", value=0.2, hidden=[3])
    worse = variation("more_l2", (), (), words="an l2 of 1", value=0.45, l2=1)
    lost = variation("rate_tenfold", (), (), words="a rate", state="diverged", learning_rate=1)
    said = best_variation([*same, better, worse, lost], "validation loss", "minimize")
    assert said == (
        "Best of what was tried: three times the width: validation loss 0.2; as the recipe was, from 3 seeds it is "
        "0.4 to 0.6."
    )
    said = best_variation([*same, worse, lost], "validation loss", "minimize")
    assert said.startswith(
        "Nothing that was tried has a better validation loss than the recipe has by itself"
    )
    assert "an l2 of 1" not in best_variation([*same, worse], "validation accuracy", "maximize")
    assert best_variation([lost], "validation loss", "minimize") == "Nothing that was tried came to an end."
    assert best_variation([lost, better], "validation loss", "minimize").endswith(
        "validation loss 0.2; as the recipe was, no seed came to an end."
    )
    hardly = variation("unregularized", (), (), words="no l2", value=0.39999, l2=0.0)
    assert best_variation([*same, hardly], "validation loss", "minimize").startswith("Nothing that was tried")


@pytest.mark.parametrize(
    ("value", "said"),
    [(1000.0, "1000"), (330.33, "330"), (0.0333, "0.033"), (2.6e-5, "2.6e-05"), (128, "128"), (0.0, "0")],
)
def test_numbers_to_try_are_short(value, said):
    assert rounded(value) == said


def test_a_loss_that_there_is_not_is_told_by_the_state():
    lost = variation(
        "rate_tenfold", (9.0, float("nan")), (9.0, float("nan")), words="a rate", state="diverged"
    )
    assert rows_of([lost], "validation_loss")[1] == ["a rate", "diverged", "diverged", 9.0]
