"""What the documents say is true: their studies are valid, their commands exist, their links lead somewhere."""

import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from click import MissingParameter

from hpsearch.cli import cli as command_line
from hpsearch.spec import load_study, parse_study
from tests.support.commands import check_command
from tests.support.documents import blocks, make, run_python_of, studies
from tests.support.studies import run_quick

ROOT = Path(__file__).parent.parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
STUDIES = sorted((ROOT / "studies").glob("*.yaml"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_studies_in_documents_are_valid(page):
    """A block that names a study is read whole; a piece of one is read into a study that has the rest."""
    for whole in studies(page):
        assert parse_study(whole).study


OTHERS = ("operations.md", "extending.md", "tutorial.md")
"""Pages whose pieces name servers, or what tests of their own write."""
BY_MLFLOW = re.compile(r"image:|sequence:|window:|[.]ts|kind: image|pets")
"""Models of other inputs than tables and texts are logged by MLflow itself, which takes seconds."""
TRAINED = [
    pytest.param(
        text,
        id=f"{page.stem} {number}",
        marks=[pytest.mark.slow] if BY_MLFLOW.search(text) else [],
    )
    for page in PAGES
    if page.name not in OTHERS
    for number, text in enumerate(studies(page), 1)
]
LEAST = {"budget__trials": 1, "space__epochs": 1, "space__batch_size": 32}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files that the studies name, and the study from whose weights one of them begins."""
    base = tmp_path_factory.mktemp("documents")
    make(base)
    run_python_of(ROOT / "docs" / "data-preparation.md", base)
    run_quick(base, "study: digits\ndata: {source: sklearn/digits}", **LEAST)
    return base


@pytest.mark.parametrize("text", TRAINED)
def test_studies_in_documents_train(files, text):
    """One trial of one epoch and the refitted winner, which scores on the test part and is saved."""
    result, watcher = run_quick(files, text, base=files, fresh=True, **LEAST)
    assert [fact.state for fact in watcher.facts] == ["complete"]
    assert all(np.isfinite(score["value"]) for score in result.result["test"].values())


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_studies_that_come_along_are_valid(path):
    """And named as their file is."""
    assert load_study(path).study == path.stem


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_documents_exist(page):
    """Every `hpsearch VERB` is a verb that has the options shown, every `make TARGET` a target."""
    text = page.read_text()
    for verb in re.findall(r"(?:^    |`)hpsearch ([a-z]+)", text, flags=re.MULTILINE):
        assert command_line.get_command(None, verb) is not None, verb
    shown = re.findall(r"^    (hpsearch [a-z]+ (?!\[OPTIONS)[^\n]+)", text, re.MULTILINE)
    for line in shown + re.findall(r"`(hpsearch [a-z]+ [^`\n]+)`", text):
        words = shlex.split(re.split(r" (?:\||>>?|&&) ", line)[0], comments=True)
        with suppress(MissingParameter):  # a sentence may name options alone
            check_command(words)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    for target in re.findall(r"(?:^    |`)make ([a-z-]+)", text, flags=re.MULTILINE):
        assert target in targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_in_documents_lead_somewhere(page):
    """Files that are linked are there."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
        assert (page.parent / link).exists(), link


def test_the_python_example_of_the_readme_runs(tmp_path):
    """As it stands, after a run of the study that it names."""
    (tmp_path / "digits.yaml").write_text(
        "study: digits\ndata: {source: sklearn/digits}\nspace: {epochs: 2, learning_rate: 0.01}\nbudget: {trials: 1}\n"
    )
    run = [sys.executable, "-m", "hpsearch", "run", "digits.yaml", "--workers", "1"]
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
    (example,) = blocks(ROOT / "README.md", "python")
    inputs = "from sklearn.datasets import load_digits\ninputs = load_digits().data\n"
    code = f"{inputs}{example}\nassert len(labels) == 1797 and best.learning_rate"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize("verb", ["run", "validate", "trials", "best", "ui", "sync"])
def test_every_verb_explains_itself(verb):
    """`--help` works, ends with exit code 0 and says what the verb is for."""
    done = subprocess.run(
        [sys.executable, "-m", "hpsearch", verb, "--help"], capture_output=True, text=True, check=True
    )
    assert f"Usage: hpsearch {verb}" in done.stdout
