"""How the search goes on, `early_stopping` to `budget`; where it is kept and shown, `storage` and `tracking`."""

import importlib.util
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainValidator, model_serializer, model_validator

from hpsearch.addresses import DATABASE_ADDRESS, database_fault, secret_in
from hpsearch.spec.findings import Finding, error, raise_all, show, suggestion
from hpsearch.spec.goal import Stopping
from hpsearch.spec.rules import Form, Rule
from hpsearch.spec.samplers import METHODS
from hpsearch.spec.section import Section

PRUNING_RULES: Final = ("none", "median", "percentile", "halving", "hyperband")

_OFF: Final = (None, False, "none", "off")
_AMOUNT: Final = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_SPAN: Final = rf"(?=.)(?:{_AMOUNT}h)?(?:{_AMOUNT}m)?(?:{_AMOUNT}s)?"
_SECONDS: Final = Rule(kind="number", above=0, maximum=1e9)
_TIME: Final = Form(
    "`90s`, `30m`, `2h`, `1h30m`, or a number of seconds; or null",
    {"anyOf": [{**_SECONDS.schema()}, {"type": "string", "pattern": f"^{_SPAN}$"}, {"type": "null"}]},
)
_WINDOW: Final = Rule(kind="integer", minimum=1, maximum=10_000)
_IN_FLIGHT: Final = Form(
    f"{_WINDOW.words}, or `auto`", {"anyOf": [_WINDOW.schema(), {"enum": ["auto", None]}]}
)


def _epochs(minimum: int, *, nullable: bool = False) -> Rule:
    return Rule(kind="integer", minimum=minimum, maximum=100_000, nullable=nullable)


def is_off(value: Any) -> bool:
    """Whether a short form switches a section off: null, false, none, off."""
    return any(value is off or (isinstance(off, str) and value == off) for off in _OFF)


class EarlyStopping(Section):
    """When a trial has learned what it can: by the first objective's metric, epoch by epoch."""

    short_form = Form("`none`", {"enum": list(_OFF)})

    patience: Annotated[int | None, _epochs(1, nullable=True)] = Field(
        default=5, description="the epochs without improvement after which a trial stops; null: never"
    )
    min_delta: Annotated[float, Rule(kind="number", minimum=0, maximum=1e6)] = Field(
        default=1e-4, description="what counts as an improvement"
    )
    restore_best: Annotated[bool, Rule(kind="boolean")] = Field(
        default=True, description="whether the weights of the best epoch are kept, rather than the last ones"
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"patience": None} if is_off(value) else value

    @property
    def plain(self) -> Stopping:
        """The same as plain values."""
        return Stopping(patience=self.patience, min_delta=self.min_delta, restore_best=self.restore_best)


class Pruning(Section):
    """When a trial is given up because others did better at its age."""

    short_form = Form("a rule", {"enum": [*PRUNING_RULES, *(off for off in _OFF if off != "none")]})

    rule: Annotated[
        Literal["none", "median", "percentile", "halving", "hyperband"],
        Rule(kind="choice", choices=PRUNING_RULES),
    ] = Field(default="median", description="the rule; several objectives allow `none` alone")
    warmup_epochs: Annotated[int, _epochs(0)] = Field(
        default=3, description="the epochs in which no trial is pruned"
    )
    startup_trials: Annotated[int, Rule(kind="integer", minimum=0, maximum=1_000_000)] = Field(
        default=5, description="the trials that must have finished before one is pruned"
    )
    percentile: Annotated[float, Rule(kind="number", above=0, below=100)] = Field(
        default=25.0,
        description="for `percentile`: the share of best trials, in percent, that a trial must belong to",
    )
    reduction_factor: Annotated[int, Rule(kind="integer", minimum=2, maximum=100)] = Field(
        default=3, description="for `halving` and `hyperband`: one trial of so many goes on at each rung"
    )
    min_epochs: Annotated[int, _epochs(1)] = Field(
        default=1,
        description="for `halving` and `hyperband`: the epoch of the first rung; they ration epochs, so give "
        "`epochs` one value in the space",
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if is_off(value):
            return {"rule": "none"}
        return {"rule": value} if isinstance(value, str) else value


class Sampler(Section):
    """Who proposes the next trial's parameters. Options are written next to the name."""

    short_form = Form("a name", {"enum": list(METHODS)})

    name: Annotated[
        Literal["tpe", "random", "grid", "qmc", "cmaes", "nsga2", "gp"],
        Rule(kind="choice", choices=tuple(METHODS)),
    ] = Field(default="tpe", description="the method")
    options: Annotated[Mapping[str, Any], Form("see [samplers](#samplers-and-their-options)", {})] = Field(
        default_factory=dict, description="the method's own options, by their names"
    )

    @model_validator(mode="before")
    @classmethod
    def _inline_options(cls, value: Any) -> Any:
        """`{name: tpe, n_startup_trials: 5}` with its options apart, after they were checked."""
        if isinstance(value, str):
            return {"name": value}
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("options"), Mapping):  # the constructor's form
            value = {key: item for key, item in value.items() if key != "options"} | dict(value["options"])
        name = value.get("name", "tpe")
        options = {key: item for key, item in value.items() if key != "name"}
        if isinstance(name, str) and name in METHODS:
            raise_all(_wrong_options(name, options), "sampler")
            options = {key: METHODS[name].options[key].rule.normal(item) for key, item in options.items()}
        return {"name": name, "options": options}

    @model_validator(mode="after")
    def _is_installed(self) -> "Sampler":
        needs = METHODS[self.name].needs
        if needs and importlib.util.find_spec(needs) is None:
            finding = Finding(
                ("name",), f"{self.name} needs PyTorch, which is not installed", f"pip install {needs}"
            )
            raise_all([finding], "sampler")
        return self

    @model_serializer(mode="plain")
    def _inline(self) -> dict[str, Any]:
        return {"name": self.name, **self.options}


