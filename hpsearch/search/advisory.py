"""One driver a study on PostgreSQL: an advisory lock of the session that writes, with its holder's name on it.

The server lets go of the lock when the session ends: at once where the driver's process dies, within a minute where its
whole machine is gone (the session asks for TCP keepalives). A pooler in transaction mode would break it.
"""

import hashlib
import os
import re
import secrets
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from sqlalchemy.exc import OperationalError

from hpsearch.errors import StudyBusyError

_TRIES: Final = 10
_PAUSE: Final = 0.1
_SIGNED: Final = re.compile(r"hpsearch (?P<pid>[0-9]+)@(?P<host>\S+) (?P<since>\S+) [0-9a-f]{4}")
_TAKE: Final = "SELECT pg_try_advisory_lock(%s)"
_HOLDER: Final = """
SELECT a.pid, a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32) | l.objid::bigint = %s
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who wants the lock, in the 63 bytes that a session's `application_name` has."""

    name: str

    @classmethod
    def this_process(cls) -> Self:
        """This process, from now on; the last word tells it from another in the same process."""
        host = re.sub(r"[^!-~]", "?", socket.gethostname())[:20]
        return cls(
            f"hpsearch {os.getpid()}@{host} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {secrets.token_hex(2)}"
        )


def take_lock(raw: Any, study: str, holder: Holder) -> None:
    """Take a study's lock for a new psycopg connection, which is closed where that fails.

    A session of our own that the server has not noticed to be dead is ended.

    Raises:
        StudyBusyError: another driver has the lock; the message says who, where and since when.
        OperationalError: the server went away.
    """
    import psycopg  # noqa: PLC0415 - an extra

    try:
        _take(raw, study, holder)
    except psycopg.Error as error:
        raw.close()
        raise OperationalError(_TAKE, None, error) from error
    except StudyBusyError:
        raw.close()
        raise


def _take(raw: Any, study: str, holder: Holder) -> None:
    key = lock_key(study)
    other = None
    with raw.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", (holder.name,))
        for _ in range(_TRIES):
            if cursor.execute(_TAKE, (key,)).fetchone()[0]:
                raw.commit()
                return
            other = cursor.execute(_HOLDER, (key,)).fetchone() or other
            if other and other[1] == holder.name:
                cursor.execute("SELECT pg_terminate_backend(%s)", (other[0],))
            raw.commit()  # a transaction sees the activity of its beginning
            time.sleep(_PAUSE)
    raise StudyBusyError(
        f"the study is being run by {_words(other[1] if other else '')} (advisory lock {key}); "
        "wait for it, or stop it first"
    )


def lock_key(study: str) -> int:
    """The study's number among the database's advisory locks: 63 bits of a hash of its name."""
    digest = hashlib.sha256(f"hpsearch/{study}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1


def _words(application_name: str) -> str:
    signed = _SIGNED.fullmatch(application_name)
    if signed is None:
        return "another process"
    return f"process {signed['pid']} on {signed['host']} since {signed['since']}"
