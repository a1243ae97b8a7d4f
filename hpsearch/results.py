"""What code takes from a study: its best parameters, its model, its trials."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from hpsearch.archive import load_result
from hpsearch.errors import UnknownStudyError, UnknownTrialError
from hpsearch.model import TrainedModel
from hpsearch.search.fact import ParameterValue, TrialFact
from hpsearch.search.facts import FactStore
from hpsearch.search.places import place_of
from hpsearch.search.ranking import ranked
from hpsearch.store import Store, StudyHome

_PROVENANCE: Final = ("study", "trial", "run_id", "fingerprint", "scores", "test")


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
    """

    __slots__ = ("_params", *_PROVENANCE)

    _params: Mapping[str, ParameterValue]
    study: str
    trial: int
    run_id: str | None
    fingerprint: str
    scores: Mapping[str, float]
    test: Mapping[str, Mapping[str, float]]

    def __init__(self, params: Mapping[str, ParameterValue], **provenance: Any) -> None:
        object.__setattr__(self, "_params", dict(params))
        for name in _PROVENANCE:
            object.__setattr__(self, name, _frozen(provenance[name]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are made from plain values."""
        return _best_params_of, (dict(self._params), self.provenance())

    def provenance(self) -> dict[str, Any]:
        """All attributes, as plain values that JSON can hold."""
        return {name: _thawed(getattr(self, name)) for name in _PROVENANCE}

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

    def __repr__(self) -> str:
        params = ", ".join(f"{name}={value!r}" for name, value in self._params.items())
        return f"BestParams({params}; study={self.study!r}, trial={self.trial})"


def _best_params_of(params: Mapping[str, ParameterValue], provenance: Mapping[str, Any]) -> BestParams:
    return BestParams(params, **provenance)


def _frozen(value: Any) -> Any:
    """Mappings, all the way down, as views that cannot be written to."""
    if isinstance(value, Mapping):
        return MappingProxyType({name: _frozen(item) for name, item in value.items()})
    return value


def _thawed(value: Any) -> Any:
    return {name: _thawed(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def best_params(study: str, *, store: str | Path | None = None) -> BestParams:
    """The parameters of a study's best trial so far, with their provenance.

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
    fact = best_trial(facts.facts(), facts.directions, study=home.key)
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
    )


def load_model(study: str, *, store: str | Path | None = None) -> TrainedModel:
    """The refitted winner of a study, with its preprocessing inside: `load_model("digits").predict(inputs)`.

    Raises:
        UnknownStudyError: there is no such study in the store.
        UnknownTrialError: the study has not come to its end yet.
        StorageError: the model cannot be read.
    """
    home = Store.locate(store).find(study)
    if load_result(home) is None:
        raise UnknownTrialError(
            f"study {home.key!r} has no refitted winner yet; let `hpsearch run` come to its end first"
        )
    return TrainedModel.load(home.model)


def best_trial(facts: Sequence[TrialFact], directions: Sequence[str], *, study: str) -> TrialFact:
    """The best finished trial by the first objective; of equals, by the next.

    Raises:
        UnknownTrialError: no trial has finished.
    """
    best = ranked(facts, directions)
    if not best:
        raise UnknownTrialError(f"study {study!r}: none of its {len(facts)} trials has finished")
    return best[0]


def open_for_reading(home: StudyHome) -> FactStore:
    """A study's facts, for reading beside whoever writes them.

    Raises:
        UnknownStudyError: the study has not stored anything yet.
        StorageError: the facts cannot be read.
    """
    place = place_of(home)
    if not FactStore.exists(place, study=home.key):
        raise UnknownStudyError(f"study {home.key!r} holds no trials yet; run it with `hpsearch run FILE`")
    return FactStore.open(place, study=home.key)
