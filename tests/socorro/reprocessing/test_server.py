# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Another installation, spoken to over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from socorro.queue import QueueUnavailable, Task
from socorro.reprocessing.server import OtherServer, ServerRefused
from tests.socorro.reprocessing.other_server import TOKEN, Answer, Other, serving

A = "0b5e3a1c-9c1e-4a6e-8f43-2b8d10261122"
B = "1b5e3a1c-9c1e-4a6e-8f43-2b8d10261121"


@pytest.fixture
def other() -> Iterator[Other]:
    with serving() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def server(other: Other, waits: list[float]) -> Iterator[OtherServer]:
    server = OtherServer(f"{other.address}/", TOKEN, pause=waits.append)
    yield server
    server.close()


def test_tasks_are_posted_with_their_rulesets_and_the_token(
    other: Other, server: OtherServer
) -> None:
    server.publish([Task(A), Task(B, "regenerate_signature")])
    assert other.batches == [[A, f"{B}:regenerate_signature"]]
    assert other.headers[0]["Auth-Token"] == TOKEN
    assert other.headers[0]["User-Agent"].startswith("socorro-reprocess/")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again_later_and_later(
    other: Other, server: OtherServer, waits: list[float], status: int
) -> None:
    other.answers = [Answer(status) for _ in range(3)]
    server.publish([Task(A)])
    assert other.batches == [[A]]
    assert waits == [1, 2, 4]


@pytest.mark.parametrize(
    ("asked", "waited"), [("7", 7), ("999999999", 120), ("Fri, 01 Jan 2027 00:00:00 GMT", 1)]
)
def test_the_wait_that_a_server_asks_for_is_kept_within_reason(
    other: Other, server: OtherServer, waits: list[float], asked: str, waited: float
) -> None:
    other.answers = [Answer(429, headers={"Retry-After": asked})]
    server.publish([Task(A)])
    assert waits == [waited]


def test_a_server_that_stays_busy_or_away_is_given_up(
    other: Other, server: OtherServer, waits: list[float]
) -> None:
    other.answers = [Answer(503, b'{"error": "The queue does not answer"}')] * 8
    with pytest.raises(QueueUnavailable, match=r"answered 503: The queue does not answer$"):
        server.publish([Task(A)])
    assert sum(waits) < 300
    nobody = OtherServer("http://127.0.0.1:1", TOKEN, pause=waits.append)
    with pytest.raises(QueueUnavailable, match=r"was not reached: no connection$"):
        nobody.publish([Task(A)])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(400, b'{"error": "Bad value \'junk\'"}'), r"answered 400: Bad value 'junk'\.$"),
        (Answer(400, b'{"errors": {"crash_ids": ["required"]}}'), r"crash_ids.*required"),
        (Answer(403, b'{"error": "API Token not matched"}'), "not matched; is the API token right"),
        (Answer(403, b"<html>"), "answered 403: no reason given; is the API token right"),
        (Answer(404, b"<html>"), "has no service Reprocessing"),
        (Answer(405), "has no service Reprocessing"),
        (Answer(302, headers={"Location": "https://evil.example/"}), "leads to another address"),
        (Answer(200, b"<html>welcome, please log in</html>"), "something else than JSON"),
        (Answer(200, b"[" * 100_000), "something else than JSON"),
        (Answer(400, b'{"error": "\\u001b[2Jgone\\u202e' + b"x" * 9999 + b'"}'), r"400: \[2Jgonex"),
    ],
)
def test_a_refusal_is_one_sentence_and_not_repeated(
    other: Other, server: OtherServer, waits: list[float], answer: Answer, said: str
) -> None:
    other.answers = [answer]
    with pytest.raises(ServerRefused, match=said) as raised:
        server.publish([Task(A)])
    assert len(str(raised.value)) < 500
    assert str(raised.value).isprintable()
    assert (waits, other.batches, len(other.headers)) == ([], [], 1)


def test_an_answer_without_end_is_not_read_to_its_end(
    other: Other, server: OtherServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socorro.reprocessing.server._LARGEST_ANSWER", 100_000)
    other.answers = [Answer(200, b" " * 1_000_000)] * 8
    with pytest.raises(QueueUnavailable, match="was not reached"):
        server.publish([Task(A)])


@pytest.mark.parametrize("body", [b"null", b"[]", b'{"hits": 7}', b'{"hits": [1]}', b"{}"])
def test_a_search_that_is_answered_with_something_else_is_refused(
    other: Other, server: OtherServer, body: bytes
) -> None:
    other.answers = [Answer(200, body)]
    with pytest.raises(ServerRefused, match="answers a search with something else"):
        server.search([("_results_number", "1")])


def test_a_password_that_the_machine_knows_for_the_host_is_not_sent(
    other: Other, server: OtherServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password private\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.publish([Task(A)])
    assert "Authorization" not in other.headers[0]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "crashes.example.org",
        "ftp://crashes.example.org",
        "https://",
        "https://u:p@x.org",
        "//[",
    ],
)
def test_what_is_no_address_of_a_site_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"no address|password|Invalid"):
        OtherServer(address, TOKEN)
