"""Law 4: test data is sealed. It reaches no fitting, preprocessing, early stopping, pruning or choice."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.data import RawData, prepare_raw
from hpsearch.data.preparation import assemble
from hpsearch.data.raw import Findings
from hpsearch.data.splits import divide
from hpsearch.data.tables import TableInputs
from hpsearch.data.targets import Targets, read_targets
from hpsearch.randomness import Address
from hpsearch.spec import PreprocessSpec, SplitSpec
from tests.support.tables import settings

ROWS = 40
numbers = st.floats(-(2.0**100), 2.0**100, width=32) | st.just(float("nan"))
preprocessings = st.builds(
    PreprocessSpec,
    numeric=st.sampled_from(["standardize", "min_max", "none"]),
    missing=st.sampled_from(["median", "mean"]),
    target=st.sampled_from(["standardize", "none"]),
)


def raw_table(targets):
    random = np.random.default_rng(0)
    inputs = pd.DataFrame(
        {
            "a": random.normal(size=ROWS),
            "b": random.integers(0, 5, size=ROWS).astype(float),
            "kind": random.choice(["x", "y", "z"], size=ROWS).astype(object),
        }
    )
    return RawData(name="data", inputs=inputs, targets=pd.DataFrame({"target": targets}))


REGRESSION = raw_table(np.random.default_rng(1).normal(size=ROWS))
CLASSES = raw_table(np.repeat(["no", "yes"], ROWS // 2).astype(object))


def sealed_rows(raw, seed):
    targets = read_targets(raw.targets, "auto", Findings(name="data"))
    return divide(targets, settings().split, Address(seed=seed).stream("split"))


def learned(data):
    """Everything that the search, the refit and the workers see."""
    refit = data.refit()
    parts = data.training.train, data.training.validation, refit.part
    return (
        [(part.x.tobytes(), part.y.tobytes()) for part in parts],
        data.preprocessor.to_json(),
        data.task,
        data.training.task,
        refit.preprocessor.to_json(),
        refit.task,
        data.raw_example().to_json(),
    )


@given(data=st.data(), seed=st.integers(0, 3), preprocess=preprocessings)
def test_whatever_the_test_rows_hold_nothing_that_is_learned_changes(data, seed, preprocess):
    """Arbitrary numbers, gaps, texts and (regression) targets, through the whole of `prepare_raw`."""
    raw = data.draw(st.sampled_from([REGRESSION, CLASSES]))
    rows = sealed_rows(raw, seed).test
    inputs, targets = raw.inputs.copy(), raw.targets.copy()
    for name in ("a", "b"):
        inputs.loc[rows, name] = data.draw(st.lists(numbers, min_size=len(rows), max_size=len(rows)))
    texts = st.sampled_from(["x", "unheard of", "", None])
    inputs["kind"] = pd.Series(
        [data.draw(texts) if i in rows else value for i, value in enumerate(inputs["kind"])], dtype=object
    )
    if raw is REGRESSION:
        targets.loc[rows, "target"] = data.draw(
            st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=len(rows), max_size=len(rows))
        )
    given = settings(preprocess=preprocess, task="regression" if raw is REGRESSION else "auto")
    before = prepare_raw(raw, given, seed=seed)
    after = prepare_raw(RawData(name="data", inputs=inputs, targets=targets), given, seed=seed)
    assert learned(before) == learned(after)


@given(data=st.data(), seed=st.integers(0, 3))
def test_whatever_the_test_labels_are_nothing_that_is_learned_changes(data, seed):
    """The split is held fixed: stratification looks at labels, and at nothing else of the test rows."""
    split = sealed_rows(CLASSES, seed)
    targets = read_targets(CLASSES.targets, "auto", Findings(name="data"))
    labels = targets.content.copy()
    labels[split.test] = data.draw(st.lists(st.sampled_from(["no", "yes"]), min_size=8, max_size=8))
    other = Targets(names=targets.names, content=labels, rows=targets.rows, is_classification=True)
    before, after = (
        assemble(
            CLASSES, TableInputs(CLASSES.inputs).tidy(), goal, split, settings(), fingerprint="", warnings=()
        )
        for goal in (targets, other)
    )
    assert learned(before) == learned(after)
    opened = after.sealed.open(after.preprocessor, after.task)
    assert after.task.decode(opened.y).tolist() == labels[split.test].tolist()


def test_sealed_rows_show_nowhere_and_travel_nowhere():
    """Not in a repr, not to a worker: pickling and copying are refused."""
    data = prepare_raw(REGRESSION, settings(), seed=0)
    assert repr(data.sealed) == "SealedTest(8 rows)"
    assert "DataFrame" not in repr(data)
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="sealed"):
            copied(data.sealed)
    with pytest.raises(TypeError, match="sealed"):
        pickle.dumps(data)
    pickle.dumps(data.training)


def test_opening_gives_the_test_rows_as_the_fitted_preprocessing_sees_them():
    data = prepare_raw(REGRESSION, settings(), seed=0)
    rows = sealed_rows(REGRESSION, 0).test
    part = data.sealed.open(data.preprocessor, data.task)
    np.testing.assert_array_equal(part.x, data.preprocessor.transform(REGRESSION.inputs.iloc[rows]))
    np.testing.assert_allclose(data.task.unscale(part.y), REGRESSION.targets.iloc[rows], rtol=1e-5)
    assert not part.x.flags.writeable


def test_whatever_the_test_rows_hold_no_search_of_an_outer_fold_changes():
    """Nested cross-validation: neither what such a search learns from, nor what its winner is scored on."""
    rows = sealed_rows(REGRESSION, 0).test
    inputs, targets = REGRESSION.inputs.copy(), REGRESSION.targets.copy()
    inputs.loc[rows, "a"], targets.loc[rows, "target"] = 1e6, -1e6
    other = RawData(name="data", inputs=inputs, targets=targets)
    for outer in ("1/2", "2/2"):
        chosen = settings(split=SplitSpec(outer=outer))
        before, after = (prepare_raw(raw, chosen, seed=0) for raw in (REGRESSION, other))
        assert learned(before) == learned(after)
        opened = [each.sealed.open(each.preprocessor, each.task) for each in (before, after)]
        assert opened[0].x.tobytes() == opened[1].x.tobytes()
        assert len(opened[0].y) == 16
