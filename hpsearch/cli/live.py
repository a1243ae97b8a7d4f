"""What `hpsearch run` shows while it runs: a live line on a terminal, a line now and then elsewhere."""

import time
from collections import Counter
from types import TracebackType
from typing import Final, Self

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column

from hpsearch.cli.describe import console, counted, data_sentence, number
from hpsearch.data import PreparedData
from hpsearch.search.fact import TrialFact
from hpsearch.search.ranking import ranked
from hpsearch.spec import StudySpec
from hpsearch.store import StudyHome

_LINES: Final = 10  # progress lines of a run that is not watched on a terminal
_WIDE: Final = 100  # columns from which on a terminal has room for a long bar
_STATE_NAMES: Final = {
    "complete": "complete",
    "stopped_early": "stopped early",
    "pruned": "pruned",
    "diverged": "diverged",
    "failed": "failed",
}


class LiveDisplay:
    """An observer of the run that prints to standard error, so that the summary alone is on standard output."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = console(stderr=True, quiet=quiet)
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._states: Counter[str] = Counter()
        self._best: TrialFact | None = None
        self._spec: StudySpec | None = None
        self._stored = self._total = 0
        self.home: StudyHome | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def opened(self, spec: StudySpec, home: StudyHome, data: PreparedData, stored: int) -> None:
        """Say what is being run, and start the bar."""
        self._spec, self._stored, self.home = spec, stored, home
        self._total = max(spec.budget.trials, stored)
        self._console.print(f"[bold]{home.key}[/] in {escape(str(home.path))}")
        self._console.print(data_sentence(data.summary, data.task))
        for warning in data.warnings:
            self.warning(warning)
        if stored:
            self._console.print(f"going on after {counted(stored, 'stored trial')}")
        if self._console.is_terminal:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30 if self._console.width >= _WIDE else 10),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                # takes what the others leave: in a narrow terminal the counts stay, and the note is cut
                TextColumn(
                    "{task.fields[note]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
                ),
                expand=True,
                console=self._console,
                transient=True,
            )
            self._task = self._progress.add_task("trials", total=self._total, note="")
            self._progress.start()

    def retired(self, fact: TrialFact) -> None:
        """Count the trial, and show how things stand."""
        assert self._spec is not None  # noqa: S101 - `opened` comes first
        self._states[fact.state] += 1
        done = sum(self._states.values())
        directions = [objective.direction for objective in self._spec.objectives]
        self._best = next(iter(ranked(filter(None, (self._best, fact)), directions)), None)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, note=self._note())
        elif done > self._stored and done % max(1, self._total // _LINES) == 0:
            self._console.print(f"{time.strftime('%H:%M:%S')} {done}/{self._total} trials, {self._note()}")

    def step(self, text: str) -> None:
        """Say what is done beside the trials."""
        if self._progress is not None and self._task is not None:
            # alone: in a narrow terminal nothing else would be readable beside it
            self._progress.update(self._task, description=text, note="")
        else:
            self._console.print(text)

    def warning(self, text: str) -> None:
        """Say what does not stop the run; on a terminal above the bar."""
        self._console.print(f"[yellow]warning:[/] {escape(text)}")

    def _note(self) -> str:
        counts = ", ".join(
            f"{self._states[state]} {name}" for state, name in _STATE_NAMES.items() if self._states[state]
        )
        if self._best is None or self._best.values is None or self._spec is None:
            return counts
        metric = self._spec.objectives[0].metric
        return f"best {metric} {number(self._best.values[0])} ({self._best.name}); {counts}"
