"""docs/concepts.md: every idea is told briefly, and leads to code and to a study that are there."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from studies.lessons import LESSONS
from studies.page import illustrated
from studies.pictures import PICTURES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "concepts.md"
IDEAS = [
    "Neuron", "Weight", "Bias", "Activation", "Layer", "Forward propagation", "Backward propagation", "Regression",
    "Classification", "Data set and split", "One-hot", "Preprocessing", "Loss", "Gradient descent", "Epoch",
    "Batch size", "Learning rate", "Momentum", "AdaGrad", "RMSProp", "Adam", "Initial values", "Local optimum",
    "Vanishing gradient", "Overfitting", "Early stopping", "Augmentation", "Dropout", "Regularization", "Convolution",
    "Recurrence", "Transfer",
]  # fmt: skip
SECTIONS = dict(
    re.findall(r"^### (.+)\n\n((?:.|\n)*?)(?=^##|\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
)


def test_every_idea_that_a_learner_meets_is_there():
    assert list(SECTIONS) == IDEAS


@pytest.mark.parametrize("idea", IDEAS)
def test_an_idea_is_told_in_three_sentences(idea):
    told = SECTIONS[idea].partition("\n\n")[0].replace("\n", " ")
    assert len(re.findall(r"[.!?](?= [A-Z]|$)", told)) == 3, told


@pytest.mark.parametrize("idea", IDEAS)
def test_the_code_that_is_linked_exists(idea):
    """Each name can be imported from the file that its link leads to."""
    links = re.findall(r"\[`(hpsearch[\w.]+)`\]\(\.\./(hpsearch[\w/.]+)\)", SECTIONS[idea])
    assert links
    for name, path in links:
        module, _, symbol = name.rpartition(".")
        assert Path(path).with_suffix("").parts == tuple(module.split("."))
        assert hasattr(import_module(module), symbol), name


@pytest.mark.parametrize("idea", IDEAS)
def test_the_studies_that_are_named_exist(idea):
    named = re.findall(r"\[([\w-]+)\]\(studies\.md#([\w-]+)\)", SECTIONS[idea])
    assert named
    assert all(shown == anchor and anchor in LESSONS for shown, anchor in named)


@pytest.mark.parametrize("idea", IDEAS)
def test_an_idea_has_the_picture_that_a_study_drew_or_leads_to_it(idea):
    above = re.search(r"pictured \[above\]\(#([\w-]+)\)", SECTIONS[idea])
    shown = SECTIONS[above[1].capitalize()] if above else SECTIONS[idea]
    (picture,) = re.findall(r"!\[.+\]\((images/studies/[\w-]+\.png)\)", shown)
    assert (PAGE.parent / picture).is_file()


def test_pictures_are_those_that_studies_drew():
    """Renewed by `make studies`; every study that draws one has a mark, but for `digits`."""
    text = PAGE.read_text(encoding="utf-8")
    assert illustrated(text) == text
    assert set(re.findall(r"<!-- picture: ([\w-]+) -->", text)) == set(PICTURES) - {"digits"}
