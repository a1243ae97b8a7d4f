"""Code of one's own that a study names: found, imported, and told apart from other code by its source.

An installed package offers it as an entry point (group `hpsearch.trainers` and so on); `module:function` names it in a
module, which may lie beside the study file, and is imported only where the user allows it: to import is to execute.
"""

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

from hpsearch.errors import InputError, SpecError
from hpsearch.spec import StudySpec
from hpsearch.spec.code import ALLOW_VARIABLE, is_path
from hpsearch.spec.findings import KeyPath, suggestion

Kind = Literal["trainer"]


@dataclass(frozen=True, slots=True)
class Extension:
    """A function that a study names. It goes to worker processes as its reference, which they import.

    Attributes:
        name: what the study calls it.
        reference: where it is, `module:function`.
        directory: where modules are looked for as well, or None.
        version: of the package that offers it, as `package 1.2`; None of a module.
        given: the function itself, in the process that was handed it.
    """

    name: str
    reference: str
    directory: str | None = None
    version: str | None = None
    given: Callable[..., Any] | None = field(default=None, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """All but the function."""
        return Extension, (self.name, self.reference, self.directory, self.version)

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "Extension":
        """A function that a program hands over."""
        named = function if hasattr(function, "__qualname__") else type(function)
        path = named.__qualname__.rpartition("<locals>.")[2].replace("<lambda>", "lambda_")
        reference = f"{named.__module__}:{path}"
        return cls(name=reference, reference=reference, given=function)

    @property
    def function(self) -> Callable[..., Any]:
        """The function itself, imported where it was not handed over.

        Raises:
            InputError: it cannot be imported.
        """
        return self.given or _imported(self.reference, self.directory)

    @property
    def travels(self) -> bool:
        """Whether another process can import it: not what a notebook, a script or a function defines."""
        if self.given is None:
            return True
        if self.reference.startswith("__main__:"):
            return False
        try:
            return _imported(self.reference, self.directory) is self.given
        except InputError:
            return False

    def provenance(self) -> dict[str, Any]:
        """Where it comes from: its reference, its package's version, and a digest of its source."""
        return {"reference": self.reference, "version": self.version, "source": _digest(self.function)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What code of one's own a run may use: functions handed over, and modules where that is allowed."""

    allowed: bool = False
    given: Mapping[Kind, Extension] = field(default_factory=dict)

    def trainer(self, spec: StudySpec) -> Extension | None:
        """What trains the study's trials, None where hpsearch does.

        Raises:
            SpecError: there is no such trainer, it cannot be imported, or must not be.
        """
        if spec.trainer is None:
            return None
        return self.given.get("trainer") or _found(spec, ("trainer",), spec.trainer, "trainer", self)


def provenance(trainer: Extension | None) -> dict[str, Any]:
    """What is recorded of a study's own code, by what it is."""
    return {} if trainer is None else {"trainer": trainer.provenance()}


def changed_code(attributes: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Sentences on code that is not what it was when the study's first trials were trained."""
    return [
        f"the {kind} {found['reference']} has changed since the first trials were trained: theirs may not compare with "
        "those to come (--fresh begins anew)"
        for kind, found in now.items()
        if (before := attributes.get("code", {}).get(kind)) and before["source"] != found["source"]
    ]


def check_travels(trainer: Extension | None, spec: StudySpec, workers: int) -> None:
    """Refuse a function for several processes that none of them could import.

    Raises:
        InputError: with what to do.
    """
    if trainer is None or trainer.travels or (workers == 1 and spec.cluster.address is None):
        return
    where = f"{workers} worker processes" if spec.cluster.address is None else "the workers of a cluster"
    raise InputError(
        f"the trainer {trainer.reference} cannot be imported by {where}: what a notebook, a script or a function "
        "defines is there only; put it into a module of its own, or train with workers=1"
    )


def _found(spec: StudySpec, path: KeyPath, name: str, kind: Kind, code: Code) -> Extension:
    if not is_path(name):
        return _installed(spec, path, name, kind)
    if not code.allowed:
        rule = f"{name} is code, which runs with all your rights, and this run has not been allowed to"
        remedy = f"read it, then say --allow-code (in Python allow_code=True), or set {ALLOW_VARIABLE}=1"
        raise SpecError(spec.problem(path, rule, remedy))
    extension = Extension(name=name, reference=name, directory=str(spec.base.absolute()))
    return _checked(spec, path, extension)


def _installed(spec: StudySpec, path: KeyPath, name: str, kind: Kind) -> Extension:
    """What an installed package offers under a name."""
    group = f"hpsearch.{kind}s"
    offered: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=group)}
    if name not in offered:
        there = (
            f"installed are {', '.join(sorted(offered))}" if offered else f"no package offers any in {group}"
        )
        remedy = suggestion(name, list(offered), otherwise=f"{there}; one in a module is `module:function`")
        raise SpecError(spec.problem(path, f"no installed {kind} has the name {name}", remedy))
    point = offered[name]
    version = f"{point.dist.name} {point.dist.version}" if point.dist is not None else None
    return _checked(spec, path, Extension(name=name, reference=point.value, version=version))


def _checked(spec: StudySpec, path: KeyPath, extension: Extension) -> Extension:
    try:
        function = extension.function
    except InputError as error:
        remedy = "is the module beside the study file, installed, or on PYTHONPATH?"
        raise SpecError(spec.problem(path, str(error), remedy)) from error
    if not callable(function):
        raise SpecError(spec.problem(path, f"{extension.reference} is no function"))
    return extension


@cache
def _imported(reference: str, directory: str | None) -> Callable[..., Any]:
    """What a reference names; the directory is looked in after all places that Python knows."""
    module, _, path = reference.partition(":")
    if directory is not None and directory not in sys.path:
        sys.path.append(directory)
    try:
        found: Any = importlib.import_module(module)
        for word in path.split("."):
            found = getattr(found, word)
    except Exception as error:  # whatever the module raises
        raise InputError(f"{reference} cannot be imported ({type(error).__name__}: {error})") from error
    return found  # type: ignore[no-any-return]


def _digest(function: Callable[..., Any]) -> str | None:
    """The first 16 digits of a SHA-256 of the module's text; in a script or notebook of the function's own."""
    named = function if hasattr(function, "__qualname__") else type(function)
    try:
        if named.__module__ == "__main__":
            text = inspect.getsource(named).encode()
        else:
            text = Path(inspect.getsourcefile(named) or "").read_bytes()
    except (OSError, TypeError):
        return None
    return hashlib.sha256(text).hexdigest()[:16]
