# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What all tests share: profiles of the property tests, and the long forms behind --soak."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright

from socorro.metrics import raise_on_undeclared
from tests.databases import each_database, postgresql_engine, sqlite_engine

if TYPE_CHECKING:
    from tests.servers import PostgresServer, S3Server, SqsServer

__all__ = ["each_database", "postgresql_engine", "sqlite_engine"]

_BROWSER_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
_SLOW_MACHINE = [HealthCheck.too_slow]
settings.register_profile(
    "sample", max_examples=60, deadline=None, suppress_health_check=_SLOW_MACHINE
)
settings.register_profile(
    "soak", max_examples=1000, deadline=None, suppress_health_check=_SLOW_MACHINE
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --soak."""
    parser.addoption("--soak", action="store_true", help="run the long forms of the tests")


def pytest_configure(config: pytest.Config) -> None:
    """Choose how long the property tests run; no metric may be undeclared."""
    settings.load_profile("soak" if config.getoption("--soak") else "sample")
    raise_on_undeclared()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests marked soak out, unless they are asked for."""
    if config.getoption("--soak"):
        return
    chosen = [item for item in items if not item.get_closest_marker("soak")]
    left_out = [item for item in items if item.get_closest_marker("soak")]
    items[:] = chosen
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the test database in a file, as in production: one in memory locks whole tables."""
    from django.conf import settings as django_settings

    database = django_settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        path = tmp_path_factory.mktemp("database") / "test.db"
        database.setdefault("TEST", {})["NAME"] = str(path)


@pytest.fixture
def soaking(request: pytest.FixtureRequest) -> bool:
    """Whether the long form was asked for."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture(scope="session")
def stackwalker_binary() -> Path:
    """The stackwalker, built if the cache does not have it."""
    from processor.stackwalk.build import build, default_cache

    return build(default_cache())


@pytest.fixture(scope="session")
def aws_credentials() -> Iterator[None]:
    """Credentials of the tests' own servers in the environment, and nothing of a real account."""
    from tests.servers.credentials import aws_environment, foreign_aws_variables

    with pytest.MonkeyPatch.context() as patch:
        for name in foreign_aws_variables():
            patch.delenv(name)
        for name, value in aws_environment().items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def s3_server(
    aws_credentials: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["S3Server"]:
    """A running S3, shared by all tests: make buckets of your own, and start it if you stop it."""
    from tests.servers import S3Server

    with S3Server(tmp_path_factory.mktemp("s3-server")) as server:
        yield server


@pytest.fixture(scope="session")
def sqs_server(
    aws_credentials: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["SqsServer"]:
    """A running SQS, shared by all tests: make queues of your own, and start it if you stop it."""
    from tests.servers import SqsServer

    with SqsServer(tmp_path_factory.mktemp("sqs-server")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator["PostgresServer"]:
    """A running PostgreSQL, shared by all tests: make databases of your own."""
    from tests.servers import PostgresServer

    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless.

    For one module at a time: while it runs, Django takes this thread for an asynchronous one.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", headless=True, args=list(_BROWSER_ARGUMENTS)
        )
        yield chromium
        chromium.close()
