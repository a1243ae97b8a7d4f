"""A search for the best network in `fit`, as scikit-learn's classifier and regressor."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import check_cv, train_test_split

from hpsearch.data.preparation import assemble
from hpsearch.data.raw import RawData
from hpsearch.data.splits import FoldRows, Split
from hpsearch.data.tables import TableInputs
from hpsearch.data.targets import Targets
from hpsearch.driver import Driver
from hpsearch.fit import check_fit
from hpsearch.model import TrainedModel
from hpsearch.randomness import Address
from hpsearch.search.fact import TrialFact
from hpsearch.search.facts import FactStore
from hpsearch.selection import choose
from hpsearch.sklearn.base import TableClassifier, TableEstimator, TableRegressor
from hpsearch.spec import StudySpec, parse_study
from hpsearch.spec.document import PARAMETERS
from hpsearch.spec.yaml_text import dump
from hpsearch.trial_table import rows_of
from hpsearch.winner import REFIT_FOLD, refit

_NAME = "estimator"


class _Search(TableEstimator):
    """A search for the best network: sampled, pruned and refitted as a study is, with nothing stored.

    After `fit`, `best_params_` are the best parameters, `best_score_` the objective's value, `trials_` a table of all
    trials, `model_` the winner, refitted on all rows.

    Args:
        space: what is searched, as `space` of a study file; None for the default space.
        trials: how many trials.
        model: as `model` of a study file; None for the default.
        metric: the objective, such as validation_loss.
        direction: minimize or maximize.
        cv: folds for trials to be judged by, a number or a splitter of scikit-learn; None for one part of the rows.
        validation_fraction: the share of that part.
        sampler: the name of a sampler.
        pruning: the name of a pruning rule.
        patience: epochs without improvement after which a trial stops.
        workers: processes that train.
        random_state: a seed, a RandomState, or None for numpy's own.
    """

    def __init__(
        self,
        space: Mapping[str, Any] | None = None,
        *,
        trials: int = 20,
        model: Mapping[str, Any] | None = None,
        metric: str = "validation_loss",
        direction: str = "minimize",
        cv: Any = None,
        validation_fraction: float = 0.2,
        sampler: str = "tpe",
        pruning: str = "median",
        patience: int = 5,
        workers: int = 1,
        random_state: Any = None,
    ) -> None:
        self.space = space
        self.trials = trials
        self.model = model
        self.metric = metric
        self.direction = direction
        self.cv = cv
        self.validation_fraction = validation_fraction
        self.sampler = sampler
        self.pruning = pruning
        self.patience = patience
        self.workers = workers
        self.random_state = random_state

    def _train(self, inputs: TableInputs, targets: Targets, seed: int) -> TrainedModel:
        if len(targets) < 2:
            raise ValueError("a search needs rows to validate on: got 1 sample")
        spec = self._spec(seed)
        raw = RawData(name="X", inputs=inputs.frame, targets=pd.DataFrame({"y": range(len(targets))}))
        split = self._split(targets, seed)
        data = assemble(raw, inputs, targets, split, spec.data, fingerprint="", warnings=())
        check_fit(spec, data.task)
        with TemporaryDirectory() as directory:
            store = FactStore.create(
                Path(directory) / "facts.journal",
                study=_NAME,
                directions=[objective.direction for objective in spec.objectives],
            )
            with store:
                driver = Driver(spec, data, store, retired=lambda _: None)
                driver.run(self.workers)
        fact = choose(driver.facts, spec)
        self._remember(driver.facts, fact)
        refit_data = data.refit()
        address = Address(seed=seed, trial=fact.number, fold=REFIT_FOLD)
        (weights,), recipe, epochs = refit(fact, spec, refit_data, None, [address])
        self.n_iter_ = epochs
        return TrainedModel(
            weights=weights, loss=recipe.loss, task=refit_data.task, preprocessor=refit_data.preprocessor
        )

    def _remember(self, facts: list[TrialFact], best: TrialFact) -> None:
        self.best_params_ = dict(best.params)
        (self.best_score_, *_) = best.values or (float("nan"),)  # noqa: PD011 - no pandas
        self.trials_ = pd.DataFrame(rows_of(facts, [self.metric]))

    def _spec(self, seed: int) -> StudySpec:
        content: dict[str, Any] = {
            "study": _NAME,
            "seed": seed,
            "data": {"source": "X.csv", "target": "y"},
            "objective": {"metric": self.metric, "direction": self.direction},
            "early_stopping": {"patience": self.patience},
            "pruning": self.pruning,
            "sampler": self.sampler,
            "budget": {"trials": self.trials},
        }
        content |= {
            key: dict(value) for key in ("space", "model") if (value := getattr(self, key)) is not None
        }
        return parse_study(dump(content), name=PARAMETERS)

    def _split(self, targets: Targets, seed: int) -> Split:
        """Rows to train and validate; nothing is held back for a test, which is the caller's business."""
        rows = np.arange(len(targets))
        folds = tuple(
            FoldRows(train=np.sort(train), validation=np.sort(validation))
            for train, validation in self._folds(rows, targets, seed)
        )
        return Split(folds=folds, test=rows[:0], development=rows)

    def _folds(
        self, rows: NDArray[np.int64], targets: Targets, seed: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        labels = targets.class_ids() if targets.is_classification else None
        if self.cv is not None:
            splitter = check_cv(self.cv, labels, classifier=targets.is_classification)
            yield from splitter.split(rows[:, None], labels)
            return
        split = {"test_size": self.validation_fraction, "random_state": seed}
        try:
            train, validation = train_test_split(rows, stratify=labels, **split)
        except ValueError:  # too few rows of a class
            train, validation = train_test_split(rows, **split)
        yield train, validation


class HPSearchClassifier(TableClassifier, _Search):  # noqa: D101 - that of its base, with its own first words
    __doc__ = (_Search.__doc__ or "").replace("A search", "A classifier: a search", 1)


class HPSearchRegressor(TableRegressor, _Search):  # noqa: D101 - that of its base, with its own first words
    __doc__ = (_Search.__doc__ or "").replace("A search", "A regressor: a search", 1)
