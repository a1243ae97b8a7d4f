"""Whole searches: the study of studies/digits.yaml from the start of the process to its end.

Both sides are processes of their own, run in turn, one pair a seed. The ratio is of trials per second over the whole
process: imports, making the databases, and for hpsearch the winner's refit and test as well. The search alone, from
its first proposal to its last stored trial, stands in the notes. Both write where temporary files go, on the disk: with
every epoch the peer waits until it has taken what MLflow and Optuna store. One row keeps both sides' files in memory.
"""

import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import MissingPeerError, Run, cores, run
from benchmarks.ours.search import STUDY
from benchmarks.row import Result, Row

_OURS, _OPTUNA, _SKLEARN = (
    "benchmarks.ours.search",
    "benchmarks.peers.optuna_search",
    "benchmarks.peers.sklearn_search",
)
_TRIALS = 100
# as HalvingRandomSearchCV and MLPClassifier have it: rungs at 5, 15 and 45 epochs, n_iter_no_change of 10
_HALVING = (
    "sampler=random",
    "pruning.rule=halving",
    "pruning.min_epochs=5",
    "pruning.warmup_epochs=0",
    "space.epochs=45",
    "early_stopping.patience=10",
)

_MEMORY = Path("/dev/shm")


@contextmanager
def files_in_memory() -> Any:
    """Measured processes keep their temporary files, databases among them, in memory."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(_MEMORY)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


def search_in_memory(*, seeds: int) -> Result:
    """The whole search with no disk to wait for.

    Raises:
        MissingPeerError: the system has no file system in memory.
    """
    if not _MEMORY.is_dir():
        raise MissingPeerError(f"{_MEMORY} is not there")
    with files_in_memory():
        return whole_search(_OPTUNA, workers=1, seeds=seeds)


def whole_search(peer: str, *, workers: int, seeds: int, overrides: Sequence[str] = ()) -> Result:
    """Trials per second of both, and the median of the best validation losses."""
    pairs = _pairs(
        peer,
        seeds,
        {"workers": workers},
        on=cores()[-workers:],
        overrides=[f"budget.trials={_TRIALS}", *overrides],
        peer_options={"trials": _TRIALS},
    )
    ours, theirs = _rates(pairs, 0), _rates(pairs, 1)
    mine, other = _best(pairs, 0), _best(pairs, 1)
    alone = statistics.median(_searching(b) / _searching(a) for a, b in pairs)
    return Result(
        ratio=statistics.median(ours) / statistics.median(theirs),
        ours=statistics.median(ours),
        peer=statistics.median(theirs),
        unit="trials a second",
        spread=_quartiles([a / b for a, b in zip(ours, theirs, strict=True)]),
        memory={"ours": _memory(pairs, 0), "peer": _memory(pairs, 1)},
        note=f"median best validation loss of {seeds} seeds {mine:.4f}, the peer's {other:.4f}"
        f" ({'no worse' if mine <= other else 'worse'}); the search alone, without imports, databases, refit: "
        f"{alone:.1f} times; seconds of the whole process {_seconds(pairs, 0):.1f} and {_seconds(pairs, 1):.1f}; "
        f"epochs kept {_epochs(pairs, 0):.0f} and {_epochs(pairs, 1):.0f}",
        details={"runs": [[_summary(run) for run in pair] for pair in pairs]},
    )


def time_to_loss(*, seconds: float, seeds: int) -> Result:
    """How long until our best validation loss is as good as the peer's after so many seconds."""
    pairs, times, losses = [], [], []
    for seed in range(seeds):
        peer = _theirs(_OPTUNA, seed, {"trials": 100_000, "timeout": seconds - 3.0}, on=cores()[-1:])
        losses.append([loss for moment, loss in peer.report["best"] if moment <= seconds][-1])
        overrides = ["budget.trials=100000", f"budget.time={seconds / 2}", f"seed={seed}"]
        ours = run(_OURS, {"overrides": overrides, "until": losses[-1]}, on=cores()[-1:])
        reached = [moment for moment, loss in ours.report["best"] if loss <= losses[-1]]
        times.append(reached[0] if reached else float("inf"))
        pairs.append((ours, peer))
    middle = statistics.median(times)
    return Result(
        ratio=seconds / middle,
        ours=middle,
        peer=seconds,
        unit="s",
        memory={"ours": _memory(pairs, 0), "peer": _memory(pairs, 1)},
        note=f"the peer's best after {seconds:g} s, one a seed: {', '.join(f'{loss:.4f}' for loss in losses)}; "
        f"ours came there after {', '.join(f'{time:.1f}' for time in times)} s (inf: not in {seconds / 2:g} s)",
        details={"runs": [[_summary(run) for run in pair] for pair in pairs]},
    )


def two_workers(*, trials: int, seeds: int, changes: Sequence[str] = ()) -> Result:
    """Trials per second, from the first proposal to the last stored trial, of two workers on two cores against one."""
    pairs = []
    for seed in range(seeds):
        overrides = [f"budget.trials={trials}", f"seed={seed}", *changes]
        two, one = (
            run(_OURS, {"overrides": overrides, "workers": workers}, on=cores()[-workers:]) for workers in (2, 1)
        )
        pairs.append((two, one))
    ratios = [_searching(one) / _searching(two) for two, one in pairs]
    same = all(two.report["table"] == one.report["table"] for two, one in pairs)
    return Result(
        ratio=statistics.median(ratios) if same else 0.0,
        ours=trials / statistics.median(_searching(two) for two, _ in pairs),
        peer=trials / statistics.median(_searching(one) for _, one in pairs),
        unit="trials a second",
        memory={"ours": _memory(pairs, 0), "peer": _memory(pairs, 1)},
        note=f"the tables of {trials} trials are {'identical' if same else 'DIFFERENT, so the row fails'} for {seeds} seeds; "
        f"one by one {', '.join(f'{ratio:.2f}' for ratio in ratios)}; whole processes, with the start of the workers, "
        f"refit and tracking: {statistics.median(one.seconds / two.seconds for two, one in pairs):.2f}",
        details={"runs": [[_summary(run) for run in pair] for pair in pairs]},
    )


