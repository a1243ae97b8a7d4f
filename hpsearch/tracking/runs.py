"""Which run of MLflow belongs to a trial, without asking MLflow."""

import json

from hpsearch.store import Store, StudyHome
from hpsearch.tracking.identity import known_runs_file, load_identity


def run_id(store: Store, home: StudyHome, trial: int | None) -> str | None:
    """The id of a trial's run, or of the study's own (None).

    None where it is not known: the study was never tracked, or its server has not been written to the end
    yet.

    Raises:
        StorageError: the study's `tracking.json` is damaged.
    """
    del store  # the identity knows where the study is projected to
    identity = load_identity(home)
    if identity is None:
        return None
    try:
        known = json.loads(known_runs_file(home).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return identity.run_id(trial) if identity.uri is None else None
    found = known.get("study" if trial is None else str(trial))
    return None if found is None else str(found)
