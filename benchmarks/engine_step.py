"""Microseconds per network and training step, for the shapes that DESIGN.md and docs/performance.md speak of.

One BLAS thread; the fastest epoch of several repeats, as other work on the machine only ever adds time.

    python benchmarks/engine_step.py [name ...]
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from hpsearch.data.prepared import Part
from hpsearch.engine import Cohort, Member, working_set
from hpsearch.randomness import Address
from hpsearch.spec.hyperparameters import Hyperparameters

RECIPE = Hyperparameters(
    hidden=(64, 64), activation="relu", loss="cross_entropy", batch_size=32, epochs=100,
    learning_rate=1e-3, optimizer="adam", momentum=0.9, beta1=0.9, beta2=0.999, rho=0.9, epsilon=1e-8,
    schedule="constant", warmup_epochs=0, decay_rate=0.5, decay_epochs=10, plateau_patience=5,
    min_learning_rate=0.0, initializer="he", initial_scale=0.01, dropout=0.2, input_dropout=0.0,
    l1=0.0, l2=1e-4, weight_decay=0.0, max_norm=None, clip_norm=None, label_smoothing=0.0, huber_delta=1.0,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    widths: tuple[int, ...]
    batch: int
    together: int
    samples: int = 1120
    epochs: int = 12


CASES = {
    "64-64-64-10 alone": Case((64, 64, 64, 10), 32, 1),
    "64-64-64-10 cohort of 8": Case((64, 64, 64, 10), 32, 8),
    "64-64-64-10 cohort of 16": Case((64, 64, 64, 10), 32, 16),
    "64-16-10 alone": Case((64, 16, 10), 32, 1),
    "64-16-10 cohort of 16": Case((64, 16, 10), 32, 16),
    "4-10-10-3 cohort of 16": Case((4, 10, 10, 3), 16, 16, samples=112, epochs=60),
    "64-256-256-10 alone": Case((64, 256, 256, 10), 32, 1),
    "784-300-100-10 alone": Case((784, 300, 100, 10), 64, 1, epochs=6),
}


def microseconds(case: Case) -> float:
    """The time of a step for one network, with Adam, L2 and dropout."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((case.samples, case.widths[0])).astype(np.float32)
    y = rng.integers(0, case.widths[-1], case.samples).astype(np.int32)
    recipe = replace(RECIPE, hidden=case.widths[1:-1], batch_size=case.batch)
    members = [Member(recipe, Address(seed=0, trial=trial)) for trial in range(case.together)]
    cohort = Cohort(members, Part(x=x, y=y), outputs=case.widths[-1])
    times = []
    for _ in range(case.epochs):
        start = time.perf_counter()
        cohort.train_epoch()
        times.append(time.perf_counter() - start)
    return min(times) / -(-case.samples // case.batch) / case.together * 1e6


def main() -> None:
    chosen = sys.argv[1:] or list(CASES)
    for name in chosen:
        case = CASES[name]
        size = working_set(replace(RECIPE, hidden=case.widths[1:-1], batch_size=case.batch), case.widths[0], case.widths[-1])
        print(f"{name:26s} {microseconds(case):8.1f} us   {size / 1024:7.0f} KiB a network")


if __name__ == "__main__":
    main()
