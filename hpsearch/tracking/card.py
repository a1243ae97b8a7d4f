"""What the projection needs to know of a study, gathered from its home."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from hpsearch.store import StudyHome
from hpsearch.tracking.identity import Identity

if TYPE_CHECKING:
    from hpsearch.spec import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCard:
    """A study's name tag.

    `objectives` are (metric, "minimize" | "maximize"), the first of which decides. `searched` are the
    parameters that vary, in the file's order; `log_scaled` those sampled on a logarithmic scale,
    `conditional` those that not every trial has. `settings` are shown as the study run's parameters.
    `identity.creation` tells this study from another of the same name. `split` tells how the data are divided from any
    other way: studies of the same data and `split` have the same test rows; None for the search of an outer fold, whose
    model is an estimate's and is not registered.
    """

    key: str
    identity: Identity
    objectives: tuple[tuple[str, str], ...]
    searched: tuple[str, ...]
    log_scaled: frozenset[str] = frozenset()
    conditional: frozenset[str] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict)
    split: str | None = ""

    @property
    def experiment(self) -> str:
        """The MLflow experiment that holds the study's runs."""
        return self.identity.experiment or self.key

    @property
    def minimize(self) -> bool:
        """Whether a smaller first objective is better."""
        return self.objectives[0][1] == "minimize"

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"log_scaled": sorted(self.log_scaled), "conditional": sorted(self.conditional)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "StudyCard":
        """The card that `to_json` gave."""
        sets = {name: frozenset(value[name]) for name in ("log_scaled", "conditional")}
        objectives = tuple((metric, direction) for metric, direction in value["objectives"])
        identity, searched = Identity(**value["identity"]), tuple(value["searched"])
        return cls(**{**value, **sets, "objectives": objectives, "identity": identity, "searched": searched})


def read_card(home: StudyHome, identity: Identity) -> StudyCard:
    """The card of the study that lives in `home`.

    Raises:
        SpecError: the stored study file is damaged.
    """
    from hpsearch.spec import load_study  # noqa: PLC0415 - pydantic

    return card_of(load_study(home.study_file), home, identity)


def card_of(spec: "StudySpec", home: StudyHome, identity: Identity) -> StudyCard:
    """The card of a study whose file has been read."""
    from hpsearch.spec import Fixed, Range  # noqa: PLC0415 - pydantic

    told = json.dumps([spec.written()["data"]["split"], spec.seed], sort_keys=True)
    return StudyCard(
        key=home.key,
        identity=identity,
        split=None if spec.data.split.outer else hashlib.sha256(told.encode()).hexdigest()[:16],
        objectives=tuple((objective.metric, objective.direction) for objective in spec.objectives),
        searched=tuple(name for name, parameter in spec.space.items() if not isinstance(parameter, Fixed)),
        log_scaled=frozenset(
            name for name, parameter in spec.space.items() if isinstance(parameter, Range) and parameter.log
        ),
        conditional=frozenset(name for name, parameter in spec.space.items() if parameter.when),
        settings={
            "data.source": spec.data.source,
            "seed": spec.seed,
            "sampler": spec.sampler.name,
            "pruning": spec.pruning.rule,
            **{
                "objective"
                if index == 0
                else f"objective_{index + 1}": f"{objective.direction} {objective.metric}"
                for index, objective in enumerate(spec.objectives)
            },
        },
    )
