"""What `hpsearch preview` foretells, held against what `hpsearch run` then takes: studies of different shapes.

`python -m tests.support.estimates` prints the table of docs/performance.md.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.support.costs import cost_of

STUDIES = Path(__file__).parents[2] / "studies"

RECURRENT = """
study: recurrent
data: {source: sklearn/digits, kind: sequence}
model: {layers: [{gru: $units}]}
space:
  units: [8, 32]
  epochs: {min: 5, max: 20}
  batch_size: 32
  learning_rate: {min: 1e-3, max: 3e-2, log: true}
budget: {trials: 12}
"""

FOLDS = """
study: folds
data: {source: sklearn/wine, split: {test: 0.2, folds: 5, seeds: 2}}
space:
  depth: [1, 2]
  width: [8, 32]
  epochs: 60
  batch_size: [8, 16]
  learning_rate: {min: 1e-3, max: 1e-1, log: true}
budget: {trials: 40}
"""

SPLIT = "data.split={validation: 0.1, test: 0.1}"

CASES = {
    "classification, 150 rows, 50 trials": ("iris.yaml", (), 1),
    "classification, 1,797 rows, 100 trials": ("digits.yaml", (), 1),
    "the same, two workers": ("digits.yaml", (), 2),
    "regression, 1,030 rows, 4 trials without early stopping": ("concrete.yaml", ("-S", SPLIT), 1),
    "regression, 442 rows, 40 trials": ("diabetes.yaml", (), 1),
    "regression, 5 folds, 15 trials of 400 epochs at most": ("mcycle.yaml", ("-S", "budget.trials=15"), 2),
    "5 folds x 2 seeds, 178 rows, 40 trials": (FOLDS, (), 1),
    "convolutional, 5,000 pictures, 2 trials of 4 epochs": (
        "mnist-cnn.yaml",
        ("-S", "budget.trials=2", "-S", "space.epochs=4"),
        1,
    ),
    "convolutional, 901 pictures, 2 trials": ("transfer-source.yaml", (), 2),
    "recurrent, 1,797 sequences, 12 trials": (RECURRENT, (), 1),
}


def compare(name, directory):
    """What was foretold and what was taken: (preview's estimate, `Cost` of the run)."""
    study, overrides, workers = CASES[name]
    path = STUDIES / study
    if not study.endswith(".yaml"):
        path = directory / "study.yaml"
        path.write_text(study)
    words = (path, *overrides, "--workers", workers)
    foretold = cost_of("preview", *words, "--json", cwd=directory)
    assert foretold.returncode == 0, foretold.errors
    taken = cost_of("run", *words, "--store", directory / "store", "--quiet", cwd=directory)
    assert taken.returncode == 0, taken.errors
    return json.loads(foretold.output)["estimate"], taken


def row(name, estimate, taken):
    """A line of the table."""
    seconds, memory = estimate["processor"], estimate["memory"]
    return (
        f"| {name} | {seconds:.1f} | {taken.processor:.1f} | {seconds / taken.processor:.2f} "
        f"| {memory / 1e6:.0f} | {taken.memory / 1e6:.0f} | {memory / taken.memory:.2f} |\n"
    )


def main():
    """Print the table, or the rows whose names have a word in them."""
    write = sys.stdout.write
    write(
        "| study | processor seconds: estimated | measured | ratio | memory in MB: estimated | measured | ratio |\n"
    )
    write("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
    for name in CASES:
        if not sys.argv[1:] or sys.argv[1] in name:
            with tempfile.TemporaryDirectory() as directory:
                write(row(name, *compare(name, Path(directory))))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
