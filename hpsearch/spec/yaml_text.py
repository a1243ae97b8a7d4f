"""YAML by its core schema (1.2): text to nodes whose lines are known, scalars to values, values to text.

PyYAML's own reading (1.1) is not used for values: `1e-4` is a number here, `no`, `on` and `2024-01-01` are
text, and a duplicate key is an error.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import yaml
from yaml import YAMLError
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from hpsearch.errors import Problem, SpecError

MOST_NODES: Final = 100_000

_PLAIN: Final = "plain"
_QUOTED: Final = "quoted"

_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBERS: Final[tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...]] = (
    (re.compile(r"[-+]?[0-9]{1,30}"), int),
    (re.compile(r"0x[0-9a-fA-F]{1,24}|0o[0-7]{1,30}"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", "", 1))),
)


class _Resolver(BaseResolver):
    """Tells only whether a scalar was written plain: what it means is decided by `scalar`."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:  # noqa: ARG002 - PyYAML's signature
        if kind is ScalarNode:
            return _PLAIN if implicit[0] else _QUOTED
        return _QUOTED


class TooManyNodesError(YAMLError):
    """A text has more nodes than anybody writes; `line` (from 0) is where the first one too many stands."""

    def __init__(self, line: int) -> None:
        super().__init__(f"more than {MOST_NODES} nodes")
        self.line = line


class _Loader(Reader, Scanner, Parser, Composer, _Resolver):
    def __init__(self, text: str) -> None:
        self._nodes = 0
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _Resolver.__init__(self)

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise TooManyNodesError(self.peek_event().start_mark.line)  # type: ignore[no-untyped-call]
        node: Node | None = super().compose_node(parent, index)
        return node


def documents(text: str) -> Iterator[Node | None]:
    """The documents of a YAML text, as nodes; None for an empty one.

    Raises:
        yaml.YAMLError: the text is not YAML, or has more than `MOST_NODES` nodes.
        RecursionError: it is nested too deeply.
    """
    loader = _Loader(text)
    while loader.check_node():
        yield loader.get_node()


def value_of(node: ScalarNode) -> str | int | float | bool | None:
    """What a scalar means."""
    return scalar(node.value) if node.tag == _PLAIN else str(node.value)


def is_tagged(node: Node) -> bool:
    """Whether a node carries a tag of its own (`!!python/object`, `!x`)."""
    return node.tag not in (_PLAIN, _QUOTED)


def scalar(text: str) -> str | int | float | bool | None:
    """A plain scalar by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    return next((read(text) for pattern, read in _NUMBERS if pattern.fullmatch(text)), text)


class _Dumper(yaml.SafeDumper):
    """Quotes every text that would be read back as something else."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _represent_text(dumper: _Dumper, text: str) -> Node:
    style = None if isinstance(scalar(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_other(dumper: _Dumper, value: object) -> Node:
    """What programs hold in place of plain values: numbers and arrays of NumPy, paths, ranges, read-only mappings."""
    if hasattr(value, "tolist"):
        return dumper.represent_data(value.tolist())
    if isinstance(value, os.PathLike):
        return dumper.represent_data(os.fspath(value))
    if isinstance(value, Mapping):
        return dumper.represent_data(dict(value))
    if isinstance(value, Sequence):
        return dumper.represent_data(list(value))
    rule = f"cannot hold a value of type {type(value).__name__}: {value!r:.60}"
    raise SpecError(
        Problem(place="the study", rule=rule, remedy="write numbers, texts, lists and dictionaries")
    )


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(set, _represent_other)
_Dumper.add_multi_representer(object, _represent_other)


def dump(value: Any) -> str:
    """Plain values as YAML; the innermost mappings and lists in one line each.

    Raises:
        SpecError: there is a value that YAML's core schema has not.
    """
    return yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110
    )


__all__ = [
    "MOST_NODES",
    "MappingNode",
    "Node",
    "ScalarNode",
    "SequenceNode",
    "TooManyNodesError",
    "documents",
    "dump",
    "is_tagged",
    "scalar",
    "value_of",
]
