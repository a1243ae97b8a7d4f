"""Texts as a kind of inputs: token numbers, from a vocabulary that the training part gives."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.columns import texts
from hpsearch.data.fingerprint import fingerprint
from hpsearch.data.kinds import examples_of
from hpsearch.data.prepared import EmbeddedColumn
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    from hpsearch.data.raw import Findings
    from hpsearch.data.splits import Split
    from hpsearch.spec import DataSpec

PADDING: Final = 0
UNKNOWN: Final = 1
_FIRST: Final = 2
_WORD: Final = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")


@dataclass(frozen=True, slots=True, eq=False)
class TextInputs:
    """A column of texts, None where missing."""

    column: "pd.Series[Any]"

    @property
    def columns(self) -> int:
        """One column."""
        return 1

    def __len__(self) -> int:
        return len(self.column)

    def take(self, rows: NDArray[np.int64]) -> "TextInputs":
        """These texts."""
        return TextInputs(self.column.iloc[rows])

    def identity(self, targets: pd.DataFrame) -> str:
        """See `fingerprint`."""
        return fingerprint(self.column.to_frame(), targets)

    def check(self, findings: "Findings") -> None:
        """A count of missing texts."""
        missing = int(pd.isna(texts(self.column)).sum())
        if missing == len(self):
            findings.problem("holds no text", key=f"column {str(self.column.name)!r}")
        elif missing:
            findings.warn(f"{missing} of {len(self)} texts are missing, and count as empty")

    def check_parts(self, split: "Split", findings: "Findings") -> None:
        """A training part without a text."""
        if pd.isna(texts(self.column.iloc[split.train])).all():
            findings.problem("holds no text in the training part", key=f"column {str(self.column.name)!r}")

    def row_codes(self) -> NDArray[np.uint64]:
        """Hashes of the texts."""
        return np.asarray(pd.util.hash_array(texts(self.column).astype(str)), dtype=np.uint64)

    def fit(self, settings: "DataSpec") -> "TextPreparer":
        """The most frequent tokens of these texts (of equally frequent ones the first in the alphabet)."""
        how = settings.text
        tokenized = [_tokens(text, how.tokens, lowercase=how.lowercase) for text in texts(self.column)]
        counts = Counter(token for tokens in tokenized for token in tokens)
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        return TextPreparer(
            column=str(self.column.name),
            tokenizer=how.tokens,
            lowercase=how.lowercase,
            vocabulary=tuple(ranked[: how.vocabulary - _FIRST]),
            steps=min(how.length, max(1, *map(len, tokenized))),
        )

    def example(self, rows: NDArray[np.int64]) -> pd.DataFrame:
        """The texts, under their column's name."""
        return self.column.iloc[rows].to_frame().reset_index(drop=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPreparer:
    """Texts to numbers: the token at position i of `vocabulary` is i + 2, any other 1, and 0 is padding."""

    column: str
    tokenizer: str
    lowercase: bool
    vocabulary: tuple[str, ...]
    steps: int

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column's name."""
        return (self.column,)

    @property
    def embedded(self) -> tuple[EmbeddedColumn, ...]:
        """Texts have no columns of categories."""
        return ()

    @property
    def tokens(self) -> int:
        """Token numbers: the vocabulary, padding and unknown."""
        return len(self.vocabulary) + _FIRST

    def prepare(self, inputs: Any) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Texts as (N, T) int32 token numbers and their lengths (N,), at least 1: an empty text is one unknown token.

        Args:
            inputs: a list or array of texts, or a table with the column of the training data.

        Raises:
            DataError: something else.
        """
        numbers = {token: i for i, token in enumerate(self.vocabulary, start=_FIRST)}
        rows = self._texts(inputs)
        x = np.zeros((len(rows), self.steps), dtype=np.int32)
        lengths = np.ones(len(rows), dtype=np.int32)
        for i, text in enumerate(rows):
            tokens = _tokens(text, self.tokenizer, lowercase=self.lowercase)[: self.steps]
            codes = [numbers.get(token, UNKNOWN) for token in tokens] or [UNKNOWN]
            x[i, : len(codes)] = codes
            lengths[i] = len(codes)
        return x, lengths

    def in_step(self, others: "Sequence[TextPreparer]") -> "TextPreparer":
        """With as many tokens of a text as the fold with the longest keeps."""
        return replace(self, steps=max(each.steps for each in others))

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        own = ("column", "tokenizer", "lowercase", "steps")
        return {
            "kind": "text",
            **{name: getattr(self, name) for name in own},
            "vocabulary": [*self.vocabulary],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "TextPreparer":
        """The preparer that `to_json` described."""
        own = ("column", "tokenizer", "lowercase", "steps")
        return cls(vocabulary=tuple(stored["vocabulary"]), **{name: stored[name] for name in own})

    def _texts(self, inputs: Any) -> list[str | None]:
        if isinstance(inputs, TextInputs):
            return list(texts(inputs.column))
        if isinstance(inputs, pd.DataFrame) and self.column in inputs.columns:
            return list(texts(inputs[self.column]))
        given = examples_of(inputs)
        if isinstance(given, str | pd.DataFrame) or not hasattr(given, "__iter__"):
            raise DataError(
                Problem(place="inputs", rule="must be a list of texts", remedy="wrap a text as [text]")
            )
        rows = [None if _is_missing(text) else text for text in given]
        wrong = next((text for text in rows if not isinstance(text, str | None)), None)
        if wrong is not None:
            raise DataError(Problem(place="inputs", rule=f"must be texts, got {wrong!r}"))
        return rows


def _is_missing(text: Any) -> bool:
    return text is None or text is pd.NA or (isinstance(text, float) and np.isnan(text))


def _tokens(text: str | None, how: str, *, lowercase: bool) -> list[str]:
    """Words and single punctuation marks, or characters."""
    if text is None:
        return []
    text = text.lower() if lowercase else text
    return list(text) if how == "characters" else _WORD.findall(text)
