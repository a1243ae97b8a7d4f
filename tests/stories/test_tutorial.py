"""The tutorial: its commands exist, and say what the page shows."""

import re
import shlex

import pytest

from tests.support.clone import BEGIN, END, STEPS, measured, table
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


def test_the_time_from_a_clone_to_the_first_result_is_a_measured_one():
    """Each step of `tests.support.clone` has its seconds, by the clock and of a processor; they add up."""
    shown = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = dict(re.findall(r"^\| \**([^|*]+?)\** \| \**(\d+)\** \| \**\d+\** \|$", shown, flags=re.MULTILINE))
    *steps, total = map(int, rows.values())
    assert [*STEPS, "from a clone to the first result"] == list(rows)
    assert abs(sum(steps) - total) <= len(steps)  # each is rounded
    assert re.search(r"with \d+ cores.* takes \d+ MB", shown, flags=re.DOTALL)


@pytest.mark.slow
def test_a_clone_leads_to_a_first_result(tmp_path):
    """The README's two commands, with nothing but a Python there."""
    steps, size = measured(tmp_path)
    assert "Best: trial-" in steps[-1].said
    assert len(table(steps, size, day="today", cores=2).splitlines()) == 8


@pytest.mark.slow
@pytest.mark.parametrize("walk", WALKS, ids=heading)
def test_the_tutorial_says_what_its_commands_say(walk):
    """All but numbers, and what is drawn by them; `python -m tests.support.tutorial` renews the page."""
    assert likeness(walked(walk)) == likeness(walk)
