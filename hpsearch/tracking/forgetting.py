"""Taking a study's runs out of MLflow."""

import os

from hpsearch.errors import TrackingError
from hpsearch.store import Store, StudyHome
from hpsearch.tracking.environment import quieten
from hpsearch.tracking.identity import load_identity
from hpsearch.tracking.place import embedded_uri


def forget(store: Store, home: StudyHome) -> int:
    """Mark the runs of a study in MLflow as deleted; how many there were. `mlflow gc` frees their space.

    Raises:
        TrackingError: MLflow cannot be reached.
        StorageError: the study's `tracking.json` is damaged.
    """
    identity = load_identity(home)
    if identity is None or (identity.uri is None and not store.database.exists()):
        return 0
    quieten(os.environ)
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - takes seconds

    from hpsearch.tracking.client import runs_of  # noqa: PLC0415 - likewise

    try:
        client, runs = runs_of(identity.uri or embedded_uri(store), identity.creation)
        for run_id in runs:
            client.delete_run(run_id)
    except MlflowException as error:
        raise TrackingError(
            f"the runs of {home.key} in MLflow could not be deleted: {error.message}"
        ) from error
    return len(runs)
