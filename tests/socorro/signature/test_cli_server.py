# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`python -m socorro.signature --server`: crashes from a server that is not ours."""

import csv
import io
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from socorro.signature.cli import main

GOOD = "0bba929f-8721-460c-8e70-a43c95d04ed0"
BUSY, GONE, GARBAGE, MOVED, SECRET = (GOOD[:-1] + digit for digit in "12345")
PROCESSED = {
    "signature": "=old|x",
    "json_dump": {
        "crash_info": {"crashing_thread": 0},
        "threads": [{"frames": [{"function": "f(int)"}]}],
    },
}


class _Foreign(BaseHTTPRequestHandler):
    asked: list[str]
    tokens: list[str | None]

    def do_GET(self) -> None:
        crash_id = self.path.rpartition("=")[2]
        self.asked.append(crash_id)
        self.tokens.append(self.headers["Auth-Token"])
        status, body = 200, json.dumps(PROCESSED)
        if crash_id == BUSY and self.asked.count(BUSY) < 3:
            status = 429 if self.asked.count(BUSY) == 1 else 500
        if crash_id == GARBAGE:
            body = "<html>"
        status = {GONE: 404, MOVED: 302, SECRET: 403}.get(crash_id, status)
        self.send_response(status)
        self.send_header("Retry-After", "0")
        self.send_header("Location", "/api/elsewhere")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def foreign() -> Iterator[tuple[str, type[_Foreign]]]:
    handler = type("Handler", (_Foreign,), {"asked": [], "tokens": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()


def test_a_server_that_is_busy_is_asked_again_and_bad_answers_are_named(
    foreign: tuple[str, type[_Foreign]], capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [f"bp-{BUSY}", GONE, GARBAGE, MOVED, "junk", f"https://h/report/index/{GOOD}?x=1"]
    assert main(["--server", foreign[0], "--format", "json", *ids]) == 1
    captured = capsys.readouterr()
    answers = json.loads(captured.out)
    assert [answer["crash"] for answer in answers] == [BUSY, GOOD]
    assert answers[0] == {
        "crash": BUSY, "old": "=old|x", "same": False,
        "signature": "f", "proto_signature": "f", "notes": [],
    }  # fmt: skip
    assert sorted(line.partition(": ")[0] for line in captured.err.splitlines()[:4]) == sorted(
        [GONE, GARBAGE, MOVED, "junk"]
    )
    assert captured.err.splitlines()[4].startswith("Without a token")
    assert "/api/elsewhere" not in foreign[1].asked


def test_a_refusal_ends_the_run_with_a_word_about_the_token(
    foreign: tuple[str, type[_Foreign]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOCORRO_API_TOKEN", "abc")
    assert main(["--server", foreign[0], "--jobs", "1", SECRET, *[GOOD] * 9]) == 1
    assert "SOCORRO_API_TOKEN" in capsys.readouterr().err
    assert foreign[1].asked[0] == SECRET
    assert len(foreign[1].asked) < 5
    assert set(foreign[1].tokens) == {"abc"}


def test_a_token_is_not_sent_in_the_clear_to_another_machine(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCORRO_API_TOKEN", "abc")
    assert main(["--server", "http://crashes.example", GOOD]) == 1
    assert "plain http" in capsys.readouterr().err


def test_ids_come_from_standard_input_and_tables_are_safe_to_open(
    foreign: tuple[str, type[_Foreign]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"# ids\n\n{GOOD}\n".encode())))
    assert main(["--server", foreign[0], "--format", "csv"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[1] == [GOOD, "'=old|x", "f", "no", ""]
    assert main(["--server", foreign[0], "--format", "markdown", GOOD]) == 0
    assert f"| {GOOD} | =old\\|x | f | no |  |" in capsys.readouterr().out


def test_answers_keep_the_order_in_which_ids_were_given(
    foreign: tuple[str, type[_Foreign]], capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [f"{GOOD[:-2]}{number:02d}" for number in range(10, 40)]
    assert main(["--server", foreign[0], "--jobs", "8", "--format", "json", *ids]) == 0
    assert [answer["crash"] for answer in json.loads(capsys.readouterr().out)] == ids


def test_a_server_that_is_not_there_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    assert main(["--server", "http://127.0.0.1:9", "--format", "json", GOOD]) == 1
    captured = capsys.readouterr()
    assert captured.err == "http://127.0.0.1:9: ConnectionError\n"
    assert json.loads(captured.out) == []


@pytest.mark.parametrize("address", ["crashes.example", "ftp://h", "http://", "http://[::1"])
def test_an_address_that_is_none_is_refused(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--server", address, GOOD]) == 1
    assert capsys.readouterr().err.startswith(f"{address}: ")
