"""What code takes from a study: its best parameters, its model, its trials."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from hpsearch.errors import UnknownTrialError
from hpsearch.pictures import table_html
from hpsearch.reading import best_trial, metrics_of_study, open_for_reading, selected_trial
from hpsearch.search.fact import ParameterValue, TrialFact
from hpsearch.search.ranking import ranked
from hpsearch.store import Store, StudyHome, load_result
from hpsearch.trial_table import rows_of

if TYPE_CHECKING:
    import pandas as pd

    from hpsearch.export.recipe import Recipe
    from hpsearch.model import TrainedModel

_PROVENANCE: Final = ("study", "trial", "run_id", "fingerprint", "scores", "test", "recipe")


class BestParams(Mapping[str, ParameterValue]):
    """The best trial's parameters: an immutable mapping, `best["l2"]` or `best.l2`, that knows where it comes from.

    Attributes:
        study: the study's name, with its generation (`digits~2`) from the second on.
        trial: the number of the best trial.
        run_id: the trial's run in MLflow; None while MLflow does not have it.
        fingerprint: of the data that the study was run on.
        scores: the trial's validation scores.
        test: the refitted winner's test scores, each a mapping with value, low and high; empty until the
            study has ended.
        recipe: all hyperparameters of the trial, those left at their default too.
    """

    __slots__ = ("_network", "_params", *_PROVENANCE)

    _params: Mapping[str, ParameterValue]
    study: str
    trial: int
    run_id: str | None
    fingerprint: str
    scores: Mapping[str, float]
    test: Mapping[str, Mapping[str, float]]
    recipe: Mapping[str, Any]
    _network: Callable[[], Mapping[str, Any] | None]

    def __init__(
        self,
        params: Mapping[str, ParameterValue],
        *,
        network: Callable[[], Mapping[str, Any] | None],
        **provenance: Any,
    ) -> None:
        object.__setattr__(self, "_params", dict(params))
        object.__setattr__(self, "_network", cache(lambda: _frozen(network())))
        for name in _PROVENANCE:
            object.__setattr__(self, name, _frozen(provenance[name]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are made from plain values."""
        return _best_params_of, (dict(self._params), self.provenance())

    @property
    def network(self) -> Mapping[str, Any] | None:
        """The layers of the refitted network; None until the study has ended."""
        return self._network()

    def provenance(self) -> dict[str, Any]:
        """All attributes, as plain values that JSON can hold."""
        return {name: _thawed(getattr(self, name)) for name in (*_PROVENANCE, "network")}

    def to_torch(self) -> str:
        """The source text of the same network, optimizer and training in PyTorch.

        Raises:
            InputError: the study has not ended yet, its sequences differ in length, its schedule follows what it
                observes, or a trainer of one's own trained.
        """
        from hpsearch.export.torch_source import torch_source  # noqa: PLC0415 - the engine's layers

        return torch_source(self._recipe())

    def to_keras(self) -> str:
        """The same for Keras 3.

        Raises:
            InputError: as `to_torch`, or Keras has no layer that does the same.
        """
        from hpsearch.export.keras_source import keras_source  # noqa: PLC0415 - likewise

        return keras_source(self._recipe())

    def _recipe(self) -> "Recipe":
        from hpsearch.export.recipe import Recipe  # noqa: PLC0415 - likewise

        return Recipe.of_trial(f"study {self.study!r}, trial {self.trial},", self.recipe, self.network)

    def __getitem__(self, name: str) -> ParameterValue:
        return self._params[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def __len__(self) -> int:
        return len(self._params)

    def __getattr__(self, name: str) -> ParameterValue:
        try:
            return self._params[name]
        except KeyError:
            known = ", ".join(self._params)
            raise AttributeError(f"no parameter {name!r}; this study has {known}") from None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(
            f"best parameters cannot be changed (tried to set {name!r}); dict(best) is a copy"
        )

    def __delattr__(self, name: str) -> None:
        raise AttributeError(
            f"best parameters cannot be changed (tried to delete {name!r}); dict(best) is a copy"
        )

    def _repr_html_(self) -> str:
        scores = {name: score["value"] for name, score in self.test.items()}
        head = f"<b>{self.study}</b>, trial {self.trial}"
        return head + table_html("parameter", self._params) + table_html("test score", scores)

    def __repr__(self) -> str:
        params = ", ".join(f"{name}={value!r}" for name, value in self._params.items())
        return f"BestParams({params}; study={self.study!r}, trial={self.trial})"


def _best_params_of(params: Mapping[str, ParameterValue], provenance: Mapping[str, Any]) -> BestParams:
    known = dict(provenance)
    network = known.pop("network")
    return BestParams(params, network=lambda: network, **known)


def _frozen(value: Any) -> Any:
    """Mappings, all the way down, as views that cannot be written to."""
    if isinstance(value, Mapping):
        return MappingProxyType({name: _frozen(item) for name, item in value.items()})
    return value


def _thawed(value: Any) -> Any:
    return {name: _thawed(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def best_params(study: str, *, store: str | Path | None = None) -> BestParams:
    """The parameters of a study's best trial so far, with their provenance; by `select` as the last run had it.

    `study` is a name, of which the latest generation is taken, or a name with a generation (`digits~1`).
    `store` is where `hpsearch run` kept it: `./mlruns` or $HPSEARCH_STORE unless given.

    Raises:
        UnknownStudyError: there is no such study in the store.
        UnknownTrialError: no trial of it has finished.
        StorageError: the store cannot be read.
    """
    # imported here: the name is wanted without MLflow, whose package this one wraps
    from hpsearch.tracking import run_id  # noqa: PLC0415

    place = Store.locate(store)
    home = place.find(study)
    facts = open_for_reading(home)
    fact = selected_trial(home, facts)
    result = load_result(home)
    concluded = result is not None and result["trial"] == fact.number
    return BestParams(
        fact.params,
        study=home.key,
        trial=fact.number,
        run_id=run_id(place, home, fact.number),
        fingerprint=str(facts.attributes["fingerprint"]),
        scores=dict(fact.scores),
        test=result["test"] if result is not None and concluded else {},
        recipe=dict(fact.hyperparameters),
        network=_network_of(home, fact) if concluded else lambda: None,
    )


def _network_of(home: StudyHome, fact: TrialFact) -> Callable[[], Mapping[str, Any] | None]:
    """What makes the network of the files as they are now: the engine's import takes longer than all else."""
    try:
        description = (home.model / "model.json").read_text(encoding="utf-8")
        study_file = home.study_file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return lambda: None

    def make() -> Mapping[str, Any] | None:
        from hpsearch.export.stored_network import stored_network  # noqa: PLC0415 - the engine

        return stored_network(description, study_file, fact)

    return make


def load_model(study: str, *, store: str | Path | None = None) -> "TrainedModel":
    """The refitted winner of a study, with its preprocessing inside: `load_model("digits").predict(inputs)`.

    Raises:
        UnknownStudyError: there is no such study in the store.
        UnknownTrialError: the study has not come to its end yet, or a trainer of one's own trained it.
        StorageError: the model cannot be read.
    """
    home = Store.locate(store).find(study)
    if load_result(home) is None:
        raise UnknownTrialError(
            f"study {home.key!r} has no refitted winner yet; let `hpsearch run` come to its end first"
        )
    if not home.model.is_dir() and (trainer := open_for_reading(home).attributes["canonical"].get("trainer")):
        raise UnknownTrialError(
            f"study {home.key!r} keeps no model: its trainer {trainer} makes one of the best parameters, "
            f"best_params({home.key!r})"
        )
    from hpsearch.model import TrainedModel  # noqa: PLC0415 - the engine

    return TrainedModel.load(home.model)


def leaderboard(study: str, *, store: str | Path | None = None) -> "pd.DataFrame":
    """The trials of a study as a table, best first, then those that have not finished.

    A column for each objective by its metric, each parameter and each score; `trial` is the number.

    Raises:
        UnknownStudyError: there is no such study in the store, or it has no trials yet.
        StorageError: the store cannot be read.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    stored = open_for_reading(Store.locate(store).find(study))
    facts = stored.facts()
    best_first = ranked(facts, stored.directions) + [fact for fact in facts if not fact.finished]
    rows = rows_of(best_first, metrics_of_study(stored.attributes))
    table = pd.DataFrame(rows, columns=list(rows[0]) if rows else None)
    return table.drop(columns=["trial", "objective"]).rename(columns={"number": "trial"}).set_index("trial")


def curves(study: str, trial: int | None = None, *, store: str | Path | None = None) -> "pd.DataFrame":
    """What one trial of a study came to epoch by epoch: a column for each curve, a row for each epoch from 1.

    `trial` is a number; the best trial is taken unless it is given.

    Raises:
        UnknownStudyError: there is no such study in the store, or it has no trials yet.
        UnknownTrialError: the study has no such trial, or none has finished.
        StorageError: the store cannot be read.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    home = Store.locate(store).find(study)
    stored = open_for_reading(home)
    facts = stored.facts()
    if trial is None:
        fact = best_trial(facts, stored.directions, study=home.key)
    elif 0 <= trial < len(facts):
        fact = facts[trial]
    else:
        raise UnknownTrialError(f"study {home.key!r} has trials 0 to {len(facts) - 1}, not {trial}")
    index = pd.RangeIndex(1, fact.epochs + 1, name="epoch")
    return pd.DataFrame({name: curve for name, curve in fact.curves.items() if curve}, index=index)
