"""Addresses of databases and servers, and the secrets that must stay out of them.

A password in an address ends up in files, logs, error texts and process lists; so it is taken from the
environment alone, and shown nowhere.
"""

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

_USER: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<user>[^/?#\s]*)@")
_SECRET_KEYS: Final = frozenset(
    {"password", "passwd", "pwd", "sslpassword", "token", "access_token", "api_key"}
)
_KEYED: Final = re.compile(rf"(?i)([?&;](?:{'|'.join(sorted(_SECRET_KEYS))})=)[^&;\s]*")


def secret_in(address: str) -> str | None:
    """What an address holds that only its owner should know, in words; None where there is nothing."""
    match = _USER.search(address)
    if match and ":" in match["user"]:
        return "a password"
    if match and match["scheme"].lower() in ("http://", "https://"):
        return "credentials"
    try:
        query = parse_qsl(urlsplit(address).query, keep_blank_values=True)
    except ValueError:  # brackets that no address has
        return "a secret" if _KEYED.search(address) else None
    named = [key for key, _ in query if key.lower() in _SECRET_KEYS]
    return f"the secret {named[0]!r}" if named else None


SERVER_ADDRESS: Final = r"^(postgresql(\+psycopg)?://|sqlite:///.)"
DATABASE_ADDRESS: Final = r"^(postgresql(\+psycopg)?://|(mysql|mariadb)(\+pymysql)?://|sqlite:///.)"
_MEANT: Final = "postgresql://db.example/facts or sqlite:////var/lib/hpsearch/facts.db"
_BY_ENVIRONMENT: Final = (
    "leave it out: PGPASSWORD, PGPASSFILE (~/.pgpass), or HPSEARCH_STORAGE_URL with the whole address, give it "
    "from the environment"
)


def database_fault(
    address: str, *, secrets: bool = False, pattern: str = DATABASE_ADDRESS
) -> tuple[str, str] | None:
    """What is wrong with the address of a database for trials, and what to do; `secrets` may stand in it or not.

    `pattern` is that of the databases that can be used.
    """
    held = secret_in(address)
    if held and not secrets:
        return f"holds {held}, which would be read by whoever reads this", _BY_ENVIRONMENT
    if not re.match(pattern, address) or (re.search(r"[?#]", address) and address.startswith("sqlite")):
        known = "PostgreSQL, MySQL, MariaDB" if "mysql" in pattern else "PostgreSQL"
        rule = f"must be the address of a {known} or SQLite database, got {redacted(address)!r}"
        return rule, f"write {_MEANT}"
    return None


def redacted(text: str) -> str:
    """The text with every password in its addresses replaced by `***`."""
    return _KEYED.sub(r"\1***", _USER.sub(_without_password, text))


def _without_password(match: re.Match[str]) -> str:
    user, colon, _ = match["user"].partition(":")
    return f"{match['scheme']}{user}{':***' if colon else ''}@"


def without_secrets(address: str) -> str:
    """The address as it may be written down: without its password, with its user."""
    bare = _USER.sub(lambda match: f"{match['scheme']}{match['user'].partition(':')[0]}@", address)
    return re.sub(r"[?&]$", "", re.sub(_KEYED.pattern + "&?", lambda found: found[0][0], bare))
