"""Series: arrays, .ts files, long tables, windows; lengths that hide padding; what is refused."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.data import prepare
from hpsearch.data.kinds import preparer_from_json
from hpsearch.data.loading import load_special, of_kind
from hpsearch.data.preprocessing import Preprocessor
from hpsearch.data.sequences import SequenceInputs, padded
from hpsearch.data.sources import load, select
from hpsearch.errors import DataError
from hpsearch.judgment.metrics import final_scores
from hpsearch.spec import DataSpec, PreprocessSpec

RANDOM = np.random.default_rng(0)
SETTINGS = DataSpec(source="x.ts")


def refusal(base, **spec):
    with pytest.raises(DataError) as caught:
        prepare(DataSpec(**spec), seed=0, base=base)
    return str(caught.value)


def table(base, **spec):
    spec = DataSpec(**spec)
    raw = select(load(spec.source, base=base), spec.source, target=spec.target, drop=())
    return of_kind(raw, spec, base=base)


def ts(*lines, head=("@univariate true", "@classLabel true a b")):
    return "\n".join(["# about", "@problemName Made", *head, "@data", *lines]) + "\n"


def test_ts_files_give_series_with_labels_and_their_test_file_beside(tmp_path):
    (tmp_path / "Made_TRAIN.ts").write_text(ts("1,2,3:a", "4,5,?:b"))
    (tmp_path / "Made_TEST.ts").write_text(ts("7,8,9:b"))
    raw, _ = load_special(DataSpec(source="Made_TRAIN.ts"), base=tmp_path)
    np.testing.assert_array_equal(raw.inputs.series[..., 0], [[1, 2, 3], [4, 5, np.nan], [7, 8, 9]])
    assert raw.inputs.lengths is None
    assert raw.targets["class"].tolist() == ["a", "b", "b"]
    assert raw.part.tolist() == ["train", "train", "test"]


def test_ts_files_of_several_dimensions_and_lengths(tmp_path):
    head = ("@dimensions 2", "@equalLength false", "@classLabel true 1 2")
    (tmp_path / "m.ts").write_text(ts("1,2,3:4,5,6:1", "7,8:9,0:2", head=head))
    raw, _ = load_special(DataSpec(source="m.ts"), base=tmp_path)
    assert raw.inputs.names == ("dimension_1", "dimension_2")
    assert raw.inputs.lengths.tolist() == [3, 2]
    np.testing.assert_array_equal(raw.inputs.series[1], [[7, 9], [8, 0], [0, 0]])
    short, _ = load_special(DataSpec(source="m.ts", sequence={"length": 2}), base=tmp_path)
    np.testing.assert_array_equal(short.inputs.series[0], [[2, 5], [3, 6]])
    assert short.inputs.lengths is None


def test_ts_files_with_numbers_to_learn(tmp_path):
    (tmp_path / "r.ts").write_text(ts("1,2:0.5", "3,4:1.5", head=("@targetLabel true",)))
    raw, _ = load_special(DataSpec(source="r.ts"), base=tmp_path)
    assert raw.targets["target"].tolist() == [0.5, 1.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "x.ts:1: must be a line that starts with @ or #, got 'a,b'; name a .ts file"),
        (ts("1,x:a"), "x.ts:6: holds what is no number"),
        (ts("1,2"), "x.ts:6: must be 1 dimensions and a label between colons, got 0"),
        (ts("1,2:3,4:a"), "x.ts:6: must be 1 dimensions and a label between colons, got 2"),
        (
            ts("1,2:3:a", head=("@classLabel true a",)),
            "its dimensions must have one length above 0, got [1, 2]",
        ),
        (ts("1:a", head=("@timestamps true", "@classLabel true a")), "time stamps are not read"),
        (ts("1:a", head=("@classLabel false",)), "has no labels to learn"),
        (ts(), "holds no series"),
    ],
)
def test_broken_ts_files_are_refused_with_their_line(tmp_path, text, message):
    (tmp_path / "x.ts").write_text(text)
    assert message in refusal(tmp_path, source="x.ts")


def long_table(base, rows):
    frame = pd.DataFrame(rows, columns=["id", "t", "a", "b", "label"])
    frame.to_csv(base / "long.csv", index=False)
    return {"source": "long.csv", "target": "label", "sequence": {"series": "id", "time": "t"}}


def test_a_long_table_gives_one_series_for_each_id_in_the_order_of_time(tmp_path):
    spec = long_table(tmp_path, [["u", 2, 20, 5, "x"], ["v", 1, 30, 6, "y"], ["u", 1, 10, 4, "x"]])
    raw = table(tmp_path, **spec)
    assert raw.inputs.names == ("a", "b")
    assert raw.inputs.lengths.tolist() == [2, 1]
    np.testing.assert_array_equal(raw.inputs.series, [[[10, 4], [20, 5]], [[30, 6], [0, 0]]])
    assert raw.targets["label"].tolist() == ["x", "y"]


def test_a_series_with_two_targets_is_refused(tmp_path):
    spec = long_table(tmp_path, [["u", 1, 1, 1, "x"], ["u", 2, 1, 1, "y"]])
    assert "must be the same in all rows of a series, and series 'u' has several values" in refusal(
        tmp_path, **spec
    )
    spec["sequence"]["series"] = "identity"
    assert "data.sequence.series: the table has no column 'identity'" in refusal(tmp_path, **spec)


@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=12),
    st.floats(-1e3, 1e3, allow_nan=False),
    st.integers(0, 5),
)
def test_what_stands_behind_a_series_never_reaches_scaling_or_inputs(lengths, garbage, seed):
    """Padding is in no mean, whatever it holds; behind its length each series is zero."""
    random = np.random.default_rng(seed)
    pieces = [random.normal(3, 2, (n, 2)) for n in lengths]
    values, sizes = padded(pieces, max(lengths), ("a", "b"))
    spoiled = values.copy()
    for row, n in zip(spoiled, lengths, strict=True):
        row[n:] = garbage
    one, other = (
        SequenceInputs(series=v, names=("a", "b"), lengths=sizes).fit(SETTINGS) for v in (values, spoiled)
    )
    assert one == other
    every = np.concatenate(pieces)
    np.testing.assert_allclose([column.center for column in one.fitted], every.mean(axis=0))
    x, told = one.prepare(SequenceInputs(series=spoiled, names=("a", "b"), lengths=sizes))
    assert told.tolist() == lengths
    for row, n in zip(x, lengths, strict=True):
        assert (row[n:] == 0).all()
    np.testing.assert_array_equal(one.prepare(pieces)[0], x)
    assert preparer_from_json(one.to_json()) == one


def test_missing_steps_stand_in_as_the_training_parts_mean(tmp_path):
    x = RANDOM.normal(5, 1, (30, 4, 1))
    x[0, 0] = np.nan
    np.savez(tmp_path / "s.npz", x=x, y=np.arange(30) % 2)
    data = prepare(DataSpec(source="s.npz", kind="sequence"), seed=0, base=tmp_path)
    assert any("1 missing values" in warning for warning in data.warnings)
    assert data.preprocessor.prepare(x[:1])[0][0, 0, 0] == 0
    x[3, 1] = np.inf
    np.savez(tmp_path / "s.npz", x=x, y=np.arange(30) % 2)
    assert "got inf in series 4, step 2; correct or empty it" in refusal(
        tmp_path, source="s.npz", kind="sequence"
    )


def test_arrays_may_say_how_long_each_series_is(tmp_path):
    lengths = np.array([3, 1, 2] * 8)
    np.savez(tmp_path / "s.npz", x=RANDOM.normal(size=(24, 3, 2)), y=np.arange(24) % 2, lengths=lengths)
    data = prepare(DataSpec(source="s.npz", kind="sequence"), seed=0, base=tmp_path)
    train = data.training.train
    assert train.lengths.dtype == np.int32
    assert (train.x[train.lengths == 1, 1:] == 0).all()
    np.savez(tmp_path / "s.npz", x=np.ones((2, 3, 2)), y=np.arange(2), lengths=[3, 4])
    assert "lengths: must be 2 whole numbers from 1 to 3" in refusal(
        tmp_path, source="s.npz", kind="sequence"
    )


def test_series_of_a_length_that_was_not_learned_are_refused_or_cut():
    equal = SequenceInputs(series=RANDOM.normal(size=(5, 4, 1)), names=("value",)).fit(SETTINGS)
    assert equal.prepare(np.ones((2, 4)))[0].shape == (2, 4, 1)
    with pytest.raises(DataError, match="series 2 must have exactly 4 steps, got 3"):
        equal.prepare([np.ones(4), np.ones(3)])
    cut = SequenceInputs(series=RANDOM.normal(size=(5, 4, 1)), names=("value",), cut=True).fit(SETTINGS)
    np.testing.assert_array_equal(cut.prepare([[9, 1, 2, 3, 4]])[0], cut.prepare([[1, 2, 3, 4]])[0])
    for wrong in (["a"], [[]], [np.ones((4, 2))], [np.inf] * 4, 3):
        with pytest.raises((DataError, TypeError)):
            equal.prepare(wrong)


def series_file(base, count=40):
    pd.DataFrame({"year": range(1900, 1900 + count), "spots": np.arange(count) * 1.0, "noise": 7.0}).to_csv(
        base / "s.csv", index=False
    )
    return {"source": "s.csv", "target": "spots", "window": {"lags": 3, "horizon": 2, "time": "year"}}


def test_windows_hold_the_lags_before_their_targets_and_nothing_later(tmp_path):
    raw = table(tmp_path, **series_file(tmp_path))
    assert list(raw.targets.columns) == ["spots+1", "spots+2"]
    assert len(raw.targets) == 36
    for i in (0, 17, 35):
        assert raw.inputs.series[i, :, 0].tolist() == [i, i + 1, i + 2]
        assert raw.targets.iloc[i].tolist() == [i + 3, i + 4]
    assert raw.in_time_order
    assert raw.gap == 1


def test_windows_look_back_on_other_columns_too_and_sort_by_time(tmp_path):
    spec = series_file(tmp_path)
    frame = pd.read_csv(tmp_path / "s.csv").sample(frac=1, random_state=0)
    frame.to_csv(tmp_path / "s.csv", index=False)
    spec["window"]["values"] = ["spots", "noise"]
    raw = table(tmp_path, **spec)
    assert raw.inputs.series[0].tolist() == [[0, 7], [1, 7], [2, 7]]
    assert "40 rows are too few for 39 lags and 2 ahead" in refusal(
        tmp_path, **spec | {"window": {"lags": 39, "horizon": 2}}
    )


def test_a_table_of_the_series_is_forecast_from_each_of_its_windows(tmp_path):
    raw = table(tmp_path, **series_file(tmp_path))
    fitted = raw.inputs.fit(DataSpec(**series_file(tmp_path)))
    recent = pd.DataFrame({"spots": [1.0, 2.0, 3.0, 4.0]})
    x, lengths = fitted.prepare(recent)
    assert lengths is None
    np.testing.assert_array_equal(x, fitted.prepare([[1, 2, 3], [2, 3, 4]])[0])
    with pytest.raises(DataError, match="a forecast looks back on 3 rows, got 2"):
        fitted.prepare(recent[:2])


@pytest.mark.parametrize("how", ["robust", "log", "sqrt", "power", "quantile", "min_max"])
def test_lags_and_target_of_a_series_are_scaled_alike(tmp_path, how):
    """As a column of a table is, by the steps that train; scores and forecasts are in the series' own units."""
    random = np.random.default_rng(1)
    spots = random.gamma(1.5, 30.0, 90)
    pd.DataFrame({"spots": spots}).to_csv(tmp_path / "s.csv", index=False)
    spec = {"source": "s.csv", "target": "spots", "window": {"lags": 3, "scale": how}}
    data = prepare(DataSpec(**spec), seed=0, base=tmp_path)
    rows = len(data.training.train)
    seen = np.concatenate([spots[i : i + 3] for i in range(rows)])
    peer = Preprocessor.fit(pd.DataFrame({"spots": seen}), PreprocessSpec(numeric=how))
    again = preparer_from_json(json.loads(json.dumps(data.preprocessor.to_json())))
    expected = peer.transform(spots[:, None])[:, 0]
    np.testing.assert_allclose(again.prepare(spots[None, :3])[0][0, :, 0], expected[:3], rtol=1e-5, atol=1e-6)
    for part, first in ((data.training.train, 0), (data.training.validation, rows)):
        np.testing.assert_allclose(part.x[0, :, 0], expected[first : first + 3], rtol=1e-5, atol=1e-6)
        truth = spots[first + 3 : first + 3 + len(part)]
        np.testing.assert_allclose(data.task.unscale(part.y)[:, 0], truth, rtol=1e-4, atol=1e-3)
        errors = final_scores(part.y * 0, part.y, task=data.task, loss="mse")
        middle = data.task.unscale(np.zeros((1, 1)))[0, 0]
        assert errors["mae"] == pytest.approx(np.abs(truth - middle).mean(), rel=1e-4)
    other = DataSpec(**spec | {"preprocess": {"target": "standardize"}})
    assert prepare(other, seed=0, base=tmp_path).task.target_curves == ()


