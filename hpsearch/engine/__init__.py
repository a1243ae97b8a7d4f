"""K networks learn at once: the training engine, on NumPy alone.

A cohort holds networks of one shape; everything else about them, from the learning rate to the optimizer,
may differ. The leading axis of every array is the network's row, hyperparameters are columns, and all
parameters of all networks lie in one flat buffer.
"""

from hpsearch.engine.activations import ACTIVATIONS
from hpsearch.engine.cohort import Cohort
from hpsearch.engine.default_networks import Inputs
from hpsearch.engine.epoch import EpochStatistics
from hpsearch.engine.initializers import INITIALIZERS
from hpsearch.engine.layers.kind import ShapeError
from hpsearch.engine.losses import LOSSES, evaluate, probabilities
from hpsearch.engine.member import Member, working_set
from hpsearch.engine.network import Buffers, Network
from hpsearch.engine.optimizers import RULES
from hpsearch.engine.plan import Plan, inputs_of, plan_of, stored_plan
from hpsearch.engine.prediction import forward
from hpsearch.engine.probes import is_sampled, sampled_epochs
from hpsearch.engine.schedules import SCHEDULES
from hpsearch.engine.weights import Weights

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "LOSSES",
    "RULES",
    "SCHEDULES",
    "Buffers",
    "Cohort",
    "EpochStatistics",
    "Inputs",
    "Member",
    "Network",
    "Plan",
    "ShapeError",
    "Weights",
    "evaluate",
    "forward",
    "inputs_of",
    "is_sampled",
    "plan_of",
    "probabilities",
    "sampled_epochs",
    "stored_plan",
    "working_set",
]
