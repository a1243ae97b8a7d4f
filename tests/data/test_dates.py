"""Dates: read without a doubt or not at all, days and cycles as features, overridden column by column."""

import json

import numpy as np
import pandas as pd
import pytest

from hpsearch.data import prepare
from hpsearch.data.dates import moments
from hpsearch.data.preprocessing import Preprocessor
from hpsearch.errors import DataError
from hpsearch.spec import PreprocessSpec
from tests.support.tables import settings

DAYS = pd.date_range("2021-01-01", periods=800)


def frame(**columns):
    rows = len(next(iter(columns.values())))
    return pd.DataFrame({**columns, "price": np.arange(rows) * 1.5})


def prepared(base, table, **preprocess):
    table.to_csv(base / "table.csv", index=False)
    return prepare(settings(preprocess=preprocess, split={"shuffle": False}), seed=0, base=base)


def test_a_date_becomes_days_and_the_cycles_that_it_runs_through(tmp_path):
    """Daily dates over two years: no place in the day; days are counted from the training part's first."""
    data = prepared(tmp_path, frame(day=DAYS.strftime("%Y-%m-%d")))
    names = data.preprocessor.feature_names
    assert names == (
        "day",
        *(f"day, {wave} of the {c}" for c in ("year", "week") for wave in ("sine", "cosine")),
    )
    days = np.arange(480)
    x = data.training.train.x
    np.testing.assert_allclose(x[:, 0], (days - days.mean()) / days.std(), atol=1e-5)
    of_year = (DAYS.day_of_year.to_numpy() - 1)[:480] / 365
    np.testing.assert_allclose(x[:, 1], np.sin(2 * np.pi * of_year), atol=1e-5)
    np.testing.assert_allclose(x[:, 4], np.cos(2 * np.pi * DAYS.day_of_week.to_numpy()[:480] / 7), atol=1e-5)
    again = Preprocessor.from_json(json.loads(json.dumps(data.preprocessor.to_json())))
    assert again == data.preprocessor
    for later in (["2023-06-01"], [pd.Timestamp("2023-06-01")], pd.to_datetime(["2023-06-01"])):
        row = again.transform(pd.DataFrame({"day": later}))
        assert row[0, 0] == pytest.approx((881 - days.mean()) / days.std(), rel=1e-5)


@pytest.mark.parametrize(
    ("dates", "cycles"),
    [
        (pd.date_range("2021-01-04", periods=5), []),
        (pd.date_range("2021-01-04", periods=30), ["week"]),
        (pd.date_range("2021-01-01 06:00", periods=60, freq="h"), ["day"]),
        (pd.date_range("2021-01-01 06:00", periods=600, freq="h"), ["week", "day"]),
        (pd.date_range("2019-01-07", periods=200, freq="7D"), ["year"]),
        (pd.date_range("1990-01-01", periods=30, freq="YS"), ["week"]),
    ],
)
def test_a_cycle_is_told_where_dates_run_through_it_and_differ_in_it(dates, cycles):
    fitted = Preprocessor.fit(pd.DataFrame({"when": dates}), PreprocessSpec()).fitted[0]
    assert list(fitted.cycles) == cycles


def test_dates_from_typed_files_with_zones_and_gaps(tmp_path):
    """The same moments, however they are written; a gap stands in the middle and points in no direction."""
    table = frame(when=DAYS.tz_localize("UTC").tz_convert("Asia/Tokyo"))
    table.loc[3, "when"] = pd.NaT
    table.to_parquet(tmp_path / "table.parquet")
    given = {"split": {"shuffle": False}, "preprocess": {"missing": "indicator"}}
    typed = prepare(settings(source="table.parquet", **given), seed=0, base=tmp_path)
    table["when"] = DAYS.strftime("%Y-%m-%dT%H:%MZ").where(np.arange(800) != 3, None)
    spelled = prepared(tmp_path, table, missing="indicator")
    np.testing.assert_array_equal(typed.training.train.x, spelled.training.train.x)
    assert typed.preprocessor.feature_names[:2] == ("when", "when is missing")
    gap = typed.training.train.x[3]
    assert gap[1] == 1
    assert (gap[2:] == 0).all()
    assert abs(gap[0]) < 0.02


def test_each_column_of_dates_may_have_its_own_way(tmp_path):
    table = frame(
        one=DAYS.strftime("%Y-%m-%d"),
        two=DAYS.strftime("%Y-%m-%d"),
        era=DAYS.year.map(lambda y: f"{y}-01-01"),
    )
    how = {"one": {"date": "elapsed", "scale": "min_max"}, "era": {"encode": "one_hot"}}
    data = prepared(tmp_path, table, columns=how)
    assert [name for name in data.preprocessor.feature_names if not name.startswith("two")] == [
        "one",
        "era=2021-01-01",
        "era=2022-01-01",
    ]
    assert data.training.train.x[:, 0].max() == 1
    assert prepared(tmp_path, table, dates="elapsed").preprocessor.feature_names == ("one", "two", "era")


def test_what_may_be_read_in_two_ways_is_no_date(tmp_path):
    written = [f"{1 + i % 12:02d}/{1 + i % 28:02d}/2024" for i in range(60)]
    how = {"columns": {"when": {"date": "elapsed"}}}
    with pytest.raises(DataError, match=r"must hold dates as in 2024-12-31, .*got '01/01/2024' \(line 2\)"):
        prepared(tmp_path, frame(when=written), **how)
    _, readable = moments(pd.Series(["2024-02-30", "2024-02-29", None, "12:30", "2024-02-29 12:30+01:00"]))
    assert readable.tolist() == [False, True, True, False, True]
    with pytest.raises(DataError, match="holds numbers, which are no dates"):
        prepared(tmp_path, frame(when=np.arange(60) % 7), **how)


def test_a_model_says_which_value_is_no_date():
    fitted = Preprocessor.fit(pd.DataFrame({"when": DAYS}), PreprocessSpec())
    with pytest.raises(DataError, match=r"column 'when': must be dates as in .*got 'tomorrow' in row 2"):
        fitted.transform({"when": ["2024-01-01", "tomorrow"]})


def test_only_training_dates_are_fitted(tmp_path):
    seen = []
    for far in ("2024-01-01", "2050-07-01"):
        days = [*DAYS.strftime("%Y-%m-%d")[:799], far]
        seen.append(prepared(tmp_path, frame(day=days)).preprocessor)
    assert seen[0] == seen[1]