def _wrong_options(name: str, options: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with the options that stand next to a sampler's name."""
    known = METHODS[name].options
    found = []
    for key, value in options.items():
        if key not in known:
            has = f"it takes {', '.join(known)}" if known else "it takes none"
            found.append(
                Finding((key,), f"unknown option of {name}", suggestion(key, ["name", *known], otherwise=has))
            )
        elif wrong := known[key].rule.finding(value):
            found.append(wrong.below(key))
    return found


def _seconds(value: Any) -> float | None:
    """A time span: `30m`, `2h`, `1h30m`, `90s`, or a number of seconds."""
    if value is None:
        return None
    if isinstance(value, str):
        match = re.fullmatch(_SPAN, value)
        if match is None:
            raise error(f"must be a time span, got {show(value)}", "write 90s, 30m, 2h or 1h30m")
        value = sum(float(part or 0) * unit for part, unit in zip(match.groups(), (3600, 60, 1), strict=True))
    wrong = _SECONDS.finding(value)
    if wrong:
        raise error(wrong.rule, wrong.remedy or "it is in seconds, or a span such as 30m")
    return float(value)


def _in_flight(value: Any) -> int | None:
    if value is None or value == "auto":
        return None
    wrong = _WINDOW.finding(value)
    if wrong:
        raise error(wrong.rule, wrong.remedy or "or auto")
    return int(value)


class Budget(Section):
    """When the search ends: a total for the study, however often it is interrupted and resumed."""

    trials: Annotated[int, Rule(kind="integer", minimum=1, maximum=10_000_000)] = Field(
        default=50, description="the number of trials, in all; raising it later continues the study"
    )
    time: Annotated[float | None, PlainValidator(_seconds), _TIME] = Field(
        default=None, description="the time for one run: 90s, 30m, 2h, 1h30m, or seconds; null: unlimited"
    )
    failures: Annotated[int | None, Rule(kind="integer", minimum=1, maximum=1_000_000, nullable=True)] = (
        Field(
            default=20,
            description="the trials that may fail or diverge one after another, by their numbers, before the "
            "search gives up; null: any number",
        )
    )
    in_flight: Annotated[int | None, PlainValidator(_in_flight), _IN_FLIGHT] = Field(
        default=None,
        description="how many trials are proposed before their forerunners are known; it decides the trial "
        "table, the number of workers does not; `auto` grows with the number of finished trials",
    )


def _no_secret(value: Any) -> str | None:
    """An address of MLflow; a server's credentials come from the environment."""
    wrong = _OPTIONAL_TEXT.finding(value)
    if wrong:
        raise error(wrong.rule, wrong.remedy)
    if value is not None and (held := secret_in(value)):
        raise error(f"holds {held}, which would be read by whoever reads this", _MLFLOW_CREDENTIALS)
    return None if value is None else str(value)


def _database(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise error(
            f"must be the address of a database, got {show(value)}", "such as postgresql://db.example/facts"
        )
    fault = database_fault(value)
    if fault:
        raise error(*fault)
    return value


def _outage(value: Any) -> float:
    if value is None:
        raise error("must be a time span, got nothing (null)", "write 0 for no waiting")
    return 0.0 if value == 0 and not isinstance(value, bool) else float(_seconds(value) or 0.0)


_OPTIONAL_TEXT: Final = Rule(
    kind="text", pattern=r"\S", pattern_words="text that is not blank", nullable=True
)


_MLFLOW_CREDENTIALS: Final = (
    "leave it out: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, give it from the "
    "environment"
)
_ADDRESS: Final = Form(
    "the address of an MLflow tracking server or database, without credentials; or null",
    {"type": ["string", "null"], "pattern": r"\S"},
)
_DATABASE: Final = Form(
    "`postgresql://host/database`, `mysql://host/database` or `sqlite:///path`, without a password; or null",
    {"type": ["string", "null"], "pattern": DATABASE_ADDRESS},
)
_OUTAGE: Final = Form(
    "`90s`, `2m`, `1h`, or a number of seconds",
    {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 1e9},
            {"type": "string", "pattern": f"^{_SPAN}$"},
        ]
    },
)


class Storage(Section):
    """Where trials are kept. It decides nothing of the search. `--storage` and $HPSEARCH_STORAGE_URL go before it."""

    url: Annotated[str | None, PlainValidator(_database), _DATABASE] = Field(
        default=None,
        description="the database that holds the trials, for a team; null: a journal file in the store; the password "
        "comes from the environment (PGPASSWORD, PGPASSFILE)",
    )
    max_outage: Annotated[float, PlainValidator(_outage), _OUTAGE] = Field(
        default=120.0, description="how long the search waits for a database that is away"
    )


class Tracking(Section):
    """Where trials are shown. It decides nothing of the search."""

    uri: Annotated[str | None, PlainValidator(_no_secret), _ADDRESS] = Field(
        default=None,
        description="the MLflow tracking server or database; null: the embedded one in the store; credentials come "
        "from the environment (MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD)",
    )
    experiment: Annotated[str | None, _OPTIONAL_TEXT] = Field(
        default=None, description="the name of the MLflow experiment; null: the study's name"
    )
