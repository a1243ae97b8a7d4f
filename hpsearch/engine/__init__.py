"""K networks learn at once: the training engine, on NumPy alone.

A cohort holds networks of one shape; everything else about them, from the learning rate to the optimizer,
may differ. The leading axis of every array is the network's row, hyperparameters are columns, and all
parameters of all networks lie in one flat buffer.
"""

from hpsearch.engine.activations import ACTIVATIONS
from hpsearch.engine.cohort import Cohort, EpochStatistics
from hpsearch.engine.initializers import INITIALIZERS
from hpsearch.engine.losses import LOSSES, evaluate, probabilities
from hpsearch.engine.member import Member, working_set
from hpsearch.engine.network import Layout, Network, Weights, forward
from hpsearch.engine.optimizers import RULES
from hpsearch.engine.schedules import SCHEDULES

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "LOSSES",
    "RULES",
    "SCHEDULES",
    "Cohort",
    "EpochStatistics",
    "Layout",
    "Member",
    "Network",
    "Weights",
    "evaluate",
    "forward",
    "probabilities",
    "working_set",
]
