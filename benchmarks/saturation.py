"""How many workers one driver keeps busy: its cost per trial and the cluster's per task, measured; the rest computed.

    python -m benchmarks.saturation [TRIALS]

Measures here the driver's processor time a trial (proposal, pruning, diagnosis, the fact on the disk: no training), and, where
Dask is installed, the scheduler's processor time a task and the time of one from submission to result. Then simulates the
fixed-lag pipeline, event by event, with 1, 10, 100 and 1,000 workers and trainings of several lengths: a worker takes one trial at
a time; the driver proposes window after window and retires in order, one thing after another; at most `in_flight` trials are
under way. Prints a Markdown table and draws docs/images/saturation.png.
"""

import heapq
import os
import random
import statistics
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

WORKERS = (1, 10, 100, 1000)
SECONDS = (1.0, 10.0, 60.0, 600.0)
_FIGURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "saturation.png"


def driver_cost(trials: int) -> float:
    """Processor seconds that the driver spends on one trial when hundreds are known, training left out."""
    from benchmarks.in_flight import _STUDY
    from hpsearch.search.fact import TrialFact
    from hpsearch.search.facts import FactStore
    from hpsearch.search.proposals import Proposals
    from hpsearch.spec import parse_study

    spec = parse_study(_STUDY.format(seed=0, trials=trials, in_flight="auto"))
    proposals, noise = Proposals(spec), random.Random(0)
    with tempfile.TemporaryDirectory() as directory:
        store = FactStore.create(
            Path(directory) / "facts.journal", study="cost", directions=["minimize"], monitored="validation_loss"
        )
        for number in range(trials):
            if number == trials // 2:
                began = time.process_time()
            (proposal,) = proposals.propose([number])
            curve = tuple(noise.random() for _ in range(50))
            fact = TrialFact(
                number=number,
                params=proposal.params,
                hyperparameters={},
                state="complete",
                reason="",
                values=(min(curve),),
                curves=dict.fromkeys(("train_loss", "validation_loss", "train_accuracy", "validation_accuracy"), curve),
                scores={},
                distributions=proposal.distributions,
            )
            proposals.tell(store.append(fact))
        return (time.process_time() - began) / (trials - trials // 2)


def cluster_cost(tasks: int) -> float:
    """Processor seconds of client and scheduler together a task: both live in this process, the worker does not."""
    import psutil
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None, processes=True) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        executor = client.get_executor(pure=False)
        executor.submit(sum, [0]).result()
        process = psutil.Process()
        before = sum(process.cpu_times()[:2])
        for _ in range(tasks // 50):
            futures = [executor.submit(sum, [0] * 100) for _ in range(50)]
            for future in futures:
                future.result()
        return (sum(process.cpu_times()[:2]) - before) / tasks


def simulate(
    *, workers: int, seconds: float, driver: float, task: float, in_flight: int, trials: int, seed: int = 0
) -> tuple[float, float]:
    """Trials a second, and the share of time in which workers train.

    A training takes `seconds` on average, from half to one and a half of them. The driver takes `driver` + `task` for
    each trial when it is proposed and handed out (and retired): it does one thing at a time. Windows are half of
    `in_flight`; one is proposed when the one two before it has been retired.
    """
    draw = random.Random(seed)
    window = max(1, in_flight // 2)
    free = [0.0] * workers  # when each worker is free
    heapq.heapify(free)
    clock, busy, number = 0.0, 0.0, 0
    windows: deque[list[float]] = deque()
    while number < trials or windows:
        while number < trials and len(windows) < 2:
            ends = []
            for _ in range(min(window, trials - number)):
                clock += driver + task
                start = max(clock, heapq.heappop(free))
                length = seconds * draw.uniform(0.5, 1.5)
                busy += length
                heapq.heappush(free, start + length)
                ends.append(start + length)
                number += 1
            windows.append(ends)
        clock = max(clock, *windows.popleft())
    return trials / clock, busy / (clock * workers)


def main() -> None:
    """Measure, simulate, print, draw."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    driver = statistics.median(driver_cost(trials) for _ in range(3))
    task = cluster_cost(500)
    print(f"driver {driver * 1e3:.1f} ms a trial, cluster {task * 1e3:.1f} ms a task\n")
    print("| training | in_flight | " + " | ".join(f"{count:,} workers" for count in WORKERS) + " |")
    print("| --- | --- |" + " ---: |" * len(WORKERS))
    shares = {}
    for seconds in SECONDS:
        for in_flight in (32, 0):
            cells = []
            for workers in WORKERS:
                flight = in_flight or max(32, 4 * workers)
                rate, share = simulate(
                    workers=workers,
                    seconds=seconds,
                    driver=driver,
                    task=task,
                    in_flight=flight,
                    trials=max(2_000, 20 * flight),
                )
                shares[seconds, in_flight, workers] = share
                cells.append(f"{rate:.3g}/s, {share:.0%}")
            label = "32 (`auto`'s most)" if in_flight else "4 a worker"
            print(f"| {seconds:g} s | {label} | {' | '.join(cells)} |")
    draw(shares, driver + task)


def draw(shares: dict[tuple[float, int, int], float], cost: float) -> None:
    """The share of time in which workers train, by their number."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    for place, seconds in enumerate(SECONDS):
        for in_flight, style in ((0, "-"), (32, ":")):
            axes.plot(
                WORKERS,
                [100 * shares[seconds, in_flight, workers] for workers in WORKERS],
                style,
                marker="o",
                markersize=3,
                color=f"C{place}",
                label=f"{seconds:g} s a trial" if style == "-" else None,
            )
    axes.set_xscale("log")
    axes.set_xlabel("workers")
    axes.set_ylabel("time spent training, %")
    axes.set_title(f"driver: {cost * 1e3:.1f} ms a trial; in_flight 4 a worker (dotted: 32)", fontsize=9)
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    figure.savefig(_FIGURE, dpi=110)


if __name__ == "__main__":
    main()
