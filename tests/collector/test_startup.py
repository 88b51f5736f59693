# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What ends the start of a collector, and what it starts in spite of."""

import errno
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collector import startup
from collector.saving.unpublished import Unpublished
from socorro.backends import verify_incoming
from socorro.settings import SettingError, Settings
from socorro.storage import FilesystemStorage, open_storage
from tests.collector.made_requests import annotation, multipart
from tests.collector.raw_http import CollectorServer, submit_request
from tests.contract.processes import wait_until
from tests.servers.ports import free_port

GOOD = multipart(annotation("ProductName", "DemoApp"))


@pytest.fixture
def unreachable(aws_credentials: None) -> str:
    """Where no server listens."""
    return f"endpoint=http://127.0.0.1:{free_port()}"


@pytest.fixture
def with_fallback(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, fallback_storage=f"fs://{tmp_path}/fallback")


def test_everything_that_works_is_no_problem(with_fallback: Settings) -> None:
    assert verify_incoming(with_fallback) == []


def test_no_storage_at_all_ends_the_start(settings: Settings, unreachable: str) -> None:
    alone = replace(settings, crash_storage=f"s3://crashes?{unreachable}")
    with pytest.raises(SettingError, match=r"^CRASH_STORAGE=.*cannot be reached"):
        verify_incoming(alone)
    both = replace(alone, fallback_storage=f"s3://fallback?{unreachable}")
    with pytest.raises(SettingError, match=r"^CRASH_STORAGE=.*cannot be reached"):
        verify_incoming(both)


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("crash_storage", "s3://crashes"),
        ("fallback_storage", "s3://fallback"),
        ("crash_queue", "sqs://crashes"),
    ],
)
def test_one_of_several_that_is_down_does_not(
    with_fallback: Settings, unreachable: str, setting: str, url: str
) -> None:
    changed = replace(with_fallback, **{setting: f"{url}?{unreachable}"})
    (sentence,) = verify_incoming(changed)
    assert sentence.startswith(setting.upper())
    assert "cannot be reached" in sentence


@pytest.mark.parametrize("setting", ["crash_storage", "fallback_storage"])
def test_a_storage_that_cannot_be_what_is_meant_ends_the_start(
    with_fallback: Settings, tmp_path: Path, setting: str
) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    changed = replace(with_fallback, **{setting: f"fs://{tmp_path}/file/x"})
    with pytest.raises(SettingError, match=f"^{setting.upper()}="):
        verify_incoming(changed)


def test_a_bucket_that_does_not_exist_ends_the_start(
    with_fallback: Settings, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue("s3_server")
    changed = replace(with_fallback, crash_storage=server.url("no-such-bucket"))
    with pytest.raises(SettingError, match="there is no such bucket"):
        verify_incoming(changed)


def test_a_queue_that_does_not_exist_ends_the_start(
    with_fallback: Settings, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue("sqs_server")
    changed = replace(with_fallback, crash_queue=server.url("nobody-made-it"))
    with pytest.raises(SettingError, match="there is no queue"):
        verify_incoming(changed)


@pytest.mark.parametrize("other", ["crashes", "link/crashes"])
def test_a_fallback_that_is_the_main_storage_ends_the_start(
    settings: Settings, tmp_path: Path, other: str
) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    changed = replace(settings, fallback_storage=f"fs://{tmp_path}/{other}")
    with pytest.raises(SettingError, match="must be another place than CRASH_STORAGE"):
        verify_incoming(changed)


def test_a_place_for_unpublished_ids_that_cannot_be_one_ends_the_start(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(startup, "_verified", False)
    (tmp_path / "file").write_text("a file where a folder should be")
    with pytest.raises(SystemExit) as raised:
        startup.verify_or_exit(replace(settings, unpublished=tmp_path / "file"))
    assert raised.value.code == 3
    assert "UNPUBLISHED=" in capsys.readouterr().err


def test_unpublished_ids_that_cannot_be_kept_for_now_do_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Unpublished) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(startup, "_verified", False)
    monkeypatch.setattr(Unpublished, "verify", fail)
    startup.verify_or_exit(settings)
    assert "starts all the same: UNPUBLISHED: " in caplog.text


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CollectorServer]:
    server = CollectorServer(tmp_path)
    yield server
    server.kill()


def test_a_collector_starts_while_storage_and_queue_are_down_and_says_so(
    server: CollectorServer, unreachable: str, tmp_path: Path
) -> None:
    server.settings = {
        "CRASH_STORAGE": f"s3://crashes?{unreachable}",
        "CRASH_QUEUE": f"sqs://crashes?{unreachable}",
        "FALLBACK_STORAGE": f"fs://{tmp_path}/fallback",
    }
    server.spawn()
    wait_until(lambda: serves(server), "it serves")
    heartbeat = server.send(b"GET /__heartbeat__ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert heartbeat.status == 503
    problems = json.loads(heartbeat.body)["errors"]
    assert {problem["name"] for problem in problems} <= {
        "StorageUnavailable",
        "QueueUnavailable",
        "NoAnswer",
    }
    assert len(problems) == 2
    answer = server.send(submit_request(GOOD))
    fallback = open_storage(f"fs://{tmp_path}/fallback")
    assert fallback.load_raw_crash(answer.crash_id)["ProductName"] == "DemoApp"
    assert server.log.count("starts all the same: ") == 2


def serves(server: CollectorServer) -> bool:
    try:
        return server.send(b"GET /__lbheartbeat__ HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
    except OSError:
        return False


def test_what_was_taken_while_storage_was_down_is_home_after_the_next_start(
    server: CollectorServer, unreachable: str, tmp_path: Path
) -> None:
    down = f"s3://crashes?{unreachable}"
    server.settings = {"CRASH_STORAGE": down, "FALLBACK_STORAGE": f"fs://{tmp_path}/fallback"}
    server.spawn()
    wait_until(lambda: serves(server), "it serves")
    answer = server.send(submit_request(GOOD))
    server.stop()
    server.settings = {"FALLBACK_STORAGE": f"fs://{tmp_path}/fallback"}
    server.start()
    home = FilesystemStorage(tmp_path / "crashes")
    wait_until(lambda: home.has_raw_crash(answer.crash_id), "it is home")
    wait_until(lambda: bool(server.queue.holding([answer.crash_id])), "it is published")
