# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash Stats while PostgreSQL is away, and once it is back: a real gunicorn, a real server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests
from django.contrib.auth.models import User
from pytest_django import Settings

from tests.contract.processes import wait_until
from tests.databases import Engine, django_on
from tests.servers import PostgresServer
from tests.servers.ports import free_port
from tests.webapp.conftest import PASSWORD
from tests.webapp.crashes import Crashes

THREADS = 4


class Site:
    """Crash Stats at an address, and people who look at it."""

    def __init__(self, address: str, process: "subprocess.Popen[bytes]") -> None:
        self.address = address
        self.process = process

    def get(self, path: str, session: requests.Session | None = None) -> requests.Response:
        return (session or requests).get(self.address + path, timeout=60, allow_redirects=False)

    def log_in(self, session: requests.Session) -> requests.Response:
        page = self.get("/login/", session)
        assert page.status_code == 200
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        fields = {"username": "ada", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        return session.post(f"{self.address}/login/", fields, timeout=60, allow_redirects=False)

    def answers(self) -> bool:
        try:
            return self.get("/__heartbeat__").status_code == 200
        except requests.ConnectionError:
            return False


@pytest.fixture
def database(postgresql_engine: Engine, db: None, settings: Settings) -> str:
    """A database where somebody has an account, with the kind of password that gunicorn takes."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    url = postgresql_engine.migrated()
    with django_on(url):
        User.objects.create_user("ada", password=PASSWORD)
    return url


@pytest.fixture
def crash_id(crashes: Crashes) -> str:
    """A crash that is processed."""
    return crashes.processed()


@pytest.fixture
def site(database: str, crash_id: str, tmp_path: Path) -> Iterator[Site]:
    """Crash Stats on that database, and on the crashes of this test."""
    port = free_port()
    environment = {
        **os.environ,
        "SOCORRO_DATA": str(tmp_path / "data"),
        "DATABASE_URL": database,
        "WEBAPP_PORT": str(port),
        "WEBAPP_THREADS": str(THREADS),
    }
    with (tmp_path / "webapp.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "socorro", "webapp"], env=environment, stderr=log
        )
    site = Site(f"http://127.0.0.1:{port}", process)
    try:
        wait_until(site.answers, "Crash Stats answers")
        yield site
    finally:
        # Not in good order: there are connections that it would wait for.
        for each in (process, *psutil.Process(process.pid).children()):
            each.kill()
        process.wait(60)


@pytest.fixture
def known(site: Site) -> requests.Session:
    """Somebody who is logged in."""
    session = requests.Session()
    assert site.log_in(session).status_code == 302
    return session


@pytest.fixture
def server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """PostgreSQL, which the test may stop."""
    yield postgres_server
    if not postgres_server.running:
        postgres_server.start()


def test_an_outage_ends_no_process_and_nobody_sees_an_error_of_ours(
    site: Site, known: requests.Session, crash_id: str, server: PostgresServer
) -> None:
    _every_thread_knows(site, known)
    _only_workers_are_connected(site, server)

    server.stop()
    server.start()
    _every_thread_knows(site, known)

    server.stop()
    _strangers_see_everything(site, crash_id)
    _who_needs_an_account_is_told(site, known, crash_id)
    assert site.get("/__lbheartbeat__").status_code == 200
    heartbeat = site.get("/__heartbeat__")
    assert heartbeat.status_code == 503
    assert heartbeat.json()["checks"] == {
        "database": "the database does not answer",
        "search": "ok",
        "storage": "ok",
    }

    server.start()
    _every_thread_knows(site, known)
    assert site.answers()


def _every_thread_knows(site: Site, known: requests.Session) -> None:
    """Ask for a page that needs the database on all threads at once: each has a connection."""
    with ThreadPoolExecutor(THREADS) as pool:
        pages = list(pool.map(lambda _: site.get("/", known), range(THREADS * 4)))
    assert {page.status_code for page in pages} == {200}
    assert all("Log out" in page.text for page in pages)


def _strangers_see_everything(site: Site, crash_id: str) -> None:
    for path, status in {
        "/": 200,
        "/search/?product=DemoApp": 200,
        f"/report/index/{crash_id}": 200,
        f"/api/ProcessedCrash/?crash_id={crash_id}": 200,
        "/login/": 200,
        "/nothing-here": 404,
    }.items():
        assert site.get(path).status_code == status, path


def _who_needs_an_account_is_told(site: Site, known: requests.Session, crash_id: str) -> None:
    answers = [
        site.get("/", known),
        site.get("/search/", known),
        site.get(f"/report/index/{crash_id}", known),
        site.log_in(requests.Session()),
    ]
    for answer in answers:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
        assert "The database does not answer" in answer.text
        assert "try again" in answer.text
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    answer = site.get(f"/api/RawCrash/?crash_id={crash_id}", known)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert answer.json() == {"error": "The database does not answer"}
    assert site.get("/nothing-here", known).status_code == 404
    assert known.cookies.get("sessionid"), "nobody is logged out by an outage"


def _only_workers_are_connected(site: Site, server: PostgresServer) -> None:
    """What crosses gunicorn's fork would be used by two processes at once."""
    master = psutil.Process(site.process.pid)
    assert _connections(master, server.port) == 0
    assert sum(_connections(child, server.port) for child in master.children()) > 0


def _connections(process: psutil.Process, port: int) -> int:
    return sum(
        1 for each in process.net_connections("tcp") if each.raddr and each.raddr.port == port
    )
