"""The tutorial: its commands exist, and say what the page shows."""

import shlex

import pytest

from tests.support.commands import check_command
from tests.support.tutorial import BLOCK, PAGE, commands, likeness, walked, walks

WALKS = walks(PAGE.read_text(encoding="utf-8"))[1:]


def heading(walk):
    return walk.partition("\n")[0].removeprefix("## ")


def test_there_are_the_walks_of_three_newcomers_and_one_to_a_cause():
    assert len(WALKS) == 4
    assert [
        name
        for name in ("table", "notebook", "operates", "overfit")
        if name not in " ".join(map(heading, WALKS))
    ] == []


@pytest.mark.parametrize("walk", WALKS, ids=heading)
def test_commands_of_the_tutorial_exist_and_show_something(walk):
    """Each hpsearch command line is parsed by its verb; every block has been recorded."""
    for kind, text in BLOCK.findall(walk):
        if kind == "console":
            assert any(not line.startswith("$ ") for line in text.splitlines()), text
            for line in commands(text):
                typed = line.partition(" | ")[0].removesuffix(" 2>&1")
                if typed.startswith("hpsearch "):
                    check_command(shlex.split(typed))


@pytest.mark.slow
@pytest.mark.parametrize("walk", WALKS, ids=heading)
def test_the_tutorial_says_what_its_commands_say(walk):
    """All but numbers, and what is drawn by them; `python -m tests.support.tutorial` renews the page."""
    assert likeness(walked(walk)) == likeness(walk)
