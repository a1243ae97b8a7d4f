"""Takes into the site what pages link to outside docs/: code and studies as they are, other pages as pages."""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"(?<=\]\()(?!\w+:|#|/)([^)\s#]+)")


def on_files(files: Files, config: Any) -> Files:
    """Add every file that is linked to, and what those link to in turn."""
    waiting = [Path(file.abs_src_path) for file in files.documentation_pages() if file.abs_src_path]
    seen = set(waiting)
    while waiting:
        page = waiting.pop()
        for target in linked(page.read_text(encoding="utf-8"), page.parent):
            if target in seen or not target.is_file():
                continue
            seen.add(target)
            if not target.is_relative_to(DOCS):
                files.append(File.generated(config, place(target), abs_src_path=str(target)))
            if target.suffix == ".md":
                waiting.append(target)
    return files


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:  # noqa: ARG001 - mkdocs' signature
    """Point links to where their targets stand in the site; a directory has no page, and stays a name."""
    source = Path(str(page.file.abs_src_path))

    def moved(link: re.Match[str]) -> str:
        target = (source.parent / link[1]).resolve()
        if not target.is_file():
            return link[1]
        return os.path.relpath(place(target), PurePosixPath(place(source)).parent)

    return LINK.sub(moved, re.sub(r"\[([^\]]+)\]\((?!\w+:)[^)\s]+/\)", r"\1", markdown))


def linked(text: str, base: Path) -> set[Path]:
    """The files that a page links to, as paths."""
    return {(base / link).resolve() for link in LINK.findall(text)}


def place(path: Path) -> str:
    """Where a file of the repository stands in the site."""
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    return (Path("repository") / path.relative_to(ROOT)).as_posix()
