"""Data that code of one's own makes: called once when a run begins, and kept by content like data handed over."""

import os

from hpsearch.data.handed import kept
from hpsearch.errors import DataError, SpecError
from hpsearch.extensions import Extension
from hpsearch.spec import StudySpec
from hpsearch.store import Store


def with_made_data(spec: StudySpec, source: Extension | None, store: Store) -> StudySpec:
    """The study on the file in which the store keeps what its source has made; the same study where none makes it.

    Where the code makes the same data again, the file is the same, and the study goes on.

    Raises:
        SpecError: the code raises, or what it makes are no data.
        StorageError: the store cannot be written.
    """
    if source is None:
        return spec
    path = ("data", "source")
    try:
        made = source.function(**spec.data.arguments)
    except Exception as error:  # whatever the code raises
        rule = f"{source.name} failed ({type(error).__name__}: {error})"
        raise SpecError(spec.problem(path, rule)) from error
    try:
        named = kept(made, spec.data.target, store.data)
    except DataError as error:
        rules = "; ".join(problem.rule for problem in error.problems)
        raise SpecError(spec.problem(path, f"what {source.name} returns {rules}")) from error
    named["source"] = os.path.relpath(store.data / named["source"], spec.base)
    data = spec.data.model_copy(update={**named, "arguments": {}})
    return spec.model_copy(update={"data": data})
