"""What a study would try, and what it would cost: known before it is run."""

from hpsearch.preview.calibration import calibrate
from hpsearch.preview.course import Course, course_of
from hpsearch.preview.estimate import Estimate, estimate

__all__ = ["Course", "Estimate", "calibrate", "course_of", "estimate"]
