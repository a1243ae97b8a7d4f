"""What TPE is shown of a long study: a bounded number of trials, so that a proposal's cost does not grow for ever."""

from bisect import insort
from collections import deque
from collections.abc import Container
from typing import Any, Final

import optuna
from optuna.trial import FrozenTrial, TrialState

_BEST: Final = 25
_LATEST: Final = 500

Rank = tuple[float, ...]


class Memory:
    """The best trials of a study and its latest ones, by number.

    TPE fits one density to the best trials, at most 25 of them however long the study (Optuna's
    `default_gamma`), and one to the rest, in which old trials weigh less and less. So the first density is
    that of the whole study, and the second lacks only what weighs least.
    """

    def __init__(self) -> None:
        self.told = 0
        self._best: list[tuple[Rank, int]] = []
        self._latest: deque[int] = deque(maxlen=_LATEST)

    def add(self, number: int, rank: Rank) -> None:
        """Take in the next trial, which has finished; a smaller rank is better."""
        self.told = number + 1
        self._latest.append(number)
        insort(self._best, (rank, number))
        del self._best[_BEST:]

    def numbers(self) -> list[int]:
        """The finished trials to show, at most 525, in order."""
        return sorted({number for _, number in self._best}.union(self._latest))


class ShownStudy:
    """A study as its sampler sees it: the finished trials that are remembered, and all that are in flight."""

    def __init__(self, study: optuna.Study, memory: Memory) -> None:
        self._study, self._memory = study, memory

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def _get_trials(
        self,
        deepcopy: bool = False,  # noqa: ARG002, FBT001, FBT002 - Optuna's signature
        states: Container[TrialState] | None = None,
        use_cache: bool = False,  # noqa: ARG002, FBT001, FBT002 - Optuna's signature
    ) -> list[FrozenTrial]:
        every = self._study.get_trials(deepcopy=False)
        shown = [every[number] for number in self._memory.numbers()] + every[self._memory.told :]
        return [trial for trial in shown if states is None or trial.state in states]


class DraftedStudy:
    """A study as it is shown to a sampler that proposes for a trial that is not in it; it notes nothing."""

    def __init__(self, study: optuna.Study) -> None:
        self._study = study
        self._storage = _Unwritten(study._storage)  # noqa: SLF001 - where samplers look for it

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)


class _Unwritten:
    """A storage that forgets what TPE notes of a trial in flight, which is known by its parameters later."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        pass
