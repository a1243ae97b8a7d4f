"""What databases say when something is wrong, in one line, without statements, values and passwords."""

from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import shorten
from typing import Final

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from hpsearch.addresses import redacted
from hpsearch.errors import InputError, Problem, StorageError

_SOURCES: Final = {
    "psycopg": "; a password comes from PGPASSWORD, PGPASSFILE (~/.pgpass) or HPSEARCH_STORAGE_URL in the environment",
    "pymysql": "; a password comes from HPSEARCH_STORAGE_URL in the environment",
}
_EXTRAS: Final = {"psycopg": ("PostgreSQL", "postgres"), "pymysql": ("MySQL", "mysql")}


@contextmanager
def sql_errors(label: str) -> Iterator[None]:
    """Whatever the database, its driver or Optuna raises becomes an error that names the place and the reason.

    Raises:
        StorageError: the database cannot be reached, or refuses. InputError: its driver is not installed.
    """
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise StorageError(f"{label}: {reason(error)}") from None
    except ModuleNotFoundError as error:
        raise missing_driver(label, error) from None
    except RuntimeError as error:  # Optuna's word for tables of another version
        raise StorageError(f"{label}: {error}") from None


def reason(error: BaseException) -> str:
    """The driver's own first line."""
    inmost = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
    said = inmost.orig if isinstance(inmost, DBAPIError) and inmost.orig is not None else inmost
    first = (str(said).strip().splitlines() or [type(said).__name__])[0]
    text = shorten(redacted(first), 300, placeholder=" ...")
    driver = type(said).__module__.partition(".")[0]
    return text + (_SOURCES.get(driver, "") if "password" in text else "")


def missing_driver(label: str, error: ModuleNotFoundError) -> InputError:
    """The extra that brings a driver."""
    server, extra = _EXTRAS.get(error.name or "", ("the database", "all"))
    return InputError(
        Problem(
            place=label,
            rule=f"{server} needs the package {error.name}, which is not installed",
            remedy=f"pip install 'hpsearch[{extra}]'",
        )
    )
