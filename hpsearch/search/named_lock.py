"""One driver a study on MySQL and MariaDB: a named lock of the session that writes.

The server lets go of the lock when the session ends: at once where the driver's process dies; where its whole machine
is gone, when the server's operating system gives the connection up, or somebody ends it with KILL.
"""

import hashlib
import time
from typing import Any, Final

from sqlalchemy.exc import OperationalError

from hpsearch.errors import StudyBusyError

_TRIES: Final = 10
_PAUSE: Final = 0.1
_TAKE: Final = "SELECT GET_LOCK(%s, 0)"
_HOLDER: Final = "SELECT IS_USED_LOCK(%s)"
_SESSION: Final = "SELECT CONCAT(USER, ' from ', HOST) FROM information_schema.PROCESSLIST WHERE ID = %s"


class NamedLock:
    """The lock of one study, for the sessions that this process opens one after another."""

    def __init__(self, study: str) -> None:
        self._study = study
        self._ours: set[int] = set()

    def take(self, raw: Any) -> None:
        """Take the lock for a new PyMySQL connection, which is closed where that fails.

        A session of our own that the server has not noticed to be dead is ended.

        Raises:
            StudyBusyError: another driver has the lock; the message says which session, of whom and where.
            OperationalError: the server went away.
        """
        import pymysql  # noqa: PLC0415 - an extra

        try:
            self._take(raw)
        except pymysql.Error as error:
            raw.close()
            raise OperationalError(_TAKE, None, error) from error
        except StudyBusyError:
            raw.close()
            raise

    def _take(self, raw: Any) -> None:
        words = "another process"
        with raw.cursor() as cursor:
            name = lock_name(_one(cursor, "SELECT DATABASE()"), self._study)
            for _ in range(_TRIES):
                if _one(cursor, _TAKE, name) == 1:
                    self._ours.add(raw.thread_id())
                    return
                other = _one(cursor, _HOLDER, name)
                if other in self._ours:
                    cursor.execute("KILL %s", (other,))
                elif other is not None:
                    whose = _one(cursor, _SESSION, other)  # a user may see no sessions but their own
                    words = f"session {other} of the database" + (f", {whose}" if whose else "")
                time.sleep(_PAUSE)
        raise StudyBusyError(
            f"the study is being run by {words} (named lock {name}); wait for it, or stop it first"
        )


def lock_name(database: str, study: str) -> str:
    """The study's name among the server's locks, which all its databases share: at most 64 characters."""
    return f"hpsearch-{hashlib.sha256(f'{database}/{study}'.encode()).hexdigest()[:32]}"


def _one(cursor: Any, statement: str, *values: Any) -> Any:
    cursor.execute(statement, values)
    row = cursor.fetchone()
    return row[0] if row else None
