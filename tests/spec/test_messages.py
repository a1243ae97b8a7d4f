"""What is said of every mistake: place, key, rule, value, remedy, word for word."""

from pathlib import Path

import pytest

from hpsearch.errors import SpecError
from hpsearch.spec import load_study, parse_study

HEAD = "study: s\ndata: {source: sklearn/iris}\n"
MISTAKES = [
    block.split("----\n")
    for block in Path(__file__).with_name("mistakes.txt").read_text(encoding="utf-8").split("====\n")[1:]
]


@pytest.mark.parametrize(("text", "said"), MISTAKES, ids=[text.splitlines()[-1] for text, _ in MISTAKES])
def test_every_problem_is_told_at_once_with_its_line(text, said):
    with pytest.raises(SpecError) as caught:
        parse_study(text.replace("...\n", HEAD, 1) if text.startswith("...\n") else text)
    assert str(caught.value) + "\n" == said


@pytest.mark.parametrize("text", ["", " \n", "# only a comment\n", "\ufeff"])
def test_an_empty_file_is_told_the_smallest_study(text):
    with pytest.raises(SpecError, match=r"^study\.yaml: is empty; the smallest study says `study: NAME`"):
        parse_study(text)


def test_a_character_that_yaml_forbids_is_named_with_its_line():
    with pytest.raises(SpecError) as caught:
        parse_study("study: s\nseed: \x07\n")
    assert str(caught.value) == "study.yaml:2: holds a character that YAML does not allow (#x0007); remove it"


def _laughs():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (_laughs(), "holds more than 100000 values"),
        ("a: " + "[" * 5000, "is nested too deeply"),
        ("a: " + "[" * 200 + "]" * 200, "is nested too deeply"),
        ("a: &a {b: *a}", "is nested too deeply"),
        ("seed: " + "9" * 10_000, "must be an integer, got inf"),
    ],
    ids=["laughs", "open", "deep", "circle", "number"],
)
def test_a_file_made_to_exhaust_the_reader_is_refused(text, rule):
    with pytest.raises(SpecError, match=rule):
        parse_study(text)


def test_aliases_repeat_a_value():
    spec = parse_study(f"{HEAD}space: {{beta1: &range {{min: 0.5, max: 0.9}}, beta2: *range}}")
    assert spec.space["beta1"] == spec.space["beta2"]


FILES = [
    (b"study: \xff\n", "FILE:1: is not UTF-8 text; save it as UTF-8"),
    ("study: s\ndata: {source: ä}\n".encode("latin-1"), "FILE:2: is not UTF-8 text; save it as UTF-8"),
    ("study: s\n".encode("utf-16"), "FILE:1: is not UTF-8 text; save it as UTF-8"),
    (b"#" * (1 << 20) + b"\n", "FILE: is larger than 1 MiB; is this a study file?"),
]


@pytest.mark.parametrize(("content", "said"), FILES, ids=["byte", "latin-1", "utf-16", "large"])
def test_a_file_that_is_no_text_is_refused(tmp_path, content, said):
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load_study(path)
    assert str(caught.value).replace(str(path), "FILE") == said


def test_a_missing_file_a_directory_and_a_path_through_a_file_are_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    for path, rule in [
        (tmp_path / "none.yaml", "there is no such file; `hpsearch init` writes a study file for your data"),
        (tmp_path, "is a directory; name the study file in it"),
        (tmp_path / "file" / "study.yaml", "cannot be read: Not a directory"),
        (tmp_path / ("x" * 300), "cannot be read: File name too long"),
    ]:
        with pytest.raises(SpecError) as caught:
            load_study(path)
        assert str(caught.value) == f"{path}: {rule}"


def test_a_file_with_a_byte_order_mark_and_windows_lines_is_read(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode())
    spec = load_study(path)
    assert (spec.study, spec.base) == ("s", tmp_path)
