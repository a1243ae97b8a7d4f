"""A study file as plain values, with the place of each: its line, or the `-S` option that gave it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from yaml import MarkedYAMLError, YAMLError
from yaml.reader import ReaderError

from hpsearch.errors import Problem, SpecError
from hpsearch.spec.findings import Finding, KeyPath
from hpsearch.spec.yaml_text import (
    MOST_NODES,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    TooManyNodesError,
    documents,
    is_tagged,
    value_of,
)

OPTION: Final = "-S "
"""How the place of an override begins."""

PROGRAM: Final = "the study"
"""The place of what a program hands over as a dictionary."""

PARAMETERS: Final = "the parameters"
"""The place of what an estimator was given."""

_LINELESS: Final = (PROGRAM, PARAMETERS)
_DEEPEST: Final = 100

_SYNTAX_REMEDIES: Final = (
    ("'\\t'", "indent with spaces: YAML allows no tabs there"),
    ("mapping values are not allowed", "check the indentation, and quote text that holds ': '"),
    ("expected <block end>", "check the indentation, and that brackets come in pairs"),
    ("could not find expected ':'", "a key needs ': ' behind it"),
    ("unexpected end of stream", "a quote, bracket or brace is not closed"),
    ("expected the node content", "a value is missing, or a bracket or brace is not closed"),
    ("expected ',' or", "a bracket or brace is not closed, or a comma is missing"),
    ("cannot start any token", "put the text in quotes"),
    ("undefined alias", "put text that starts with '*' in quotes"),
)


@dataclass(slots=True, kw_only=True)
class Document:
    """The values of a study file, and where each stands.

    `places` maps paths of keys to places; what has none of its own is where its nearest ancestor is.
    """

    name: str
    values: Any
    places: dict[KeyPath, str] = field(default_factory=dict)
    repeated: list[Problem] = field(default_factory=list)

    def place(self, path: KeyPath) -> str:
        """Where a path stands, or would."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return self.name

    def forget(self, path: KeyPath) -> None:
        """Drop the places of a path and of all below it, whose values are replaced."""
        for stale in [known for known in self.places if known[: len(path)] == path]:
            del self.places[stale]

    def lay_over(self, given: Mapping[str, Any]) -> None:
        """Set what a program gives in place of what is written; mappings go into each other."""
        if isinstance(self.values, dict):
            self.values = _merged(self.values, given)

    def actual(self, path: KeyPath) -> KeyPath:
        """A path through the sections as a path through the file, where a short form leaves keys unsaid."""
        if (
            path
            and path[0] == "objectives"
            and isinstance(self.values, dict)
            and "objectives" not in self.values
        ):
            path = ("objective", *path[2:])
        node, actual = self.values, []
        for segment in path:
            inside = isinstance(node, dict) and segment in node
            inside = inside or (isinstance(node, list) and isinstance(segment, int) and segment < len(node))
            if inside:
                node = node[segment]
            elif segment in ("value", "values", "name", "rule", "patience", "address", 0) and not isinstance(
                node, dict
            ):
                continue
            actual.append(segment)
        return tuple(actual)

    def problem(self, finding: Finding) -> Problem:
        """A finding with its place in this file. An index at the end chooses the line and is not shown."""
        path = self.actual(finding.path)
        key = path[:-1] if path and isinstance(path[-1], int) else path
        return Problem(
            place=self.place(path), key=".".join(map(str, key)), rule=finding.rule, remedy=finding.remedy
        )


