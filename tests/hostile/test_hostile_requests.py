# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Hostile requests over raw sockets, each against the same collector.

Each gets the answers that are due, costs little memory, leaves nothing that is not a whole report
with an acknowledged id, and holds up nobody.
"""

import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.collector.raw_http import CollectorServer, Connection
from tests.hostile import body_cases, http_cases
from tests.hostile.case import TAKEN, Case, Expected
from tests.hostile.watched import Watched

CASES = [*http_cases.CASES, *body_cases.CASES]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A collector with little patience, and folders around it that have to stay as they are."""
    root = tmp_path_factory.mktemp("hostile")
    for name in ("data", "home", "temporary", "there"):
        (root / name).mkdir()
    server = CollectorServer(
        root / "data",
        {
            "HOME": str(root / "home"),
            "TMPDIR": str(root / "temporary"),
            "SUBMIT_UUID_TOKEN": "the-token",
            "UPLOAD_IDLE_SECONDS": "2",
        },
    )
    with contextlib.chdir(root / "there"):
        server.start()
    yield Watched(server, root, set())
    assert server.stop() == 0, server.log
    server.kill()


def test_there_are_enough_of_them_and_each_is_another_one() -> None:
    assert len(CASES) >= 200
    assert max(Counter(case.name for case in CASES).values()) == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_hostile_request_bounces(watched: Watched, case: Case) -> None:
    watched.answers_a_good_request()
    with watched.bounded_memory():
        answers = _send(watched, case)
    watched.acknowledged.update(
        text.strip().removeprefix(TAKEN[1]) for _, text in answers if text.startswith(TAKEN[1])
    )
    found = [(status, text[:200]) for status, text in answers]
    assert len(found) == len(case.answers), found
    for (status, text), (expected_status, expected_text) in zip(found, case.answers, strict=True):
        assert status == expected_status, found
        assert text.startswith(expected_text), found
    watched.check_files()
    watched.answers_a_good_request()


def _send(watched: Watched, case: Case) -> list[Expected]:
    """Send a request while others send good ones; return the answers, without leave to go on."""
    pieces = iter(case.pieces())
    # Made before the connection, whose patience is short.
    first = next(pieces, b"")
    with ThreadPoolExecutor(1) as others, watched.server.connect() as connection:
        connection.send(first)
        watched.answers_a_good_request()
        good = others.submit(watched.answers_a_good_request)
        for piece in pieces:
            connection.send(piece)
        if not case.stalls:
            connection.end()
        answers = list(_answers(_received(connection)))
        good.result()
    return [answer for answer in answers if answer[0] != 100]


def _received(connection: Connection) -> bytes:
    """Return what comes until the collector closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.socket.recv(65536):
            received += data
    return received


def _answers(received: bytes) -> Iterator[Expected]:
    while received:
        answer_head, separator, received = received.partition(b"\r\n\r\n")
        assert separator, answer_head
        status = int(answer_head.split()[1])
        length = re.search(rb"\r\ncontent-length: *([0-9]+)", answer_head, re.IGNORECASE)
        size = int(length[1]) if length else 0
        assert len(received) >= size, answer_head
        text, received = received[:size].decode(), received[size:]
        yield status, text
