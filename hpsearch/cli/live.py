"""What `hpsearch run` shows while it runs: live lines on a terminal, a line now and then elsewhere."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Final, Self

from rich.console import RenderableType
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
)
from rich.table import Column
from rich.text import Text

from hpsearch.cli.describe import console, is_watched, number, span
from hpsearch.cli.setting import data_sentence
from hpsearch.data import PreparedData
from hpsearch.judgment.finding import Finding
from hpsearch.judgment.sentences import counted
from hpsearch.search.fact import TrialFact
from hpsearch.search.ranking import ranked
from hpsearch.spec import StudySpec
from hpsearch.store import StudyHome

_LINES: Final = 10  # progress lines of a run that is not watched on a terminal
_SILENCE: Final = 60.0  # seconds after which there is one all the same
_WIDE: Final = 100  # columns from which on a terminal has room for a long bar
_STATE_NAMES: Final = {
    "complete": "complete",
    "stopped_early": "stopped early",
    "pruned": "pruned",
    "diverged": "diverged",
    "failed": "failed",
}


class _Bar(Progress):
    """A bar with lines below it, each cut where the terminal ends."""

    def __init__(
        self, *columns: str | ProgressColumn, below: Callable[[], Iterable[str]], **settings: Any
    ) -> None:
        self._below = below
        super().__init__(*columns, **settings)

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar, then the lines."""
        yield self.make_tasks_table(self.tasks)
        for line in self._below():
            yield Text(line, style="dim", no_wrap=True, overflow="ellipsis")


class LiveDisplay:
    """An observer of the run that prints to standard error, so that the summary alone is on standard output."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = console(stderr=True, quiet=quiet)
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._states: Counter[str] = Counter()
        self._verdicts: Counter[str] = Counter()
        self._latest = ""
        self._told: set[str] = set()
        self._best: TrialFact | None = None
        self._spec: StudySpec | None = None
        self._stored = self._total = 0
        self._began = self._printed = 0.0
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
        self._began = self._printed = time.monotonic()
        self._total = max(spec.budget.trials, stored)
        self._console.print(f"[bold]{home.key}[/] in {escape(str(home.path))}")
        self._console.print(data_sentence(data.summary, data.task))
        for warning in data.warnings:
            self.warning(warning)
        if stored:
            self._console.print(f"going on after {counted(stored, 'stored trial')}")
        if is_watched(self._console):
            self._progress = _Bar(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30 if self._console.width >= _WIDE else 10),
                MofNCompleteColumn(),
                TextColumn("{task.fields[left]}"),
                # takes what the others leave: in a narrow terminal the counts stay, and the note is cut
                TextColumn(
                    "{task.fields[note]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
                ),
                below=self._said,
                expand=True,
                console=self._console,
                transient=True,
            )
            self._task = self._progress.add_task("trials", total=self._total, left="", note="")
            self._progress.start()

    def retired(self, fact: TrialFact) -> None:
        """Count the trial, and show how things stand and what its curves say."""
        assert self._spec is not None  # noqa: S101 - `opened` comes first
        self._states[fact.state] += 1
        self._verdicts.update(filter(None, [fact.verdict]))
        done = sum(self._states.values())
        directions = [objective.direction for objective in self._spec.objectives]
        self._best = next(iter(ranked(filter(None, (self._best, fact)), directions)), None)
        if done > self._stored:
            self._tell(fact)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, left=self._left(done), note=self._note())
        elif done > self._stored and self._is_due(done):
            told = ", ".join(filter(None, [self._left(done), self._note()]))
            said = "; ".join(filter(None, [told, self._tally()]))
            self._console.print(f"{time.strftime('%H:%M:%S')} {done}/{self._total} trials, {said}")

    def step(self, text: str) -> None:
        """Say what is done beside the trials."""
        if self._progress is not None and self._task is not None:
            # alone: in a narrow terminal nothing else would be readable beside it
            self._progress.update(self._task, description=text, left="", note="")
        else:
            self._console.print(text)

    def warning(self, text: str) -> None:
        """Say what does not stop the run; on a terminal above the bar."""
        self._console.print(f"[yellow]warning:[/] {escape(text)}")

    def _tell(self, fact: TrialFact) -> None:
        """What a new trial's curves say, if anything is to be done about it; off a terminal the first of each kind."""
        wrong = [finding for finding in fact.findings if finding.severity != "good"]
        if not wrong:
            return
        self._latest = _in_words(fact, wrong[0])
        for finding in wrong:
            if self._progress is None and finding.name not in self._told:
                self._console.print(f"  {escape(_in_words(fact, finding))}")
            self._told.add(finding.name)

    def _said(self) -> list[str]:
        """The lines below the bar: all verdicts so far, and the latest finding."""
        return [line for line in (self._tally(), self._latest) if line]

    def _tally(self) -> str:
        counts = (f"{count} {verdict.replace('_', ' ')}" for verdict, count in self._verdicts.most_common())
        return f"curves: {', '.join(counts)}" if self._verdicts else ""

    def _is_due(self, done: int) -> bool:
        """Whether a line is to be printed: after each tenth of the trials, and a minute after the last one."""
        now = time.monotonic()
        if done % max(1, self._total // _LINES) and now < self._printed + _SILENCE:
            return False
        self._printed = now
        return True

    def _left(self, done: int) -> str:
        """How long the other trials take, if each takes as long as those of this run, and time is not up before."""
        assert self._spec is not None  # noqa: S101 - `opened` comes first
        if not self._stored < done < self._total:
            return ""
        passed, limit = time.monotonic() - self._began, self._spec.budget.time
        seconds = passed / (done - self._stored) * (self._total - done)
        return f"{span(seconds if limit is None else min(seconds, limit - passed))} left"

    def _note(self) -> str:
        counts = ", ".join(
            f"{self._states[state]} {name}" for state, name in _STATE_NAMES.items() if self._states[state]
        )
        if self._best is None or self._best.values is None or self._spec is None:
            return counts
        metric = self._spec.objectives[0].metric
        return f"best {metric} {number(self._best.values[0])} ({self._best.name}); {counts}"


def _in_words(fact: TrialFact, finding: Finding) -> str:
    """`trial-0007 overfitting: The validation loss ...`."""
    return f"{fact.name} {finding.name.replace('_', ' ')}: {finding.sentence}"
