"""The exception tree: every error that a user may meet, with its exit code.

Input errors (exit code 2) say where, which rule, which value and what to do; runtime errors exit with 1.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with the input, as its reader needs it.

    `place` is a file with its line ("study.yaml:14"), an option ("-S space.l2.min=a") or a data source.
    """

    place: str
    key: str = ""
    rule: str
    remedy: str = ""

    def __str__(self) -> str:
        key = f" {self.key}:" if self.key else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.place}:{key} {self.rule}{remedy}"


class HpsearchError(Exception):
    """Base of all errors that hpsearch raises on purpose; a runtime failure unless a subclass says otherwise."""

    exit_code = 1


class InputError(HpsearchError):
    """What the user gave cannot be used. Carries every problem found, not just the first."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem] | Problem | str) -> None:
        if isinstance(problems, str):
            self.problems: tuple[Problem, ...] = ()
            super().__init__(problems)
            return
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class SpecError(InputError):
    """The study file breaks its rules."""


class DataError(InputError):
    """The data cannot be used: missing, unreadable, or not what the study file says."""


class UnknownStudyError(InputError):
    """The store holds no study of that name."""


class UnknownTrialError(InputError):
    """The study has no such trial, or no trial that finished."""


class StudyChangedError(InputError):
    """The study file differs from the one that the stored trials came from."""


class StudyBusyError(HpsearchError):
    """Another process is running this study."""


class StorageError(HpsearchError):
    """The store cannot be read or written."""


class TrackingError(HpsearchError):
    """MLflow cannot be reached or refuses; the trial facts are not affected."""


class TrainingError(HpsearchError):
    """No trial of the study could be trained to an end."""


class InterruptedRunError(HpsearchError):
    """The user stopped the run; everything that had finished is kept."""

    exit_code = 130
