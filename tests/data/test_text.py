"""Texts: tokens, a vocabulary of the training part, padding and unknown."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.data import prepare
from hpsearch.data.kinds import preparer_from_json
from hpsearch.data.text import TextInputs
from hpsearch.errors import DataError
from hpsearch.spec import DataSpec


def fitted(rows, **how):
    spec = DataSpec(source="t.csv", target="y", text={"column": "said", **how})
    return TextInputs(pd.Series(rows, name="said", dtype=object)).fit(spec)


def test_frequent_tokens_get_the_first_numbers_and_ties_go_by_the_alphabet():
    words = fitted(["b a a!", "It's a c"])
    assert words.vocabulary == ("a", "!", "b", "c", "it's")
    assert words.tokens == 7
    x, lengths = words.prepare(["a new b", "", None, "A"])
    assert x.tolist() == [[2, 1, 4, 0], [1, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0]]
    assert x.dtype == np.int32
    assert lengths.tolist() == [3, 1, 1, 1]


def test_characters_capitals_and_bounds():
    characters = fitted(["Abba"], tokens="characters", lowercase=False, vocabulary=4, length=3)
    assert characters.vocabulary == ("b", "A")
    assert characters.prepare(["bAxb"])[0].tolist() == [[2, 3, 1]]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8), st.sampled_from(["words", "characters"]))
def test_any_text_has_tokens_within_bounds_and_survives_json(rows, tokens):
    own = fitted(rows, tokens=tokens, length=7, vocabulary=9)
    x, lengths = own.prepare(rows)
    assert x.shape == (len(rows), own.steps)
    assert 0 <= x.min() <= x.max() < own.tokens <= 9
    for row, n in zip(x, lengths, strict=True):
        assert 1 <= n <= own.steps
        assert (row[:n] > 0).all()
        assert (row[n:] == 0).all()
    assert preparer_from_json(own.to_json()) == own


def test_the_vocabulary_comes_from_the_training_part_alone(tmp_path):
    rows = [f"word{i} common" for i in range(50)]
    pd.DataFrame({"said": rows, "y": np.arange(50) % 2}).to_csv(tmp_path / "t.csv", index=False)
    data = prepare(DataSpec(source="t.csv", target="y", text={"column": "said"}), seed=0, base=tmp_path)
    assert len(data.preprocessor.vocabulary) == 1 + len(data.training.train)
    assert data.training.train.x.dtype == np.int32
    assert (data.training.validation.x == 1).sum() == len(data.training.validation)
    refit = data.refit()
    assert len(refit.preprocessor.vocabulary) == 1 + len(refit.part)


def test_what_is_no_text_is_refused(tmp_path):
    own = fitted(["a"])
    for wrong in ("a", 3, [1], pd.DataFrame({"a": [1], "b": [2]})):
        with pytest.raises(DataError):
            own.prepare(wrong)
    assert own.prepare(pd.DataFrame({"said": ["a"], "more": [1]}))[0].tolist() == [[2]]
    (tmp_path / "t.csv").write_text("said,y\nhello,1\n")
    with pytest.raises(DataError, match="the table has no column 'text'; its columns: 'said'"):
        prepare(DataSpec(source="t.csv", target="y", text={"column": "text"}), seed=0, base=tmp_path)
