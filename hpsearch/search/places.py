"""Where a study's facts are: in a journal file of its home, or in a database, whose address its home keeps."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from hpsearch.addresses import database_fault, without_secrets
from hpsearch.errors import InputError, Problem, StorageError
from hpsearch.store import StudyHome

MAX_OUTAGE: Final = 120.0
STORAGE_VARIABLE: Final = "HPSEARCH_STORAGE_URL"
_SERVERS: Final[tuple[Literal["postgresql", "mysql"], ...]] = ("postgresql", "mysql")


def _silent(message: str) -> None:
    del message


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The address of a database. `address` has no password and may be written down; `url` may have one.

    `max_outage` is how many seconds a write waits for a server that is away; `notify` is told of it.
    """

    address: str
    url: str = field(repr=False)
    max_outage: float = MAX_OUTAGE
    notify: Callable[[str], None] = field(default=_silent, repr=False, compare=False)

    @classmethod
    def at(cls, url: str, *, base: Path | None = None) -> "Database":
        """The database at an address; a relative SQLite path starts from `base`, or the present directory."""
        if url.startswith("sqlite:"):
            path = (base or Path()) / url.removeprefix("sqlite:///")
            url = f"sqlite:///{path.absolute()}"
        url = re.sub(r"^postgresql://", "postgresql+psycopg://", url)
        url = re.sub(r"^(mysql|mariadb)(\+pymysql)?://", "mysql+pymysql://", url)
        return cls(address=without_secrets(url), url=url)

    def told(self, notify: Callable[[str], None], *, max_outage: float) -> "Database":
        """The same place, with a bound for its outages and someone to tell of them."""
        return replace(self, notify=notify, max_outage=max_outage)

    @property
    def kind(self) -> Literal["sqlite", "postgresql", "mysql"]:
        """Whose database it is; MariaDB is MySQL here."""
        for kind in _SERVERS:
            if self.url.startswith(f"{kind}+"):
                return kind
        return "sqlite"

    @property
    def file(self) -> Path | None:
        """SQLite's file, None for a server."""
        return Path(self.url.removeprefix("sqlite:///")) if self.url.startswith("sqlite:") else None

    def studies(self) -> list[str]:
        """The names of all studies in it, other people's too; none where it has no tables yet.

        Raises:
            StorageError: it cannot be reached.
        """
        from hpsearch.search.database import DatabaseMedium  # noqa: PLC0415 - sqlalchemy, where it is used

        medium = DatabaseMedium(self)
        try:
            return medium.studies()
        finally:
            medium.close()


Place = Path | Database


def place_of(home: StudyHome) -> Place:
    """Where the facts of a study are that has been run; the journal where its home says nothing else.

    A password comes from the environment, by libpq's variables or in $HPSEARCH_STORAGE_URL.

    Raises:
        StorageError: the home's `storage.json` is damaged.
    """
    try:
        address = str(json.loads(home.storage.read_text(encoding="utf-8"))["url"])
    except FileNotFoundError:
        return home.facts
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"{home.storage}: cannot be read ({error}); it should say where the trials are, as "
            '{"url": "postgresql+psycopg://..."}'
        ) from error
    return with_password(Database.at(address))


def chosen_database(option: str | None, written: str | None, *, base: Path) -> Database | None:
    """The database that a run names: by --storage, else by $HPSEARCH_STORAGE_URL, else in the study file.

    None where none of them does. The environment alone may hold a password. A relative SQLite path of the study file
    starts from `base`, its directory.

    Raises:
        InputError: it is no address of a database, or an option holds a password.
    """
    given = os.environ.get(STORAGE_VARIABLE)
    for place, address, secrets in (("--storage", option, False), (f"${STORAGE_VARIABLE}", given, True)):
        if address:
            if fault := database_fault(address, secrets=secrets):
                raise InputError(Problem(place=place, rule=fault[0], remedy=fault[1]))
            return with_password(Database.at(address))
    return Database.at(written, base=base) if written else None


def with_password(database: Database) -> Database:
    """The database with the password that $HPSEARCH_STORAGE_URL has for this very address."""
    given = os.environ.get(STORAGE_VARIABLE)
    known = Database.at(given) if given else database
    return replace(database, url=known.url) if known.address == database.address else database


def remember_place(home: StudyHome, place: Place) -> None:
    """Note in the home where the facts are, without a password.

    Raises:
        StorageError: it cannot be written.
    """
    if isinstance(place, Path):
        return
    draft = home.storage.with_name(f".{home.storage.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps({"url": place.address}) + "\n", encoding="utf-8")
        draft.replace(home.storage)
    except OSError as error:
        raise StorageError(f"{home.storage}: cannot be written: {error.strerror}") from error
