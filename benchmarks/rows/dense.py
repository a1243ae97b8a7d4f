"""One training step of a dense network with Adam, L2 and dropout: the engine against PyTorch and JAX.

PyTorch's rows compare with its best way of training one network at a time, which is what every search with PyTorch
does: trials differ in optimizer and depth, and stop at different times. Networks of one recipe stacked by hand into
one program (`baddbmm`) are measured beside it, as a variant in brackets.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial

from benchmarks.measure import Side, compare
from benchmarks.problem import Case
from benchmarks.row import Result, Row
from benchmarks.rows.step import step_result, step_side


@dataclass(frozen=True)
class Shape:
    """A case, how many networks at once we may train, and a guess of the microseconds of our and PyTorch's step."""

    case: Case
    cohorts: Sequence[int]
    ours: float
    peer: float


DIGITS = Case((64, 64, 64, 10), batch=32, samples=1120)
SHAPES = {
    "cohort": Shape(DIGITS, (8,), 50, 420),
    "alone": Shape(DIGITS, (1,), 80, 420),
    "small": Shape(Case((64, 16, 10), batch=32, samples=1120), (16,), 10, 280),
    "tiny": Shape(Case((4, 10, 10, 3), batch=16, samples=112), (16,), 6, 330),
    "wide": Shape(Case((64, 256, 256, 10), batch=32, samples=1120), (1, 2, 4), 450, 900),
    "mnist": Shape(Case((784, 300, 100, 10), batch=64, samples=1280), (1, 2), 1500, 2200),
}


def against_pytorch(name: str) -> Result:
    """Our best cohort against PyTorch's best network alone."""
    shape = SHAPES[name]
    sides = {f"{k} together": _ours(shape, k) for k in shape.cohorts}
    peers = {f"{kind} Adam": _modules(shape, optimizer=kind) for kind in ("foreach", "fused", "flat")}
    if name == "alone":
        peers["torch.compile, flat Adam"] = _modules(shape, optimizer="flat", compiled=True)
    peers["1 by baddbmm"] = _stacked(shape, 1)
    stacked = {f"({k} stacked by hand)": _stacked(shape, k) for k in shape.cohorts if k > 1}
    measured = compare(sides | peers | stacked)
    peak = shape.case.flops / sgemm_peak()
    return step_result(measured, ours=list(sides), peers=list(peers), others=list(stacked), peak=peak)


def against_jax() -> Result:
    """Our cohort of 8 against JAX's; seconds of compilation in the details."""
    shape = SHAPES["cohort"]
    peers = {
        f"{loop}, {generator}": _jax(shape, 8, loop=loop, generator=generator)
        for loop in ("scan", "step")
        for generator in ("threefry2x32", "rbg")
    }
    measured = compare({"8 together": _ours(shape, 8)} | peers)
    peak = shape.case.flops / sgemm_peak()
    result = step_result(measured, ours=["8 together"], peers=list(peers), peak=peak)
    compilation = measured[result.peer_variant].setup
    steps = 25 * DIGITS.steps * 8
    counted = (result.peer * steps * 1e-6 + compilation) / (result.ours * steps * 1e-6)
    note = f"compilation {compilation:.1f} s a shape; counted, over 25 epochs of 8 networks: {counted:.1f} times"
    return Result(**(asdict(result) | {"note": note}))


@cache
def sgemm_peak() -> float:
    """Floating-point operations a second, measured once a run."""
    return compare({"sgemm": Side("benchmarks.ours.machine:Sgemm")}, rounds=30)["sgemm"].report["flops"]


def _ours(shape: Shape, networks: int) -> Side:
    return step_side("benchmarks.ours.steps:Steps", shape.case, networks, shape.ours, networks=networks)


def _modules(shape: Shape, **options: object) -> Side:
    return step_side("benchmarks.peers.torch_steps:Modules", shape.case, 1, shape.peer, **options)


def _stacked(shape: Shape, networks: int) -> Side:
    guess = shape.peer / networks**0.5
    return step_side("benchmarks.peers.torch_steps:Stacked", shape.case, networks, guess, networks=networks)


def _jax(shape: Shape, networks: int, **options: object) -> Side:
    return step_side("benchmarks.peers.jax_steps:Steps", shape.case, networks, shape.ours, networks=networks, **options)


def _row(name: str, title: str, target: float) -> Row:
    return Row(
        name=f"dense-{name}",
        title=title,
        against="PyTorch, best variant",
        target=target,
        measure=partial(against_pytorch, name),
    )


ROWS = [
    _row("cohort", "dense 64-64-64-10, batch 32, dropout, L2, Adam, cohort of 8", 9),
    _row("alone", "the same, one trial alone", 5),
    Row(
        name="dense-jax",
        title="the same, cohort of 8",
        against="JAX, jit + vmap of 8, compilation not counted",
        target=1.2,
        measure=against_jax,
    ),
    _row("small", "dense 64-16-10, batch 32, cohort of 16", 22),
    _row("tiny", "dense 4-10-10-3, batch 16, cohort of 16", 55),
    _row("wide", "dense 64-256-256-10, batch 32, any cohort", 2.7),
    _row("mnist", "dense 784-300-100-10, batch 64, any cohort", 1.3),
]
