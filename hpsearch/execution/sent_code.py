"""Code of one's own on the workers of a cluster, which do not see the driver's files: its modules go there as text.

An installed package does not go there: a worker must have it, with the driver's source.
"""

import hashlib
import importlib
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Final

from hpsearch.errors import InputError
from hpsearch.execution.cohorts import CohortTask
from hpsearch.extensions import Extension

_SITES: Final = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCode:
    """A study's trainer and metrics as they go to workers.

    Attributes:
        files: the text of modules that are not installed, by their path below the directory of their import.
        sources: the digest of each extension's source, by its reference.
        loose: the references of those whose modules are among the files.
    """

    files: Mapping[str, bytes] = field(repr=False)
    sources: Mapping[str, str | None]
    loose: frozenset[str]

    @classmethod
    def of(cls, extensions: Iterable[Extension]) -> "SentCode":
        """What the driver has of each, with the modules that its module imports from the same directory."""
        files: dict[str, bytes] = {}
        sources, loose = {}, set()
        for extension in extensions:
            sources[extension.reference] = extension.provenance()["source"]
            if (root := _root(extension)) is not None:
                files |= _modules(extension.module, root)
                loose.add(extension.reference)
        return cls(files=files, sources=sources, loose=frozenset(loose))

    def unpacked(self, below: Path) -> str:
        """The directory, named by its content, into which this has written the files; they are imported from there.

        What this process has imported of other files under the same names is imported no more.
        """
        content = repr(sorted(self.files.items())).encode()
        place = below / f"hpsearch-code-{hashlib.sha256(content).hexdigest()[:16]}"
        for path, text in self.files.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(text)
        tops = {Path(path).parts[0].removesuffix(".py") for path in self.files}
        for name in [name for name in sys.modules if name.partition(".")[0] in tops]:
            if not _is_within(name, place):
                del sys.modules[name]
        sys.path[:] = [str(place), *(entry for entry in sys.path if entry != str(place))]
        importlib.invalidate_caches()
        return str(place)

    def check(self, extensions: Sequence[Extension]) -> None:
        """Import each, and hold its source against the driver's.

        Raises:
            InputError: one is not there, or is another.
        """
        for extension in extensions:
            if extension.provenance()["source"] != self.sources[extension.reference]:
                version = f" ({extension.version} in the driver)" if extension.version else ""
                raise InputError(f"{extension.name} has another source than the driver's{version}")

    def here(self, extension: Extension, place: str | None) -> Extension:
        """The extension as it is found in this process, with the files in `place`."""
        return replace(extension, directory=place) if extension.reference in self.loose else extension


def task_here(task: CohortTask, code: SentCode, place: str | None) -> CohortTask:
    """The task with code of one's own as it is found in this process."""
    trainer = None if task.trainer is None else code.here(task.trainer, place)
    metrics = tuple(replace(metric, extension=code.here(metric.extension, place)) for metric in task.metrics)
    return replace(task, trainer=trainer, metrics=metrics)


def _root(extension: Extension) -> Path | None:
    """The directory that its module's import began in; None of what is installed, or has no file."""
    file = getattr(sys.modules.get(extension.module), "__file__", None)
    if file is None or extension.version is not None or _is_installed(Path(file).absolute()):
        return None
    depth = extension.module.count(".") + (Path(file).name == "__init__.py")
    return Path(file).absolute().parents[depth]


def _is_installed(file: Path) -> bool:
    return bool(_SITES & set(file.parts)) or Path(sysconfig.get_paths()["stdlib"]) in file.parents


def _modules(module: str, root: Path) -> dict[str, bytes]:
    """The text of a module and of all that it imports, now or later, from the same directory."""
    finder = ModuleFinder(path=[str(root)], excludes=["hpsearch", *sys.stdlib_module_names])
    with suppress(ImportError):  # it knows no package without __init__.py
        finder.import_hook(module)
    names = [getattr(found, "__file__", None) for found in finder.modules.values()]
    files = {Path(name) for name in [sys.modules[module].__file__, *names] if name is not None}
    return {str(file.relative_to(root)): file.read_bytes() for file in files if file.suffix == ".py"}


def _is_within(module: str, place: Path) -> bool:
    file = getattr(sys.modules[module], "__file__", None)
    return file is not None and place in Path(file).parents
