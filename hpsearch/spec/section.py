"""The base of all sections of the study file."""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator

from hpsearch.spec.findings import Finding, findings_of, raise_all, show, suggestion
from hpsearch.spec.registry import REGISTRY
from hpsearch.spec.rules import Form


class Section(BaseModel):
    """A mapping of the study file: frozen, strict, and with errors in our own words.

    Every field has a description, from which the JSON schema and the reference page are made.
    """

    short_form: ClassVar[Form | None] = None
    """What may stand in place of the mapping."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _in_our_words(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as caught:
            raise_all(
                (
                    found if not kind else cls._worded(found, kind, given)
                    for found, kind, given in findings_of(caught)
                ),
                cls.__name__,
            )
            raise

    @classmethod
    def _worded(cls, found: Finding, kind: str, given: object) -> Finding:
        """What pydantic itself checked: missing and unknown keys, sections that are no mappings."""
        if kind == "missing":
            field = cls.model_fields[str(found.path[-1])]
            return Finding(found.path, "is needed", f"it is {field.description}")
        if kind == "extra_forbidden":
            return cls._unknown(found)
        return Finding(found.path, f"must be a mapping of keys to values, got {show(given)}", cls._known())

    @classmethod
    def _unknown(cls, found: Finding) -> Finding:
        key = str(found.path[-1])
        if key in REGISTRY:
            remedy = f"hyperparameters are written under `space`: a bare value there fixes {key}"
        else:
            remedy = suggestion(key, list(cls.model_fields), otherwise=cls._known())
        return Finding(found.path, "unknown key", remedy)

    @classmethod
    def _known(cls) -> str:
        return "known keys: " + ", ".join(cls.model_fields)
