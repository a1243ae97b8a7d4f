"""Completion by the shell, as docs/command-line.md says to turn it on."""

import pytest

from tests.support.studies import cli

TYPED = {
    "bash": {"COMP_WORDS": "hpsearch pre", "COMP_CWORD": "1"},
    "zsh": {"COMP_WORDS": "hpsearch pre", "COMP_CWORD": "1"},
    "fish": {"COMP_WORDS": "hpsearch pre", "COMP_CWORD": "pre"},
}


@pytest.mark.parametrize("shell", TYPED)
def test_verbs_are_completed_in_every_shell(tmp_path, shell):
    """The shell's own function comes from hpsearch, and asks it again with what was typed."""
    function = cli(cwd=tmp_path, env={"_HPSEARCH_COMPLETE": f"{shell}_source"})
    assert (function.returncode, f"_HPSEARCH_COMPLETE={shell}_complete" in function.stdout) == (0, True)
    asked = cli(cwd=tmp_path, env={"_HPSEARCH_COMPLETE": f"{shell}_complete", **TYPED[shell]})
    assert asked.returncode == 0
    assert {"predict", "preview"} <= set(asked.stdout.replace("plain,", "").replace("\t", "\n").split("\n"))


def test_options_are_completed(tmp_path):
    words = {"COMP_WORDS": "hpsearch run --wo", "COMP_CWORD": "2"}
    asked = cli(cwd=tmp_path, env={"_HPSEARCH_COMPLETE": "bash_complete", **words})
    assert asked.stdout.split() == ["plain,--workers"]
