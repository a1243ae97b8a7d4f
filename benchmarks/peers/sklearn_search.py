"""scikit-learn: successive halving over MLPClassifier, nothing stored or tracked.

    python -m benchmarks.peers.sklearn_search '{"data": "digits.npz", "seed": 1, "trials": 100, "spawned": 1700000000.0}'

One split, the study's own, in place of several folds; the epochs are what is halved. The solvers that it has.
"""

import atexit
import gc
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.stats import loguniform, uniform
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV, PredefinedSplit
from sklearn.neural_network import MLPClassifier

_EPOCHS, _FIRST, _FACTOR = 50, 5, 3


def main() -> None:
    """Search; print JSON as `benchmarks.ours.search` does."""
    warnings.simplefilter("ignore")
    options = json.loads(sys.argv[1])
    imported = time.time() - options["spawned"]
    arrays = np.load(Path(options["data"]))
    x = np.concatenate([arrays["train_x"], arrays["validation_x"]])
    y = np.concatenate([arrays["train_y"], arrays["validation_y"]])
    fold = np.repeat([-1, 0], [len(arrays["train_x"]), len(arrays["validation_x"])])
    search = HalvingRandomSearchCV(
        MLPClassifier((64, 64)),
        {
            "batch_size": [16, 32, 64, 128],
            "learning_rate_init": loguniform(1e-4, 1e-1),
            "solver": ["sgd", "adam"],
            "alpha": loguniform(1e-6, 1e-1),
            "momentum": uniform(0.8, 0.19),
        },
        n_candidates=options["trials"],
        factor=_FACTOR,
        resource="max_iter",
        min_resources=_FIRST,
        max_resources=_EPOCHS,
        cv=PredefinedSplit(fold),
        scoring="neg_log_loss",
        random_state=options["seed"],
        error_score=-np.inf,
    ).fit(x, y)
    done = time.time() - options["spawned"]
    print(
        json.dumps(
            {
                "moments": {"imported": imported, "opened": imported, "searched": done - search.refit_time_, "done": done},
                "best": [(done, -search.best_score_)],
                "trials": search.n_candidates_[0],
                "epochs": int(np.dot(search.n_candidates_, search.n_resources_)),
                "states": {},
            }
        )
    )


if __name__ == "__main__":
    atexit.register(gc.freeze)  # as hpsearch's: no last search for garbage
    main()
