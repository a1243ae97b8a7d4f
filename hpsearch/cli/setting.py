"""What a study starts from, in words: its data and its space."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from hpsearch.cli.describe import plain_table
from hpsearch.data.prepared import DataSummary, Task
from hpsearch.judgment.sentences import counted
from hpsearch.spec import Choice, Fixed, Range, StudySpec


def data_sentence(summary: DataSummary, task: Task) -> str:
    """One line on the data: task, size, split; as markup."""
    what = {
        "regression": f"regression of {', '.join(summary.targets)}",
        "binary": f"classification of {', '.join(summary.targets)} (2 classes)",
        "multiclass": f"classification of {', '.join(summary.targets)} ({len(task.classes)} classes)",
    }[task.kind]
    size = f"{counted(summary.rows, 'row')}, {counted(summary.inputs, 'column')} "
    size += f"({counted(summary.features, 'network input')})"
    split = f"{summary.train_rows:,} to train, {summary.validation_rows:,} to validate"
    if summary.folds > 1:
        split = f"{summary.folds} folds, each of {split}"
    if summary.seeds > 1:
        split = f"{summary.seeds} seeds of {split}"
    return escape(f"{summary.source}: {what}; {size}; {split}, {summary.test_rows:,} sealed for the test")


def space_table(spec: StudySpec) -> Table | str:
    """What is searched, a line a parameter."""
    if not spec.space:
        return "the space is empty: all trials have the same parameters, and differ in their random numbers"
    table = plain_table("parameter", "values", "when")
    for name, parameter in spec.space.items():
        table.add_row(name, _values(parameter), _condition(parameter.when))
    return table


def _values(parameter: Fixed | Choice | Range) -> str:
    match parameter:
        case Fixed():
            return f"{_exact(parameter.value)} (fixed)"
        case Choice():
            return ", ".join(map(_exact, parameter.values))
        case Range():
            scale = ", on a log scale" if parameter.log else ""
            step = f", in steps of {parameter.step:g}" if parameter.step is not None else ""
            return f"{parameter.min:g} to {parameter.max:g}{scale}{step}"


def _exact(value: Any) -> str:
    return "null" if value is None else str(value)


def _condition(when: Mapping[str, Any]) -> str:
    return " and ".join(f"{name} is {' or '.join(map(str, values))}" for name, values in when.items())
