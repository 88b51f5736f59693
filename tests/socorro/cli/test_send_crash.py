# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro send-crash`: posts a dump with annotations to a real collector."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from socorro.cli.commands import cli
from tests.collector.raw_http import CollectorServer

MINIDUMP = b"MDMP" + bytes(1000)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorServer]:
    server = CollectorServer(tmp_path_factory.mktemp("collector"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def minidump(tmp_path: Path) -> Path:
    path = tmp_path / "crash.dmp"
    path.write_bytes(MINIDUMP)
    return path


def send(server: CollectorServer, *arguments: str | Path) -> Result:
    environ = {"COLLECTOR_PORT": str(server.port), "SOCORRO_DATA": str(server.folder)}
    return CliRunner().invoke(cli, ["send-crash", *map(str, arguments)], env=environ)


def test_a_dump_with_annotations_is_stored(server: CollectorServer, minidump: Path) -> None:
    result = send(server, minidump, "-a", "ProductName=MyApp", "-a", "Note=a=b")
    assert result.exit_code == 0
    crash_id = result.stdout.strip()
    stored = server.storage.load_raw_crash(crash_id)
    assert (stored["ProductName"], stored["Note"]) == ("MyApp", "a=b")
    assert stored["metadata"]["collector_notes"] == []
    dump = server.storage.fetch_dump(crash_id, "upload_file_minidump", minidump.parent)
    assert dump.read_bytes() == MINIDUMP
    assert result.stderr == f"http://127.0.0.1:8001/report/index/{crash_id}\n"


@pytest.mark.parametrize("compress", [None, "gzip", "deflate", "zstd"])
@pytest.mark.parametrize("flags", [[], ["--json"], ["--chunked"], ["--json", "--chunked"]])
def test_every_manner_of_sending_stores_the_same(
    server: CollectorServer, minidump: Path, compress: str | None, flags: list[str]
) -> None:
    further = ["--compress", compress] if compress else []
    result = send(
        server, minidump, "-a", "ProductName=Ünï", "-f", f"m={minidump}", *flags, *further
    )
    assert result.exit_code == 0, result.stderr
    crash_id = result.stdout.strip()
    stored = server.storage.load_raw_crash(crash_id)
    assert stored["ProductName"] == "Ünï"
    assert stored["metadata"]["payload"] == ("json" if "--json" in flags else "multipart")
    assert stored["metadata"]["payload_compressed"] == ("1" if compress else "0")
    assert server.storage.load_dump_names(crash_id) == ["m", "upload_file_minidump"]


def test_annotations_come_from_a_file_and_the_command_line_wins(
    server: CollectorServer, tmp_path: Path
) -> None:
    file = tmp_path / "annotations.json"
    file.write_text(json.dumps({"ProductName": "MyApp", "Version": "1", "Count": 3}))
    result = send(server, "--annotations", file, "-a", "Version=2")
    stored = server.storage.load_raw_crash(result.stdout.strip())
    assert (stored["ProductName"], stored["Version"], stored["Count"]) == ("MyApp", "2", "3")


def test_the_address_of_a_collector_is_enough(server: CollectorServer) -> None:
    result = send(server, "--url", f"http://127.0.0.1:{server.port}/", "-a", "A=b")
    assert result.exit_code == 0
    assert server.storage.has_raw_crash(result.stdout.strip())


def test_what_is_no_minidump_is_sent_with_a_warning(
    server: CollectorServer, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("text")
    result = send(server, tmp_path / "a.txt", "-a", "A=b")
    assert result.exit_code == 0
    assert "does not look like a minidump" in result.stderr


def test_a_refusal_is_told(server: CollectorServer, minidump: Path) -> None:
    result = send(server, "-a", "A=b", "-f", f"raw_crash={minidump}")
    assert result.exit_code == 1
    assert "was refused: 400 Discarded=malformed_invalid_dump_name." in result.stderr
    assert result.stdout == ""


def test_an_address_without_a_collector_is_told(server: CollectorServer) -> None:
    result = send(server, "--url", f"http://127.0.0.1:{server.port}/nothing/here", "-a", "A=b")
    assert result.exit_code == 1
    assert "answered 404, which no collector does" in result.stderr


def test_nobody_listening_is_told(server: CollectorServer) -> None:
    result = send(server, "--url", "http://127.0.0.1:1/submit", "-a", "A=b")
    assert result.exit_code == 69
    assert "http://127.0.0.1:1/submit was not reached" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give annotations"),
        (["-a", "A"], "'A' must look like NAME=VALUE"),
        (["-a", "=b"], "must look like NAME=VALUE"),
        (["-a", "A=b", "-f", "x=/nowhere"], "/nowhere is no file"),
        (["-a", "A=b", "--url", "ftp://x"], "is no address such as"),
        (["-a", "A=b", "--url", "http://[x"], "is no address such as"),
        (["/nowhere.dmp", "-a", "A=b"], "does not exist"),
    ],
)
def test_wrong_options_are_told(server: CollectorServer, arguments: list[str], told: str) -> None:
    result = send(server, *arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_an_overloaded_collector_is_told_with_the_time_to_wait(tmp_path: Path) -> None:
    server = CollectorServer(tmp_path, {"RATE_LIMIT": "1/hour"})
    server.start()
    try:
        assert send(server, "-a", "A=b").exit_code == 0
        result = send(server, "-a", "A=b")
    finally:
        server.stop()
    assert result.exit_code == 75
    assert "takes no reports now (Discarded=rate_limited); try again in" in result.stderr