@pytest.mark.parametrize("how", ["standardize", "min_max", "none", "sqrt"])
def test_a_missing_step_is_the_mean_whatever_the_scale(how):
    series = np.array([[[1.0], [4.0], [np.nan], [7.0]]])
    spec = DataSpec(source="x.ts", sequence={"scale": how})
    fitted = SequenceInputs(series=series, names=("value",)).fit(spec)
    x, _ = fitted.prepare(series)
    assert x[0, 2, 0] == fitted.prepare([[4.0, 4.0, 4.0, 4.0]])[0][0, 0, 0]


def test_settings_of_columns_are_refused_where_there_are_none(tmp_path):
    with pytest.raises(ValueError, match=r"is for tables, and has no meaning for kind window"):
        DataSpec(**series_file(tmp_path), preprocess={"numeric": "sqrt"})


def test_folds_of_windows_follow_one_another_without_a_shared_target(tmp_path):
    spec = series_file(tmp_path, count=60)
    data = prepare(DataSpec(**spec, split={"folds": 3, "test": 0.2}), seed=0, base=tmp_path)
    ends = []
    for fold in data.training.folds:
        trained, held = (fold.task.unscale(part.y) for part in (fold.train, fold.validation))
        assert trained.max() < held.min()
        ends.append(held.max())
    assert ends == sorted(ends)
    assert ends[-1] < 59 - len(data.sealed)
    assert "are the same each time they are drawn; leave it out, or repeat by `seeds`" in refusal(
        tmp_path, **spec, split={"folds": 3, "repeats": 2}
    )
