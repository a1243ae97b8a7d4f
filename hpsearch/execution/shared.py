"""Training data in a directory that driver and workers share, under a name that says what is in it."""

import os
import shutil
from pathlib import Path
from uuid import uuid4

from hpsearch.data.mapped import content, copied, located
from hpsearch.data.prepared import TrainingData
from hpsearch.errors import TrainingError


def share(data: TrainingData, directory: str) -> TrainingData:
    """The data with the place of each array for the array: files in the directory, written once for all runs.

    Raises:
        TrainingError: the directory cannot be written.
    """
    home = Path(directory).expanduser().absolute() / f"hpsearch-{content(data)}"
    draft = home.with_name(f".{home.name}-{os.getpid()}-{uuid4().hex}")
    try:
        if not home.is_dir():
            draft.mkdir(parents=True)
            copied(data, draft)
            draft.rename(home)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        if not home.is_dir():  # else another driver was faster, with the same data
            raise TrainingError(
                f"{home}: the data cannot be written for the cluster's workers ({error.strerror}); name another "
                "directory in cluster.shared"
            ) from error
    return located(data, home)
