"""The reference page and the studies that come along."""

import subprocess
import sys
from pathlib import Path

import pytest

from hpsearch.spec import load_study, parse_study
from hpsearch.spec.reference import reference
from hpsearch.spec.registry import REGISTRY
from hpsearch.spec.samplers import METHODS
from hpsearch.spec.section import Section

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "studies").glob("*.yaml"))


def test_the_page_is_up_to_date():
    """Renew it with `make docs`."""
    assert (ROOT / "docs" / "study-file.md").read_text(encoding="utf-8") == reference()


def test_every_key_every_hyperparameter_and_every_option_is_on_the_page():
    page = reference()
    keys = {key for section in Section.__subclasses__() for key in section.model_fields} - {"options"}
    names = (
        keys
        | REGISTRY.keys()
        | METHODS.keys()
        | {key for method in METHODS.values() for key in method.options}
    )
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_the_examples_on_the_page_are_valid():
    """Each is a study, or a part of one."""
    blocks = [block.partition("```")[0] for block in reference().split("```yaml\n")[1:]]
    assert len(blocks) >= 4
    for block in blocks:
        head = "" if block.startswith("study:") else "study: s\ndata: {source: sklearn/iris}\n"
        parse_study(head + block)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_that_comes_along_is_valid(path):
    spec = load_study(path)
    assert parse_study(spec.to_yaml(), base=spec.base) == spec


def test_reading_a_study_imports_no_numpy_pandas_or_optuna():
    code = (
        "import sys; from hpsearch.spec import parse_study;"
        "parse_study('study: s\\ndata: {source: sklearn/iris}');"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'pandas', 'optuna', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
