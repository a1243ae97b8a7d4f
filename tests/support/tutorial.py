"""The tutorial's commands, run for real: `python -m tests.support.tutorial` writes their output into docs/tutorial.md.

The page itself says what is run. In a directory of its own for each walk (a heading of the second level): blocks of
`console` hold command lines behind `$ `, and their output; blocks of `python` one script, cut where something is to be
seen, with what it shows in a block of `text`; a block of `yaml` that begins with `# NAME.yaml` is that file.
"""

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"```(console|python|text|yaml)\n(.*?)```\n", flags=re.DOTALL)
_BETWEEN = "----- next block -----"
_SHOW = """
import json, sys
for code, last in json.loads(sys.stdin.read()):
    exec(code, globals())
    if last:
        print(eval(last, globals()))
    print(BETWEEN, flush=True)
"""


def commands(text):
    """The command lines of a block of `console`."""
    return [line[2:] for line in text.splitlines() if line.startswith("$ ")]


def walks(page):
    """The walks of a page, each with its heading; what stands before the first is one too."""
    return re.split(r"(?m)^(?=## )", page)


def walked(walk):
    """One walk with what its commands say now."""
    with tempfile.TemporaryDirectory(prefix="walk-") as name:
        directory = Path(name).resolve()
        walk = _without_shown(walk)
        shown = iter(_python(directory, [text for kind, text in BLOCK.findall(walk) if kind == "python"]))

        def run(block):
            kind, text = block[1], block[2]
            if kind == "yaml" and (file := re.match(r"# (\S+\.yaml)\n", text)):
                (directory / file[1]).write_text(text)
            if kind == "console":
                said = "".join(f"$ {each}\n{_typed(each, directory)}" for each in commands(text))
                return f"```console\n{said}```\n"
            if kind == "python" and (output := next(shown)):
                return f"{block[0]}\n```text\n{output}```\n"
            return block[0]

        return BLOCK.sub(run, walk)


def _without_shown(walk):
    """A walk without the output of its Python blocks."""
    return re.sub(r"\n```text\n.*?```\n", "", walk, flags=re.DOTALL)


def _environment(directory):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {"COLUMNS": "110", "HOME": str(directory), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("HPSEARCH_", "MLFLOW_"))
    }
    return kept | settings | {"PATH": path}


def _typed(command, directory):
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
        env=_environment(directory),
    )
    failed = f"[exit code {done.returncode}]\n" if done.returncode else ""
    return _plain(done.stdout, directory) + failed


def _python(directory, blocks):
    """What each block shows, as one script: what it prints, and the value of its last line."""
    if not blocks:
        return []
    cut = []
    for block in blocks:
        *body, last = ast.parse(block).body
        shows = isinstance(last, ast.Expr)
        code = ast.unparse(ast.Module(body if shows else [*body, last], []))
        cut.append((code, ast.unparse(last.value) if shows else ""))
    done = subprocess.run(
        [sys.executable, "-c", _SHOW.replace("BETWEEN", repr(_BETWEEN))],
        input=json.dumps(cut),
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        env=_environment(directory),
    )
    assert done.returncode == 0, done.stderr
    return [_plain(part.lstrip("\n"), directory) for part in done.stdout.split(_BETWEEN)[:-1]]


def _plain(output, directory):
    """Without what differs from one time to the next: places, the clock, numbers of processes; no blanks at ends."""
    output = output.replace(str(directory), "/home/you").replace(sys.executable, "/home/you/.venv/bin/python")
    output = re.sub(r"schema=\S+study\.schema\.json", "schema=study.schema.json", output)
    output = re.sub(r"(?m)^\d\d:\d\d:\d\d ", "12:00:00 ", output)
    output = re.sub(r"(pid|process) \d+", r"\1 4321", output)
    return "".join(f"{line.rstrip()}\n" for line in output.splitlines())


def likeness(page):
    """What must be the same each time: all but numbers, and what is aligned or drawn by them."""
    masked = re.sub(r"[▁▂▃▄▅▆▇█]+", "~", page)
    masked = re.sub(r"[-+]?\d[\d,.]*(e[-+]?\d+)?", "N", masked)
    masked = re.sub(r"N [a-z_ ]+(, N [a-z_ ]+)+", "~", masked)  # how trials ended, when some were stopped
    return [re.sub(r"\s+", " ", line).strip() for line in masked.splitlines()]


def main():
    """Write the page; of a word, only the walks that have it in their heading."""
    word = "".join(sys.argv[1:])
    parts = walks(PAGE.read_text(encoding="utf-8"))
    parts = [walked(walk) if word in walk.partition("\n")[0] else walk for walk in parts]
    PAGE.write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
