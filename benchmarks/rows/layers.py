"""One training step of convolutional and recurrent networks with Adam and L2: the engine against PyTorch.

Networks have the layers that PyTorch's have as well; PyTorch's best way to lay out its inputs and its optimizer counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.measure import Side, compare
from benchmarks.problem import Layered
from benchmarks.row import Result, Row
from benchmarks.rows.step import step_result, step_side


@dataclass(frozen=True)
class Task:
    """A case, how many networks at once we may train, and a guess of the microseconds of our and PyTorch's step."""

    case: Layered
    cohorts: Sequence[int]
    ours: float
    peer: float


def _convolution(filters: int, kernel: int) -> dict[str, Any]:
    return {"convolution": {"filters": filters, "kernel": kernel}}


def _recurrent(kind: str, units: int, cohorts: Sequence[int], ours: float, peer: float) -> Task:
    return Task(Layered([{kind: units}], shape=(28, 28)), cohorts, ours, peer)


_LENET = [_convolution(8, 3), {"max_pool": 2}, _convolution(16, 3), {"max_pool": 2}, "flatten", {"dense": 64}]
TASKS = {
    "lenet": Task(Layered(_LENET, shape=(28, 28, 1)), (1,), 3500, 5500),
    "image": Task(Layered([_convolution(16, 3), "global_average_pool"], shape=(14, 14, 8)), (1,), 1200, 1800),
    "sequence": Task(
        Layered([_convolution(16, 7), _convolution(32, 5), "global_average_pool"], shape=(150, 1)), (1,), 2000, 3500
    ),
    "lstm": _recurrent("lstm", 64, (1,), 4000, 3600),
    "gru": _recurrent("gru", 64, (1,), 3000, 9000),
    "lstm-32": _recurrent("lstm", 32, (8,), 1600, 2200),
    "lstm-16": _recurrent("lstm", 16, (8,), 800, 1600),
    "gru-32": _recurrent("gru", 32, (8,), 1200, 8000),
    "gru-16": _recurrent("gru", 16, (8,), 600, 7000),
}


def against_pytorch(name: str) -> Result:
    """Our cohort against PyTorch's best network alone."""
    task = TASKS[name]
    sides = {f"{networks} together": _ours(task, networks) for networks in task.cohorts}
    recurrent = "lstm" in name or "gru" in name
    orders = ("batch first", "time first") if recurrent else ("channels first", "channels last")
    peers = {
        f"{kind} Adam, {order}": _peer(task, optimizer=kind, first=order.endswith("first") and order != "time first")
        for kind in ("fused", "flat")
        for order in (orders if len(task.case.shape) == 3 or recurrent else orders[:1])
    }
    return step_result(compare(sides | peers), ours=list(sides), peers=list(peers))


def _ours(task: Task, networks: int) -> Side:
    return step_side("benchmarks.ours.steps:Steps", task.case, networks, task.ours, networks=networks)


def _peer(task: Task, **options: object) -> Side:
    return step_side("benchmarks.peers.torch_layers:Steps", task.case, 1, task.peer, **options)


def _row(name: str, title: str, target: float) -> Row:
    return Row(
        name=f"layers-{name}",
        title=title,
        against="PyTorch, best variant",
        target=target,
        measure=partial(against_pytorch, name),
    )


ROWS = [
    _row("lenet", "two 3x3 convolutions (8, 16) with pools, dense 64, on 28x28, batch 32, one trial alone", 1),
    _row("image", "3x3 convolution 8 to 16 on 14x14, global mean, batch 32, one trial alone", 1),
    _row("sequence", "1D convolutions 16 (7 wide), 32 (5 wide) on 150 steps, global mean, batch 32, one trial alone", 1),
    _row("lstm", "LSTM of 64 units on 28 steps of 28, batch 32, one trial alone", 0.8),
    _row("gru", "GRU of 64 units, the same", 2),
    _row("lstm-32", "LSTM of 32 units, the same, cohort of 8", 1),
    _row("lstm-16", "LSTM of 16 units, the same, cohort of 8", 1),
    _row("gru-32", "GRU of 32 units, the same, cohort of 8", 3),
    _row("gru-16", "GRU of 16 units, the same, cohort of 8", 3),
]
