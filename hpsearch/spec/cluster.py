"""Where trials are trained: the section `cluster`."""

from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from hpsearch.spec.rules import Form, Rule
from hpsearch.spec.section import Section

_ADDRESS: Final = Rule(
    kind="text",
    pattern=r"^((tcp|tls|ws|wss)://)?([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$",
    pattern_words="the address of a Dask scheduler, such as tcp://10.0.0.1:8786",
    nullable=True,
)
_DIRECTORY: Final = Rule(kind="text", pattern=r"\S", pattern_words="a directory", nullable=True)


class Cluster(Section):
    """Where trials are trained. It decides nothing of the search: the table is that of one core."""

    short_form = Form("an address", {"type": "string", "pattern": _ADDRESS.pattern or ""})

    address: Annotated[str | None, _ADDRESS] = Field(
        default=None,
        description="the Dask scheduler whose workers train (`--cluster`); null: this machine's processes",
    )
    shared: Annotated[str | None, _DIRECTORY] = Field(
        default=None,
        description="a directory that this machine and all workers see under this path: the data are written there "
        "once and mapped, rather than sent to every worker",
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"address": value} if value is None or isinstance(value, str) else value
