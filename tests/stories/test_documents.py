"""What the documents say is true: their studies are valid, their commands exist, their links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hpsearch.cli import cli as command_line
from hpsearch.spec import load_study, parse_study

ROOT = Path(__file__).parent.parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
STUDIES = sorted((ROOT / "studies").glob("*.yaml"))


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_studies_in_documents_are_valid(page):
    """A block that names a study is read whole; a piece of one is read into a study that has the rest."""
    for block in blocks(page, "yaml"):
        piece = yaml.safe_load(block)
        head = "" if "data" in piece else "data: {source: sklearn/digits}\n"
        whole = block if "study" in piece else f"study: x\n{head}{block}"
        assert parse_study(whole).study


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_studies_that_come_along_are_valid(path):
    """And named as their file is."""
    assert load_study(path).study == path.stem


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_documents_exist(page):
    """Every `hpsearch VERB` is a verb, every `make TARGET` a target."""
    text = page.read_text()
    for verb in re.findall(r"(?:^    |`)hpsearch ([a-z]+)", text, flags=re.MULTILINE):
        assert command_line.get_command(None, verb) is not None, verb
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
