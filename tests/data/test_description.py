"""What `hpsearch data` says: facts of training and validation rows, drift of inputs, a page that stands alone."""

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from hpsearch.cli import main
from hpsearch.data import RawData, prepare, prepare_raw
from hpsearch.data.description import describe
from hpsearch.data.gallery import page
from hpsearch.spec import DataSpec
from tests.support.tables import settings

RANDOM = np.random.default_rng(0)


class Checked(HTMLParser):
    """Notes what a page refers to outside itself."""

    outside = ()

    def handle_starttag(self, tag, attrs):
        links = [value for name, value in attrs if name in ("src", "href") and not value.startswith("data:")]
        self.outside += tuple(links)


def made(count=400):
    inputs = pd.DataFrame(
        {
            "a": RANDOM.normal(size=count),
            "gaps": np.where(RANDOM.random(count) < 0.25, np.nan, 1.0 * RANDOM.integers(0, 5, count)),
            "kind": RANDOM.choice(["x", "<y>"], count),
            "same": 3.0,
        }
    )
    return RawData(
        name="made", inputs=inputs, targets=pd.DataFrame({"t": RANDOM.choice(["no", "yes"], count)})
    )


def test_columns_are_told_with_gaps_kinds_and_constants():
    about = describe(prepare_raw(made(), settings(), seed=0))
    columns = {column.name: column for column in about.columns}
    assert [columns[name].kind for name in ("a", "gaps", "kind")] == ["number", "number", "category"]
    assert 40 < columns["gaps"].missing < 120
    assert columns["same"].is_constant
    assert sum(columns["a"].histogram) == 320
    assert sum(columns["kind"].common.values()) == 320
    assert sum(about.targets[0].common.values()) == 320
    assert about.rows == {"training": 240, "validation": 80, "test": 80}
    assert about.drift == ()
    json.dumps(about.to_json())


def test_inputs_that_drift_in_the_test_part_are_told_whatever_its_targets_are():
    raw = made()
    test = prepare_raw(raw, settings(), seed=0)
    rows = raw.inputs["a"].index[~np.isin(raw.inputs["a"], test.development_rows()[0].frame["a"])]
    inputs = raw.inputs.copy()
    inputs.loc[rows, "a"] += 3
    about = describe(
        prepare_raw(RawData(name="made", inputs=inputs, targets=raw.targets), settings(), seed=0)
    )
    assert [(drift.column, drift.part) for drift in about.drift] == [("a", "test")]
    assert about.drift[0].distance > 0.8
    assert about.drift[0].shift == pytest.approx(3, abs=0.4)


@pytest.mark.parametrize("kind", ["table", "image", "sequence", "text"])
def test_every_kind_has_a_description_and_a_page_that_needs_nothing_beside_itself(tmp_path, kind):
    y = np.arange(60) % 2
    given = {"source": "x.npz", "kind": kind}
    if kind == "text":
        pd.DataFrame({"t": [f"<i>word {i}" for i in range(60)], "y": y}).to_csv(
            tmp_path / "t.csv", index=False
        )
        given = {"source": "t.csv", "target": "y", "text": {"column": "t"}}
    x = {"table": RANDOM.normal(size=(60, 3)), "sequence": RANDOM.normal(size=(60, 9, 2))}.get(
        kind, RANDOM.integers(0, 256, (60, 5, 5, 3), dtype=np.uint8)
    )
    np.savez(tmp_path / "x.npz", x=x, y=y)
    about = describe(prepare(DataSpec(**given), seed=0, base=tmp_path))
    assert about.kind == kind
    assert len(about.columns) == {"table": 3, "image": 3, "sequence": 2, "text": 1}[kind]
    html = page(about)
    checked = Checked()
    checked.feed(html)
    assert not checked.outside
    assert "<i>word" not in html
    assert html.count("<img") == (24 if kind == "image" else 0)


def test_the_verb_prints_a_table_json_and_writes_the_page(tmp_path, capsys):
    (tmp_path / "s.yaml").write_text("study: s\ndata: {source: sklearn/iris}\n")
    for options in ([], ["--json"], ["--html", str(tmp_path / "page.html")]):
        with pytest.raises(SystemExit) as ended:
            main(["data", str(tmp_path / "s.yaml"), *options])
        assert ended.value.code == 0
        said = capsys.readouterr().out
        if options == ["--json"]:
            assert json.loads(said)["rows"] == {"training": 90, "validation": 30, "test": 30}
        else:
            assert "petal length (cm)" in said
            assert "▁" in said
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    with pytest.raises(SystemExit) as ended:
        main(["data", str(tmp_path / "s.yaml"), "--html", str(tmp_path / "no" / "page.html")])
    assert ended.value.code == 2
    assert "cannot be written (No such file or directory)" in capsys.readouterr().err