def _merged(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in given.items():
        there = values.get(key)
        if isinstance(value, Mapping):
            merged[key] = _merged(there if isinstance(there, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def _at(name: str, line: int) -> str:
    """The place of a line, counted from 0, in a file; options, and what programs hand over, have no lines."""
    return name if name.startswith(OPTION) or name in _LINELESS else f"{name}:{line + 1}"


def by_line(problem: Problem) -> tuple[int, int]:
    """The order of problems: by line; what an option gave, last."""
    if problem.place.startswith(OPTION):
        return 1, 0
    number = problem.place.rpartition(":")[2]
    return 0, int(number) if number.isdigit() else 0


def read_document(text: str, name: str) -> Document:
    """The one document of a YAML text. Duplicate keys are kept as problems; the last one counts.

    Raises:
        SpecError: the text is not YAML, not one document, or not a mapping.
    """
    text = text.removeprefix("\ufeff")
    node = _only_document(text, name)
    if node is None:
        remedy = "the smallest study says `study: NAME` and `data: {source: sklearn/digits}`"
        raise SpecError(Problem(place=name, rule="is empty", remedy=remedy))
    document = Document(name=name, values=None)
    document.values = _Values(document).convert(node, (), [])
    if not isinstance(document.values, dict):
        problem = Problem(
            place=document.place(()),
            rule="must be a mapping of keys to values",
            remedy="begin with `study: NAME` and `data: {source: ...}`",
        )
        raise SpecError(problem)
    return document


def read_value(text: str, place: str) -> Any:
    """A value as an option gives it, read as YAML; nothing at all is null.

    Raises:
        SpecError: it is not YAML.
    """
    node = _only_document(text, place)
    if node is None:
        return None
    document = Document(name=place, values=None)
    value = _Values(document).convert(node, (), [])
    if document.repeated:
        raise SpecError(document.repeated)
    return value


def _only_document(text: str, name: str) -> Node | None:
    try:
        nodes = [node for _, node in zip(range(2), documents(text), strict=False)]
    except TooManyNodesError as error:
        raise SpecError(_too_many(_at(name, error.line))) from None
    except YAMLError as error:
        raise SpecError(_syntax(error, text, name)) from None
    except RecursionError:
        raise SpecError(Problem(place=name, rule="is nested too deeply")) from None
    if len(nodes) > 1:
        place = _at(name, nodes[1].start_mark.line) if nodes[1] else name
        raise SpecError(
            Problem(
                place=place,
                rule="holds a second document",
                remedy="keep one study a file, without `---` in it",
            )
        )
    return nodes[0] if nodes else None


def _too_many(place: str, key: str = "") -> Problem:
    return Problem(place=place, key=key, rule=f"holds more than {MOST_NODES} values", remedy="write fewer")


def _syntax(error: YAMLError, text: str, name: str) -> Problem:
    """PyYAML's complaint with its line and, for the usual slips, what to do."""
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) if isinstance(error.position, int) else 0
        return Problem(
            place=_at(name, line),
            rule=f"holds a character that YAML does not allow (#x{error.character:04x})",
            remedy="remove it",
        )
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return Problem(place=name, rule=f"is not YAML: {error}")
    mark, said = error.problem_mark, " ".join(filter(None, [error.problem, error.context]))
    remedy = next((words for sign, words in _SYNTAX_REMEDIES if sign in said), "")
    return Problem(
        place=_at(name, mark.line),
        rule=f"is not YAML at column {mark.column + 1}: {error.problem}",
        remedy=remedy,
    )


class _Values:
    """Turns nodes into plain values and notes the line of every key and item."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def convert(self, node: Node, path: KeyPath, above: Sequence[Node]) -> Any:
        self._count(node, path, above)
        self._note(path, node)
        if is_tagged(node):
            self._refuse(
                node, path, f"has the tag {node.tag}", "study files hold plain values: remove the tag"
            )
        above = [*above, node]
        if isinstance(node, MappingNode):
            return self._mapping(node, path, above)
        if isinstance(node, SequenceNode):
            return [self.convert(item, (*path, index), above) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)  # noqa: S101 - YAML has no fourth kind
        return value_of(node)

    def _mapping(self, node: MappingNode, path: KeyPath, above: Sequence[Node]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._refuse(
                    key_node, path, "has a key that is no text", "quote text that starts with '{', '[' or '?'"
                )
            key = str(key_node.value)
            if key in values:
                rule = f"duplicate key (first on line {lines[key]})"
                self._document.repeated.append(self._problem(key_node, (*path, key), rule, "keep one"))
                self._document.forget((*path, key))
            lines.setdefault(key, key_node.start_mark.line + 1)
            values[key] = self.convert(value_node, (*path, key), above)
            self._note((*path, key), key_node)
        return values

    def _count(self, node: Node, path: KeyPath, above: Sequence[Node]) -> None:
        self._nodes += 1
        if len(above) > _DEEPEST or any(node is other for other in above):
            self._refuse(node, (), "is nested too deeply", "")
        if self._nodes > MOST_NODES:  # by '*', which repeats what was written once
            raise SpecError(
                _too_many(_at(self._document.name, node.start_mark.line), ".".join(map(str, path[:1])))
            )

    def _note(self, path: KeyPath, node: Node) -> None:
        self._document.places[path] = _at(self._document.name, node.start_mark.line)

    def _refuse(self, node: Node, path: KeyPath, rule: str, remedy: str) -> None:
        raise SpecError(self._problem(node, path, rule, remedy))

    def _problem(self, node: Node, path: KeyPath, rule: str, remedy: str) -> Problem:
        place = _at(self._document.name, node.start_mark.line)
        return Problem(place=place, key=".".join(map(str, path)), rule=rule, remedy=remedy)
