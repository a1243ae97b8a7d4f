"""What to do where a tracking server asks for credentials, or does not take those that it gets."""

import re
from typing import Final

_CODE: Final = re.compile(r"error code (401|403)\b|^(401|403) ")
_VARIABLES: Final = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"


def refusal(status: int) -> str | None:
    """The words for an answer's status, None where it is no refusal."""
    if status == 401:
        return f"refuses the credentials (401): set {_VARIABLES} in the environment"
    if status == 403:
        return "refuses (403): the user may not do this, or the server is not to be reached under this name"
    return None


def refusal_in(error: BaseException) -> str | None:
    """The same, for what MLflow's client raised."""
    found = _CODE.search(str(error))
    return refusal(int(found[1] or found[2])) if found else None
