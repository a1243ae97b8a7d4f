"""Seeded damage to files: their bytes, their structure, the types and the sizes of what they hold."""

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from hpsearch.spec.yaml_text import dump

TOKENS = [
    *(
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        "- ",
        "\n",
        "\t",
        "  ",
        "&a ",
        "*a",
        "<<: *a",
        "!!python/object/apply:os.system ",
    ),
    *(
        "!x ",
        "'",
        '"',
        "$",
        "$widths",
        "#",
        "|\n",
        ">\n",
        "? ",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "\x00",
        "\x85",
        "\ufeff",
    ),
    *(
        "null",
        "~",
        "yes",
        "1e999",
        "-1",
        "0x7f",
        ".nan",
        "-.inf",
        "1_000",
        "12:30:45",
        "2024-01-01",
        "9" * 40,
        "ä",
        "\U0001d6fc",
    ),
]
VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2,
        3,
        1e-9,
        0.5,
        1e38,
        1e308,
        float("inf"),
        float("nan"),
        10**25,
        2**31,
        2**63,
    ),
    *(
        "",
        " ",
        "a",
        "auto",
        "none",
        "1",
        "1e-4",
        "$width",
        "$",
        "../../etc/passwd",
        "/dev/zero",
        "~root",
        "a\nb",
        "\u202e",
    ),
    *(
        [],
        {},
        [[]],
        [{}],
        [None],
        [1, "a"],
        [0, 0],
        {"min": 1},
        {"min": 2, "max": 1},
        {"min": 0, "max": 1, "log": True},
    ),
    *(
        {"": ""},
        {"when": {"optimizer": "adam"}},
        ["a", "b"],
        [64] * 30,
        "x" * 5000,
        {"values": [1, 2]},
        [1, 2, 3, 4],
    ),
]
"""What stands for a value anywhere in a study file: each kind, its limits, and what people mistake for it."""


def mutate_bytes(content: bytes, chance: random.Random, others: Sequence[bytes], times: int = 4) -> bytes:
    """Cut, double, flip, insert, overwrite, splice: a few places of a file."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, times)):
        start = chance.randint(0, len(changed))
        end = min(len(changed), start + chance.choice((1, 1, 2, 4, 8, 64, 1024)))
        kind = chance.randrange(8)
        if kind == 0:
            del changed[start:end]
        elif kind == 1:
            changed[start:start] = changed[start:end] * chance.choice((1, 2, 50))
        elif kind == 2 and start < len(changed):
            changed[start] ^= 1 << chance.randrange(8)
        elif kind == 3:
            changed[start:end] = chance.choice(TOKENS).encode()
        elif kind == 4:
            changed[start:end] = chance.randbytes(end - start)
        elif kind == 5:
            changed[start:end] = chance.choice((b"\x00", b"\xff", b"\x7f", b"\x80")) * (end - start)
        elif kind == 6:
            other = chance.choice(others)
            cut = chance.randint(0, len(other))
            changed[start:end] = other[cut : cut + chance.choice((8, 64, 512))]
        else:
            del changed[start:]
    return bytes(changed)


def mutate_structure(tree: Any, chance: random.Random) -> Any:
    """Replace, remove, rename, move or double something anywhere in nested plain values."""
    tree = copy.deepcopy(tree)
    for _ in range(chance.randint(1, 4)):
        node, key = _somewhere(tree, chance)
        if node is None:
            return chance.choice(VALUES)
        kind = chance.randrange(6)
        if kind <= 2:
            node[key] = copy.deepcopy(chance.choice(VALUES))
        elif kind == 3:
            del node[key]
        elif kind == 4:
            other, name = _somewhere(tree, chance)
            if other is not None:
                node[key] = copy.deepcopy(other[name])
        elif isinstance(node, dict):
            node[_renamed(str(key), chance)] = node.pop(key)
        else:
            node[:] = (node * chance.choice((2, 10, 300)))[:1000]
    return tree


def written(tree: Any, chance: random.Random) -> str:
    """Plain values as text: as YAML or as JSON, which YAML understands."""
    return dump(tree) if chance.random() < 0.8 else json.dumps(tree)


def any_mutation(
    texts: Sequence[bytes],
    trees: Sequence[Any],
    chance: random.Random,
    bombs: Sequence[Callable[[], bytes]] = (),
) -> bytes:
    """One damaged study file."""
    if bombs and chance.random() < 0.002:
        return chance.choice(bombs)()
    if chance.random() < 0.5:
        return mutate_bytes(chance.choice(texts), chance, texts)
    return written(mutate_structure(chance.choice(trees), chance), chance).encode("utf-8", "surrogatepass")


def _somewhere(tree: Any, chance: random.Random) -> tuple[Any, Any]:
    """A container and one of its keys, none at depth zero more likely than deeper ones."""
    places = list(_places(tree))
    return chance.choice(places) if places else (None, None)


def _places(node: Any) -> Any:
    if isinstance(node, dict):
        items = list(node.items())
    elif isinstance(node, list):
        items = list(enumerate(node))
    else:
        return
    for key, inner in items[:200]:
        yield node, key
        yield from _places(inner)


def _renamed(key: str, chance: random.Random) -> str:
    at = chance.randint(0, len(key))
    return chance.choice((key.upper(), key[:at] + key[at + 1 :], key[:at] + "x" + key[at:], "", key + " "))