def _pairs(
    peer: str,
    seeds: int,
    options: Mapping[str, Any],
    *,
    on: Sequence[int],
    overrides: Sequence[str],
    peer_options: Mapping[str, Any],
) -> list[tuple[Run, Run]]:
    """One pair of runs a seed; the split follows from the seed, and is the same for both."""
    pairs = []
    for seed in range(seeds):
        theirs = _theirs(peer, seed, {**options, **peer_options}, on=on)
        ours = run(_OURS, {**options, "overrides": [*overrides, f"seed={seed}"]}, on=on)
        pairs.append((ours, theirs))
    return pairs


def _theirs(peer: str, seed: int, options: Mapping[str, Any], *, on: Sequence[int]) -> Run:
    with _arrays(seed) as data:
        return run(peer, {**options, "data": str(data), "seed": seed}, on=on)


@contextmanager
def _arrays(seed: int) -> Any:
    """The study's training and validation part as a file of arrays."""
    import numpy as np

    from hpsearch.data import prepare
    from hpsearch.spec import load_study

    spec = load_study(STUDY)
    data = prepare(spec.data, seed=seed, base=spec.base).training
    with tempfile.TemporaryDirectory(prefix="bench-data-") as directory:
        path = Path(directory) / "digits.npz"
        np.savez(
            path,
            train_x=data.train.x,
            train_y=data.train.y.astype(np.int64),
            validation_x=data.validation.x,
            validation_y=data.validation.y.astype(np.int64),
        )
        yield path


def _rates(pairs: Sequence[tuple[Run, Run]], side: int) -> list[float]:
    return [pair[side].report["trials"] / pair[side].seconds for pair in pairs]


def _best(pairs: Sequence[tuple[Run, Run]], side: int) -> float:
    return statistics.median(pair[side].report["best"][-1][1] for pair in pairs)


def _seconds(pairs: Sequence[tuple[Run, Run]], side: int) -> float:
    return statistics.median(pair[side].seconds for pair in pairs)


def _epochs(pairs: Sequence[tuple[Run, Run]], side: int) -> float:
    return statistics.median(pair[side].report["epochs"] for pair in pairs)


def _memory(pairs: Sequence[tuple[Run, Run]], side: int) -> int:
    return max(pair[side].memory for pair in pairs)


def _searching(run: Run) -> float:
    """Seconds from the first proposal to the last stored trial."""
    moments = run.report["moments"]
    return moments["searched"] - moments["opened"]


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    low, _, high = statistics.quantiles(values, n=4)
    return low, high


def _summary(run: Run) -> dict[str, Any]:
    report = run.report
    return {
        "seconds": round(run.seconds, 2),
        "moments": {name: round(moment, 2) for name, moment in report["moments"].items()},
        "trials": report["trials"],
        "epochs": report["epochs"],
        "states": report["states"],
        "best": report["best"][-1],
    }


_TITLE = "whole search: digits, 100 trials, TPE, median pruning, patience 5, stored and tracked"
ROWS = [
    Row(
        name="search",
        title=f"{_TITLE}, one core",
        against="Optuna + PyTorch + MLflow, all on SQLite",
        target=15,
        measure=partial(whole_search, _OPTUNA, workers=1, seeds=5),
    ),
    Row(
        name="search-two",
        title="the same on two cores",
        against="the same peer with two processes",
        target=15,
        measure=partial(whole_search, _OPTUNA, workers=2, seeds=2),
    ),
    Row(
        name="search-halving",
        title="whole search by successive halving, 100 configurations, ours stored and tracked, theirs not",
        against="scikit-learn's HalvingRandomSearchCV over MLPClassifier",
        target=4,
        measure=partial(whole_search, _SKLEARN, workers=1, seeds=3, overrides=_HALVING),
    ),
    Row(
        name="search-until",
        title="time until the best validation loss is as good as the peer's after 60 s",
        against="Optuna + PyTorch + MLflow, all on SQLite",
        target=10,
        measure=partial(time_to_loss, seconds=60.0, seeds=3),
    ),
    Row(
        name="search-memory",
        title="the search on one core, with all files of both sides in memory: no disk to wait for",
        against="Optuna + PyTorch + MLflow, all on SQLite",
        target=15,
        measure=partial(search_in_memory, seeds=3),
    ),
    Row(
        name="workers",
        title="the same search without pruning, 200 trials, two workers on two cores, the identical table",
        against="itself with one worker on one core",
        target=1.8,
        measure=partial(two_workers, trials=200, seeds=2, changes=("pruning=none",)),
    ),
    Row(
        name="workers-pruned",
        title="the same with median pruning",
        against="itself with one worker on one core",
        target=1.8,
        measure=partial(two_workers, trials=200, seeds=2),
    ),
]
