"""From a study file to a StudySpec, or to all that is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from hpsearch.errors import Problem, SpecError
from hpsearch.spec.conduct import Pruning, Sampler
from hpsearch.spec.consistency import Parts, inconsistencies
from hpsearch.spec.dataset import DataSpec
from hpsearch.spec.document import PROGRAM, Document, by_line, read_document
from hpsearch.spec.findings import findings_of, suggestion
from hpsearch.spec.forms import parse_parameter
from hpsearch.spec.metrics import MetricSpec
from hpsearch.spec.model import ModelSpec, Objective
from hpsearch.spec.overrides import apply_overrides
from hpsearch.spec.references import is_reference
from hpsearch.spec.study import DEFAULT_SPACE, StudySpec
from hpsearch.spec.yaml_text import dump

_LARGEST: Final = 1 << 20
_S = TypeVar("_S", bound=BaseModel)


def load_study(
    path: Path,
    overrides: Sequence[str] = (),
    *,
    base: Path | None = None,
    given: Mapping[str, Any] | None = None,
) -> StudySpec:
    """The study that a file describes, whose directory is its `base` unless given; else as `parse_study`.

    Raises:
        SpecError: all that is wrong with the file and the overrides, each with its place.
    """
    return parse_study(
        study_text(Path(path)),
        name=str(path),
        base=base or Path(path).parent,
        overrides=overrides,
        given=given,
    )


def study_of(
    content: Mapping[str, Any],
    *,
    base: Path | None = None,
    overrides: Sequence[str] = (),
    given: Mapping[str, Any] | None = None,
) -> StudySpec:
    """The study that a program describes: its values in place of a text; else as `parse_study`.

    Raises:
        SpecError: all that is wrong with them, each with its key.
    """
    return parse_study(dump(dict(content)), name=PROGRAM, base=base, overrides=overrides, given=given)


def parse_study(
    text: str,
    *,
    name: str = "study.yaml",
    base: Path | None = None,
    overrides: Sequence[str] = (),
    given: Mapping[str, Any] | None = None,
) -> StudySpec:
    """The study that a YAML text describes.

    `name` stands in messages; relative paths start from `base`, the present directory unless given. What a program has
    `given` is laid over what is written, mappings into each other; and over that the `overrides`, `key.path=value`.

    Raises:
        SpecError: all that is wrong with the text and the overrides, each with its place.
    """
    document = read_document(text, name)
    document.lay_over(given or {})
    problems = apply_overrides(document, overrides) + document.repeated + _objectives_twice(document)
    try:
        spec = StudySpec.read(document.values, base=base or Path(), problem=document.problem)
    except ValidationError as caught:
        findings = [finding for finding, _, _ in findings_of(caught)]
        findings += [found for found in inconsistencies(_parts(document.values)) if found not in findings]
        problems += map(document.problem, findings)
    if problems:
        raise SpecError(sorted(dict.fromkeys(problems), key=by_line))
    return spec


def _objectives_twice(document: Document) -> list[Problem]:
    """`objective` beside `objectives`: the problem, and the list alone is read on."""
    if not {"objective", "objectives"} <= document.values.keys():
        return []
    problem = Problem(
        place=document.place(("objective",)),
        key="objective",
        rule="cannot go with objectives",
        remedy="keep one of the two",
    )
    del document.values["objective"]
    return [problem]


def study_text(path: Path) -> str:
    """The text of a study file.

    Raises:
        SpecError: it cannot be read, or is too large for one.
    """
    try:
        if path.is_dir():
            raise SpecError(
                Problem(place=str(path), rule="is a directory", remedy="name the study file in it")
            )
        if path.exists() and not path.is_file():
            raise SpecError(Problem(place=str(path), rule="is not a regular file"))
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        there = sorted(each.name for each in path.parent.glob("*.y*ml"))
        remedy = suggestion(path.name, there, otherwise="`hpsearch init` writes a study file for your data")
        raise SpecError(Problem(place=str(path), rule="there is no such file", remedy=remedy)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SpecError(Problem(place=str(path), rule=f"cannot be read: {reason}")) from None
    if len(content) > _LARGEST:
        raise SpecError(Problem(place=str(path), rule="is larger than 1 MiB", remedy="is this a study file?"))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SpecError(
            Problem(place=f"{path}:{line}", rule="is not UTF-8 text", remedy="save it as UTF-8")
        ) from None


def _parts(raw: Mapping[str, Any]) -> Parts:
    """What can be read of a study that is wrong somewhere, so that all that does not fit is told at once."""
    space = raw.get("space", DEFAULT_SPACE)
    forms = space if isinstance(space, Mapping) else {}
    trainer = raw.get("trainer")
    read = {name: parse_parameter(name, form, own=trainer is not None)[0] for name, form in forms.items()}
    objectives = [raw["objective"]] if "objective" in raw else raw.get("objectives", [{}])
    listed = objectives if isinstance(objectives, list) else []
    return Parts(
        data=_healthy(DataSpec, raw.get("data")),
        model=_healthy(ModelSpec, raw.get("model", {})) or ModelSpec(),
        space={name: parameter for name, parameter in read.items() if parameter is not None},
        broken=frozenset(name for name, parameter in read.items() if parameter is None),
        mentioned=frozenset(_mentioned([raw.get("model"), raw.get("data")])),
        objectives=tuple(good for form in listed if (good := _healthy(Objective, form))),
        pruning=_healthy(Pruning, raw["pruning"]) if "pruning" in raw else None,
        sampler=_healthy(Sampler, raw.get("sampler", {})),
        trainer=None if trainer is None else str(trainer),
        given=frozenset(raw),
        metrics=_metrics(raw.get("metrics")),
    )


def _metrics(forms: Any) -> dict[str, MetricSpec | None]:
    """The metrics of one's own, None for one that cannot be read."""
    named = forms if isinstance(forms, dict) else {}
    return {name: _healthy(MetricSpec, form) for name, form in named.items()}


def _healthy(section: type[_S], form: Any) -> _S | None:
    """A section without the keys that are wrong, if that is possible."""
    try:
        return section.model_validate(form)
    except ValidationError as caught:
        wrong = {finding.path[0] for finding, _, _ in findings_of(caught) if finding.path}
        if not isinstance(form, dict) or not wrong & form.keys():
            return None
        return _healthy(section, {key: value for key, value in form.items() if key not in wrong})


def _mentioned(form: Any) -> Iterator[str]:
    """Every name that stands behind a `$`."""
    if isinstance(form, dict | list):
        for item in form.values() if isinstance(form, dict) else form:
            yield from _mentioned(item)
    elif is_reference(form):
        yield form[1:]
