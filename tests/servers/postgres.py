# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""PostgreSQL: a private cluster from the system's programs, without the system's service."""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg2
from psycopg2 import sql

from tests.servers.private_folder import private_folder
from tests.servers.process import ServerFailed, ServerProcess

SUPERUSER = "postgres"
ROLE = "socorro"
# Letters that a URL must quote.
PASSWORD = "a/secret of:the@tests"
_OLDEST = 14
_SERVER_ACCOUNT = "postgres"
# What a crash of the machine could lose, and a crash of the process cannot.
_WITHOUT_SYNC = ("fsync=off", "full_page_writes=off")


class PostgresServer(ServerProcess):
    """A cluster of its own below /var/tmp, with passwords over TCP, gone when closed.

    Committed rows survive a restart and a kill -9; with `durable` it syncs them to the disk as
    well, as in production, which is slower.
    """

    name = "PostgreSQL"
    # "Fast": ends sessions, where SIGTERM would wait for them.
    stop_signal = signal.SIGINT

    def __init__(self, *, durable: bool = False) -> None:
        self._programs = _find_programs()
        super().__init__(private_folder("socorro-postgres-", owner=self.user()))
        self._durable = durable
        self._sockets = self.folder / "sockets"

    @property
    def data(self) -> Path:
        """The folder of the cluster."""
        return self.folder / "data"

    @property
    def socket_folder(self) -> Path:
        """The folder of its unix socket."""
        return self._sockets

    def url(self, database: str) -> str:
        """Return the setting that names a database: ``postgres://USER:PASSWORD@HOST:PORT/NAME``."""
        return f"postgres://{ROLE}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"

    def create_database(self, *, template: str = "") -> str:
        """Make an empty database, or a copy of the one with the URL `template`; return its URL.

        Its owner is an ordinary role, which may make more databases and nothing else. Nobody may
        be connected to the template.
        """
        name = f"socorro_{secrets.token_hex(6)}"
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
            sql.Identifier(name),
            sql.Identifier(ROLE),
            sql.Identifier(_name_of(template) if template else "template0"),
        )
        self._as_superuser(statement)
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove the database of a URL; whoever is connected is cut off."""
        name = sql.Identifier(_name_of(url))
        self._as_superuser(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def prepare(self) -> None:
        """Make the cluster, if there is none; forget a process that was killed."""
        if not self.data.exists():
            self._initialise()
        # `start` has seen that no process is left. Without this, a new process that happens to have
        # the number of the killed one would be taken for it.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for lock in self._sockets.glob(".s.PGSQL.*"):
            lock.unlink()

    def once_ready(self) -> None:
        """Make the role that owns all databases, unless an earlier start did."""
        with closing(self._connect()) as connection, connection, connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE])
            if cursor.rowcount == 0:
                create = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
                cursor.execute(create.format(sql.Identifier(ROLE), sql.Literal(PASSWORD)))

    def close(self) -> None:
        try:
            super().close()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def command(self) -> Sequence[str]:
        settings = [
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self._sockets}",
            f"port={self.port}",
            "max_connections=100",
            "shared_buffers=32MB",
            "logging_collector=off",
            *(() if self._durable else _WITHOUT_SYNC),
        ]
        options = [part for setting in settings for part in ("-c", setting)]
        return [str(self._programs / "postgres"), "-D", str(self.data), *options]

    def is_ready(self) -> bool:
        """Whether it lets its superuser in."""
        try:
            self._connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def environment(self) -> Mapping[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TZ": "UTC"}

    def user(self) -> str | None:
        """PostgreSQL refuses to run as root."""
        return _SERVER_ACCOUNT if os.geteuid() == 0 else None

    def _initialise(self) -> None:
        self._sockets.mkdir(exist_ok=True)
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD)
        if user := self.user():
            shutil.chown(self._sockets, user)
            shutil.chown(password_file, user)
        # Made aside: a cluster that is half made is not taken for one.
        aside = self.folder / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        command = [str(self._programs / "initdb"), "-D", str(aside), "-U", SUPERUSER]
        command += ["--auth=scram-sha-256", f"--pwfile={password_file}"]
        command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=dict(self.environment()),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            check=False,
        )
        if done.returncode != 0:
            raise ServerFailed(f"initdb failed\n{done.stdout}{done.stderr}")
        password_file.unlink()
        aside.rename(self.data)

    def _as_superuser(self, statement: sql.Composed) -> None:
        with closing(self._connect()) as connection:
            # Databases are not made in transactions.
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)

    def _connect(self) -> "psycopg2.extensions.connection":
        return psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            user=SUPERUSER,
            password=PASSWORD,
            dbname="postgres",
            connect_timeout=5,
        )


def _name_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _find_programs() -> Path:
    """Return the folder of the newest server programs: Debian keeps them off PATH."""
    versions = {int(path.parts[-3]): path.parent for path in _debian_initdbs()}
    if versions and max(versions) >= _OLDEST:
        return versions[max(versions)]
    on_path = shutil.which("initdb")
    if on_path is None:
        raise ServerFailed(
            f"There is no PostgreSQL {_OLDEST} or newer: as root, run tools/install-system-packages"
        )
    return Path(on_path).resolve().parent


def _debian_initdbs() -> list[Path]:
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return [path for path in found if path.parts[-3].isdigit()]
