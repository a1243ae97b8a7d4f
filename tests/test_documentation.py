"""The documentation: generated pages are those of the code, pages have their places, no link leads nowhere."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

import hpsearch
from hpsearch.cli.reference import reference

ROOT = Path(__file__).parents[1]
SITE = ROOT / "docs" / "site" / "mkdocs.yml"


def places(entry):
    if isinstance(entry, str):
        return [entry]
    children = entry.values() if isinstance(entry, dict) else entry
    return [place for child in children for place in places(child)]


def test_the_page_of_the_command_line_is_that_of_its_verbs():
    """`make docs` renews it."""
    assert (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8") == reference()


def test_every_page_has_its_place_in_the_site():
    text = SITE.read_text(encoding="utf-8")
    there = places(yaml.safe_load(text)["nav"])
    assert sorted(there) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def test_the_site_builds_strictly(tmp_path):
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--quiet",
        "--strict",
        "-f",
        str(SITE),
        "-d",
        str(tmp_path),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    api = (tmp_path / "api.html").read_text(encoding="utf-8")
    assert [name for name in hpsearch.__all__ if f'id="hpsearch.{name}"' not in api] == []
    assert (tmp_path / "repository" / "benchmarks" / "RESULTS.html").exists()
