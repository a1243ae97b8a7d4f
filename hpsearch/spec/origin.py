"""Where what is found wrong with a study gets its line."""

from collections.abc import Callable
from dataclasses import dataclass

from hpsearch.errors import Problem
from hpsearch.spec.document import PROGRAM
from hpsearch.spec.findings import Finding


def nowhere(finding: Finding) -> Problem:
    """A finding on a study that no file wrote."""
    key = ".".join(map(str, finding.path))
    return Problem(place=PROGRAM, key=key, rule=finding.rule, remedy=finding.remedy)


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Gives findings their lines. All origins are equal: where a study was written is no part of what it says."""

    problem: Callable[[Finding], Problem] = nowhere

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origin)

    def __hash__(self) -> int:
        return 0
