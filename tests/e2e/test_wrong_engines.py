# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""An engine that cannot be used ends each process at its start, with one sentence."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.fleet import Fleet
from tests.servers import PostgresServer, S3Server, SqsServer
from tests.servers.ports import free_port

pytestmark = pytest.mark.e2e

ROOMS = ("run", "collector", "processor", "webapp", "cronrun")
# Of a wrong setting, and of a gunicorn that is not to start its workers again.
CODES = (78, 3)
Settings = Mapping[str, str]


@dataclass(frozen=True)
class Real:
    """The real servers, and settings that work."""

    s3: S3Server
    sqs: SqsServer
    postgres: PostgresServer
    settings: Settings

    @property
    def password(self) -> str:
        return urlsplit(self.settings["DATABASE_URL"]).password or ""


@pytest.fixture(scope="module")
def real(
    shared_fleet: Fleet, s3_server: S3Server, sqs_server: SqsServer, postgres_server: PostgresServer
) -> Real:
    return Real(s3_server, sqs_server, postgres_server, shared_fleet.settings)


def _elsewhere(url: str) -> str:
    """Return a URL on a port that nobody listens on."""
    parts = urlsplit(url)
    return url.replace(f":{parts.port}", f":{free_port()}")


@dataclass(frozen=True)
class Wrong:
    """A wrong setting, what the sentence must say, and who needs the engine."""

    name: str
    value: Callable[[Real], str]
    sentence: str
    rooms: tuple[str, ...] = ROOMS


# All read their settings alike.
_ANY_ROOM = ("collector",)
_DATABASE_ROOMS = ("run", "webapp", "cronrun")
# A collector takes reports while its queue is down: tests/collector/test_startup.py.
_NOT_THE_COLLECTOR = ("run", "processor", "webapp", "cronrun")
WRONG = {
    "storage URL": Wrong("CRASH_STORAGE", lambda real: "s4://crashes", "must be fs://", _ANY_ROOM),
    "bucket name": Wrong(
        "CRASH_STORAGE", lambda real: "s3://Crashes", "must name a bucket", _ANY_ROOM
    ),
    "missing bucket": Wrong(
        "CRASH_STORAGE", lambda real: real.s3.url("no-such-bucket"), "there is no such bucket"
    ),
    "S3 unreachable": Wrong(
        "CRASH_STORAGE",
        lambda real: f"s3://crashes?endpoint=http://127.0.0.1:{free_port()}",
        "cannot be reached",
    ),
    "fallback bucket missing": Wrong(
        "FALLBACK_STORAGE",
        lambda real: real.s3.url("no-such-bucket"),
        "there is no such bucket",
        _ANY_ROOM,
    ),
    "fallback that is the storage itself": Wrong(
        "FALLBACK_STORAGE",
        lambda real: real.settings["CRASH_STORAGE"],
        "must be another place than CRASH_STORAGE",
        _ANY_ROOM,
    ),
    "telemetry bucket missing": Wrong(
        "TELEMETRY_STORAGE",
        lambda real: real.s3.url("no-such-bucket"),
        "there is no such bucket",
        ("run", "processor"),
    ),
    "queue URL": Wrong(
        "CRASH_QUEUE", lambda real: "sqs://crashes/x", "must be sqs://NAME", _ANY_ROOM
    ),
    "FIFO queue": Wrong("CRASH_QUEUE", lambda real: "sqs://x?standard=x.fifo", "FIFO", _ANY_ROOM),
    "missing queue": Wrong(
        "CRASH_QUEUE", lambda real: real.sqs.url("missing"), "there is no queue missing-"
    ),
    "SQS unreachable": Wrong(
        "CRASH_QUEUE",
        lambda real: f"sqs://crashes?endpoint=http://127.0.0.1:{free_port()}",
        "cannot be reached",
        _NOT_THE_COLLECTOR,
    ),
    "database URL": Wrong("DATABASE_URL", lambda real: "mysql://x/y", "must be sqlite", _ANY_ROOM),
    "database password": Wrong(
        "DATABASE_URL",
        lambda real: real.settings["DATABASE_URL"].replace(f":{real.password}@", ":wrong-one@"),
        "password",
        _DATABASE_ROOMS,
    ),
    "unknown database": Wrong(
        "DATABASE_URL",
        lambda real: real.postgres.url("no_such_database"),
        "no_such_database",
        _DATABASE_ROOMS,
    ),
    "PostgreSQL unreachable": Wrong(
        "DATABASE_URL",
        lambda real: _elsewhere(real.settings["DATABASE_URL"]),
        "127.0.0.1",
        _DATABASE_ROOMS,
    ),
}
CASES = [(case, room) for case, wrong in WRONG.items() for room in wrong.rooms]


@pytest.mark.parametrize(("case", "room"), CASES)
def test_a_wrong_engine_is_one_sentence_that_names_the_setting(
    real: Real, tmp_path: Path, case: str, room: str
) -> None:
    wrong = WRONG[case]
    changed = {**real.settings, wrong.name: wrong.value(real)}
    sentence = refused(room, changed, tmp_path)
    assert wrong.name in sentence
    assert wrong.sentence in sentence
    assert real.password not in sentence
    assert "wrong-one" not in sentence


@pytest.mark.parametrize("room", ROOMS)
def test_refused_credentials_are_one_sentence_that_names_the_setting(
    real: Real, tmp_path: Path, room: str
) -> None:
    changed = {**real.settings, "AWS_SECRET_ACCESS_KEY": "a-wrong-secret"}
    sentence = refused(room, changed, tmp_path)
    assert "CRASH_STORAGE" in sentence
    assert "the credentials are refused (SignatureDoesNotMatch)" in sentence
    assert "a-wrong-secret" not in sentence


def refused(room: str, settings: Settings, folder: Path) -> str:
    """Start a process that must not start; return the one line that it prints."""
    environment = {
        **os.environ,
        **settings,
        "SOCORRO_DATA": str(folder / "data"),
        "COLLECTOR_PORT": str(free_port()),
        "WEBAPP_PORT": str(free_port()),
        "LOG_LEVEL": "WARNING",
    }
    done = subprocess.run(
        [sys.executable, "-m", "socorro", room],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    output = (done.stdout + done.stderr).strip()
    assert done.returncode in CODES, output
    assert "Traceback" not in output
    assert len(output.splitlines()) == 1, output
    assert output.endswith(".")
    return output


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["queue"], "CRASH_QUEUE"),
        (["manage", "createsuperuser", "--noinput", "--username=x", "--email="], "DATABASE_URL"),
        (["cronrun", "--list"], "DATABASE_URL"),
        (["migrate"], "DATABASE_URL"),
        (["provision"], "CRASH_STORAGE"),
        (["search", "rebuild"], "CRASH_STORAGE"),
    ],
)
def test_a_command_whose_engine_is_away_says_so_in_one_sentence(
    real: Real, tmp_path: Path, command: list[str], name: str
) -> None:
    nowhere = f"endpoint=http://127.0.0.1:{free_port()}"
    away = {
        "CRASH_STORAGE": f"s3://crashes?{nowhere}",
        "CRASH_QUEUE": f"sqs://crashes?{nowhere}",
        "DATABASE_URL": _elsewhere(real.settings["DATABASE_URL"]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "socorro", *command],
        env={
            **os.environ,
            **real.settings,
            name: away[name],
            "SOCORRO_DATA": str(tmp_path),
            "DJANGO_SUPERUSER_PASSWORD": "x",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (69, 78), done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "127.0.0.1" in done.stderr
    assert real.password not in done.stderr
