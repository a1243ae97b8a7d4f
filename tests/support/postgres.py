"""A PostgreSQL server of the tests' own: real, on a free port of 127.0.0.1, run by an unprivileged user."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

PASSWORD = "correct horse/battery@staple"
_RULES = """
host  guarded  all  127.0.0.1/32  scram-sha-256
host  all      all  127.0.0.1/32  trust
"""


def binaries():
    """The directory of the newest server found; None where there is none."""
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = sorted(installed, key=lambda path: float(path.parts[-3]))
    return newest[-1].parent if newest else None


class PostgresServer:
    """Started and stopped at will; its data outlive a stop. The database `guarded` asks for a password."""

    def __init__(self):
        self._bin = binaries()
        if self._bin is None:
            pytest.skip("no PostgreSQL server binaries found (Debian: apt-get install postgresql)")
        self._user = "postgres" if os.geteuid() == 0 and _exists("postgres") else "nobody"
        self._root = Path(tempfile.mkdtemp(prefix="hpsearch-postgres-"))
        self._root.chmod(0o755)
        password = self._root / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(self._root, self._user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._data = self._root / "data"
        self._run(
            "initdb", "-D", self._data, "-U", "hpsearch", "-A", "trust", f"--pwfile={password}", "--no-sync"
        )
        (self._data / "pg_hba.conf").write_text(_RULES)
        self._databases = 0
        self.start()
        for name in ("empty", "guarded"):
            self.query(self.url("postgres"), f"CREATE DATABASE {name}")

    def start(self):
        options = f"-F -h 127.0.0.1 -p {self.port} -c unix_socket_directories='' -c max_connections=40"
        self._run("pg_ctl", "start", "-w", "-D", self._data, "-l", self._root / "log", "-o", options)

    def stop(self, mode="fast"):
        """`fast`: connections are told; `immediate`: as a crash."""
        self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", self._data)

    def new_database(self):
        """The address of an empty database."""
        self._databases += 1
        name = f"facts{self._databases}"
        self.query(self.url("postgres"), f"CREATE DATABASE {name} TEMPLATE empty")
        return self.url(name)

    def url(self, database, user="hpsearch"):
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def query(self, url, sql, *values):
        """The rows of one statement, in a connection of its own."""
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def remove(self):
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self._root, ignore_errors=True)

    def _run(self, program, *arguments):
        as_root = {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}
        done = subprocess.run(
            [self._bin / program, *map(str, arguments)],
            stdout=subprocess.PIPE
            if program != "pg_ctl"
            else subprocess.DEVNULL,  # the server would keep the pipe
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._root,
            check=False,
            timeout=120,
            **(as_root if os.geteuid() == 0 else {}),
        )
        assert done.returncode == 0, f"{program}: {done.stdout}"


def _exists(user):
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
