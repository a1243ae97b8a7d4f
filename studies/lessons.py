"""All studies that come along, by name."""

from typing import Final

from studies.data_sets import DATA_SETS
from studies.experiments import EXPERIMENTS

LESSONS: Final = {lesson.study: lesson for lesson in (*DATA_SETS, *EXPERIMENTS)}
"""In the order in which `make studies` runs them: a study comes after those beside it."""
