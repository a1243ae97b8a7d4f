"""A MariaDB server of the tests' own: real, on a free port of 127.0.0.1, run by an unprivileged user."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.support.ports import free_port

_PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
_USERS = """
CREATE USER IF NOT EXISTS 'hpsearch'@'127.0.0.1';
GRANT ALL ON *.* TO 'hpsearch'@'127.0.0.1';
CREATE USER IF NOT EXISTS 'guarded'@'127.0.0.1' IDENTIFIED BY 's3cret horse';
CREATE DATABASE IF NOT EXISTS guarded;
GRANT ALL ON guarded.* TO 'guarded'@'127.0.0.1';
"""


class MariadbServer:
    """Started and stopped at will; its data outlive a stop. The user and database `guarded` ask for a password."""

    def __init__(self):
        self._program = shutil.which("mariadbd", path=_PLACES)
        if self._program is None:
            pytest.skip("no MariaDB server binaries found (Debian: apt-get install mariadb-server)")
        self._root = Path(tempfile.mkdtemp(prefix="hpsearch-mariadb-"))
        self._user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(self._root, self._user)
        self.port = free_port()
        self._data = self._root / "data"
        subprocess.run(
            [
                *(shutil.which("mariadb-install-db", path=_PLACES), "--no-defaults", f"--user={self._user}"),
                *(f"--datadir={self._data}", "--skip-test-db", "--auth-root-authentication-method=normal"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=300,
        )
        (self._root / "users.sql").write_text(_USERS)
        (self._root / "users.sql").chmod(0o644)
        self._process, self._databases = None, 0
        self.start()

    def start(self):
        with (self._root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._program, "--no-defaults", f"--user={self._user}", f"--datadir={self._data}"),
                    *("--bind-address=127.0.0.1", f"--port={self.port}", "--skip-name-resolve"),
                    *(f"--socket={self._root / 'socket'}", f"--pid-file={self._root / 'pid'}"),
                    f"--init-file={self._root / 'users.sql'}",
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 120
        while not self._answers():
            assert self._process.poll() is None, (self._root / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.1)

    def stop(self, mode="fast"):
        """`fast`: connections are told; `immediate`: as a crash."""
        self._process.send_signal(signal.SIGTERM if mode == "fast" else signal.SIGKILL)
        self._process.wait(120)

    def new_database(self):
        """The address of an empty database."""
        self._databases += 1
        self.query(f"CREATE DATABASE facts{self._databases}")
        return self.url(f"facts{self._databases}")

    def url(self, database, user="hpsearch"):
        return f"mysql://{user}@127.0.0.1:{self.port}/{database}"

    def query(self, sql, *values):
        """The rows of one statement, in a connection of its own."""
        import pymysql

        with (
            pymysql.connect(host="127.0.0.1", port=self.port, user="hpsearch", autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, values)
            return cursor.fetchall()

    def remove(self):
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self._root, ignore_errors=True)

    def _answers(self):
        import pymysql

        try:
            self.query("SELECT 1")
        except pymysql.Error:
            return False
        return True
