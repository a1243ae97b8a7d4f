"""The network of a study's winner as its store has it: the plan from the model, the rest from the study file."""

import json
from typing import Any

import numpy as np

from hpsearch.engine import Plan
from hpsearch.engine.expansion import expand
from hpsearch.errors import SpecError
from hpsearch.search.fact import TrialFact
from hpsearch.spec import parse_study


def stored_network(description: str, study_file: str, fact: TrialFact) -> dict[str, Any] | None:
    """The plan of the refitted network, as its model's `model.json` describes it.

    Its layers have the dropout and initializers that the trial had, as far as the study file can still be read.
    """
    try:
        described = json.loads(description)
    except ValueError:
        return None
    network = described.get("network") if isinstance(described, dict) else None
    if not isinstance(network, dict):
        return None
    try:
        spec = parse_study(study_file)
        recipe = spec.resolve(fact.params, default_loss=str(fact.hyperparameters["loss"]))
        plan = Plan.from_json(network, np.dtype(np.float32))
    except (ValueError, KeyError, TypeError, SpecError):
        return network
    layers = expand(recipe, plan.inputs, plan.outputs)
    return network | {"layers": [layer.to_json() for layer in layers]}
