"""Completion by the shell, as docs/command-line.md says to turn it on: its protocol, and real shells."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.shells import Shell
from tests.support.studies import cli

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
TYPED = {
    "bash": {"COMP_WORDS": "hpsearch pre", "COMP_CWORD": "1"},
    "zsh": {"COMP_WORDS": "hpsearch pre", "COMP_CWORD": "1"},
    "fish": {"COMP_WORDS": "hpsearch pre", "COMP_CWORD": "pre"},
}
LINES = {
    "hpsearch ru\t st\t --wo\t": "hpsearch run studies --workers",
    "hpsearch show dig\t": "hpsearch show digits",
    "hpsearch compare --store other wi\t": "hpsearch compare --store other wine",
    "hpsearch predict hou\t st\t": "hpsearch predict houses~2 studies",
    "hpsearch init st\t": "hpsearch init studies",
}
"""What is typed, and the line that stands there then; without slashes, which not all shells write."""


@pytest.mark.parametrize("shell", TYPED)
def test_verbs_are_completed_in_every_shell(tmp_path, shell):
    """The shell's own function comes from hpsearch, and asks it again with what was typed."""
    function = cli(cwd=tmp_path, env={"_HPSEARCH_COMPLETE": f"{shell}_source"})
    assert (function.returncode, f"_HPSEARCH_COMPLETE={shell}_complete" in function.stdout) == (0, True)
    asked = cli(cwd=tmp_path, env={"_HPSEARCH_COMPLETE": f"{shell}_complete", **TYPED[shell]})
    assert asked.returncode == 0
    assert {"predict", "preview"} <= set(asked.stdout.replace("plain,", "").replace("\t", "\n").split("\n"))


@pytest.mark.parametrize("shell", TYPED)
def test_the_real_shell_completes_what_is_typed(tmp_path, shell):
    """Interactive, at a terminal, set up by the line of the page."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    line = re.search(rf"^(.*{shell}_source.*?) +# ~/", PAGE.read_text(encoding="utf-8"), re.MULTILINE)[1]
    for place in ("mlruns/studies/digits", "mlruns/studies/houses~2", "other/studies/wine", "studies"):
        (tmp_path / place).mkdir(parents=True)
    with Shell(shell, f"{line}\n", home=tmp_path, programs=Path(sys.executable).parent) as interactive:
        stands = {typed: interactive.line_after(typed).replace("/", "") for typed in LINES}
    assert stands == LINES
