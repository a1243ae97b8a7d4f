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
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from hpsearch.errors import InputError, SpecError
from hpsearch.spec.code import ALLOW_VARIABLE, is_path
from hpsearch.spec.findings import KeyPath, suggestion
from hpsearch.spec.sources import INSTALLED, is_code

if TYPE_CHECKING:
    from hpsearch.spec import StudySpec

Kind = Literal["trainer", "metric", "callback", "source"]


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
    def module(self) -> str:
        """The name of its module."""
        return self.reference.partition(":")[0]

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
class Extensions:
    """The code of one's own that a study uses: what makes its data, what trains, metrics by name, and callbacks."""

    source: Extension | None = None
    trainer: Extension | None = None
    metrics: Mapping[str, Extension] = field(default_factory=dict)
    callbacks: tuple[Extension, ...] = ()

    def named(self) -> dict[str, Extension]:
        """All that trials depend on, by the keys of the study file."""
        trainer = {} if self.trainer is None else {"trainer": self.trainer}
        return trainer | {f"metrics.{name}": metric for name, metric in self.metrics.items()}

    def provenance(self) -> dict[str, Any]:
        """Where what trials depend on comes from, as it is recorded."""
        source = {} if self.source is None else {"data.source": self.source}
        return {key: extension.provenance() for key, extension in (source | self.named()).items()}

    def changed_since(self, recorded: Mapping[str, Any]) -> list[str]:
        """Sentences on code that is not what it was when it was recorded."""
        return [
            f"{key}: {extension.name} has changed since the first trials were trained: theirs may not compare with "
            "those to come (--fresh begins anew)"
            for key, extension in self.named().items()
            if (before := recorded.get(key)) and before["source"] != extension.provenance()["source"]
        ]

    def check_travel(self, spec: "StudySpec", workers: int) -> None:
        """Refuse functions for several processes that none of them could import.

        Raises:
            InputError: with what to do.
        """
        bound = [extension.name for extension in self.named().values() if not extension.travels]
        if not bound or (workers == 1 and spec.cluster.address is None):
            return
        where = f"{workers} worker processes" if spec.cluster.address is None else "the workers of a cluster"
        raise InputError(
            f"{', '.join(bound)} cannot be imported by {where}: what a notebook, a script or a function defines is "
            "there only; put it into a module of its own, or train with workers=1"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What code of one's own a run may use: modules where that is allowed, and functions handed over.

    `given` has these by the keys of the study file, `trainer` and `metrics.NAME`; `callbacks` those of this run alone.
    """

    allowed: bool = False
    given: Mapping[str, Extension] = field(default_factory=dict)
    callbacks: tuple[Extension, ...] = ()

    def of_study(self, spec: "StudySpec") -> Extensions:
        """The code that a study names, imported.

        Raises:
            SpecError: some is not there, cannot be imported, or must not be.
        """
        trainer = None if spec.trainer is None else self._find(spec, ("trainer",), spec.trainer, "trainer")
        metrics = {
            name: self._find(spec, ("metrics", name, "function"), metric.function, "metric")
            for name, metric in spec.metrics.items()
        }
        callbacks = tuple(
            self._find(spec, ("callbacks", place), name, "callback")
            for place, name in enumerate(spec.callbacks)
        )
        source = None
        if is_code(spec.data.source):
            name = spec.data.source.removeprefix(INSTALLED)
            source = self._find(spec, ("data", "source"), name, "source")
        return Extensions(
            source=source, trainer=trainer, metrics=metrics, callbacks=(*callbacks, *self.callbacks)
        )

    def _find(self, spec: "StudySpec", path: KeyPath, name: str, kind: Kind) -> Extension:
        """What was handed over for a key, or what it names."""
        given = self.given.get(".".join(map(str, path[:2])))
        if given is not None:
            return given
        return (
            _in_module(spec, path, name, self.allowed)
            if is_path(name)
            else _installed(spec, path, name, kind)
        )


def _in_module(spec: "StudySpec", path: KeyPath, name: str, allowed: bool) -> Extension:  # noqa: FBT001
    """What a module has, which may lie beside the study file."""
    if not allowed:
        rule = f"{name} is code, which runs with all your rights, and this run has not been allowed to"
        remedy = f"read it, then say --allow-code (in Python allow_code=True), or set {ALLOW_VARIABLE}=1"
        raise SpecError(spec.problem(path, rule, remedy))
    extension = Extension(name=name, reference=name, directory=str(spec.base.absolute()))
    return _checked(spec, path, extension)


def _installed(spec: "StudySpec", path: KeyPath, name: str, kind: Kind) -> Extension:
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


def _checked(spec: "StudySpec", path: KeyPath, extension: Extension) -> Extension:
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
        _check_place(found, module, directory)
        for word in path.split("."):
            found = getattr(found, word)
    except Exception as error:  # whatever the module raises
        raise InputError(f"{reference} cannot be imported ({type(error).__name__}: {error})") from error
    return found  # type: ignore[no-any-return]


def _check_place(module: ModuleType, name: str, directory: str | None) -> None:
    """Refuse a module of the same name from elsewhere, where there is one beside the study file: it is not meant.

    Raises:
        ImportError: with both places.
    """
    beside = Path(directory or "", *name.split(".")).with_suffix(".py")
    imported = getattr(module, "__file__", None)
    if directory is None or not beside.is_file() or (imported and beside.samefile(imported)):
        return
    raise ImportError(
        f"Python knows {name} as {imported or 'a part of its own'}, not as {beside}; rename the file"
    )


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
