# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""docker/config/*.env: names that their readers know, and values that are taken."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from socorro import settings
from socorro.aws import AwsUrl
from tests.docker.files import (
    CONFIG,
    ROOT,
    environment_files,
    ours,
    read_environment,
    read_services,
)

SERVICES = read_services()
OURS = ours()
FILES = sorted(CONFIG.glob("*.env"))
SETTINGS = {described.name for described in settings.describe()}
_BOTO = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
_KNOWN_TO = {
    "elasticsearch": re.compile(r"ES_JAVA_OPTS|ES_SETTING_[A-Z_]+"),
    "postgresql": re.compile(r"POSTGRES_(DB|USER|PASSWORD)"),
    "s3": re.compile(r"(S3PROXY|JCLOUDS)_[A-Z_]+"),
}
_ENGINES = ("CRASH_STORAGE", "TELEMETRY_STORAGE", "CRASH_QUEUE", "DATABASE_URL")


def _environment(name: str) -> dict[str, str]:
    return read_environment(*environment_files(SERVICES[name]))


def _examples() -> dict[str, str]:
    lines = (CONFIG / "example.env").read_text().splitlines()
    found = (re.fullmatch(r"#([A-Z_]+)=(.*)", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


@pytest.fixture
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_each_file_is_named_by_a_service_and_each_that_is_named_is_there() -> None:
    named = {path for service in SERVICES.values() for path in environment_files(service)}
    assert named == set(FILES) - {CONFIG / "example.env"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_lines_mean_the_same_to_every_reader(path: Path) -> None:
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        # Quotes, $, and # after a space mean something to docker compose, and not to others.
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*=[^\s\"'$`\\]+( [^\s#\"'$`\\]+)*", line), line


@pytest.mark.parametrize("service", OURS)
def test_every_name_is_a_setting_and_every_value_is_taken(
    service: str, empty_environment: pytest.MonkeyPatch
) -> None:
    given = _environment(service)
    assert set(given) - _BOTO <= SETTINGS
    for name, value in given.items():
        empty_environment.setenv(name, value)
    settings.load()
    sources = {described.name: described.source for described in settings.describe()}
    assert all(sources[name] == "environment" for name in given if name not in _BOTO)


@pytest.mark.parametrize("service", _KNOWN_TO)
def test_every_name_is_known_to_the_engine(service: str) -> None:
    given = _environment(service)
    assert given
    assert [name for name in given if not _KNOWN_TO[service].fullmatch(name)] == []


@pytest.mark.parametrize("service", OURS)
def test_every_host_is_a_service_that_is_there(service: str) -> None:
    given = _environment(service)
    for name in _ENGINES:
        url = given.get(name)
        if url is None:
            continue
        host = urlsplit(AwsUrl.parse(url).endpoint or url if "endpoint=" in url else url).hostname
        assert host in SERVICES, name
        assert SERVICES[host]["healthcheck"]


def test_passwords_are_the_same_on_both_sides() -> None:
    database = urlsplit(_environment("webapp")["DATABASE_URL"])
    postgresql = _environment("postgresql")
    assert database.username == postgresql["POSTGRES_USER"]
    assert database.password == postgresql["POSTGRES_PASSWORD"]
    assert database.path == f"/{postgresql['POSTGRES_DB']}"
    client, server = _environment("collector"), _environment("s3")
    assert client["AWS_ACCESS_KEY_ID"] == server["S3PROXY_IDENTITY"]
    assert client["AWS_SECRET_ACCESS_KEY"] == server["S3PROXY_CREDENTIAL"]
    assert server["S3PROXY_AUTHORIZATION"] == "aws-v4"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_secret_is_marked_as_one_of_development(path: Path) -> None:
    secret = re.compile(r"SECRET|PASSWORD|KEY|CREDENTIAL|TOKEN")
    for name, value in read_environment(path).items():
        if secret.search(name):
            assert value == "development-only", name
        if "@" in value:
            assert urlsplit(value).password == "development-only", name


def test_collectors_do_not_get_what_only_others_need() -> None:
    assert "DATABASE_URL" not in _environment("collector")
    assert "DATABASE_URL" not in _environment("processor")
    assert "POSTGRES_PASSWORD" not in _environment("webapp")


def test_the_address_for_people_is_the_port_that_is_published() -> None:
    (port,) = SERVICES["webapp"]["ports"]
    host, published, _ = port.split(":")
    assert _environment("webapp")["WEBAPP_URL"] == f"http://{host}:{published}"


def test_the_example_shows_settings_and_sets_nothing(
    empty_environment: pytest.MonkeyPatch,
) -> None:
    assert read_environment(CONFIG / "example.env") == {}
    shown = _examples()
    assert set(shown) - _BOTO <= SETTINGS
    for name, value in shown.items():
        empty_environment.setenv(name, value)
    settings.load()


def test_no_file_of_settings_reaches_the_image() -> None:
    ignored: Any = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert not any("config" in line for line in ignored if line.startswith("!"))
