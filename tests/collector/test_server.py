# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The collector under gunicorn, over real sockets."""

import gzip
import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from socorro.queue import QueueName
from tests.collector.made_requests import (
    CAPTURED,
    Answer,
    annotation,
    captured_call,
    dump,
    multipart,
)
from tests.collector.raw_http import (
    CollectorServer,
    Connection,
    children_of,
    chunked,
    submit_request,
)
from tests.contract.processes import wait_until

GOOD = multipart(annotation("ProductName", "DemoApp"), dump("upload_file_minidump", b"MDMP" * 5000))
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorServer]:
    """A collector that the tests of this module share; impatient, so that they need not wait."""
    server = CollectorServer(
        tmp_path_factory.mktemp("collector"),
        {"UPLOAD_IDLE_SECONDS": "1", "UPLOAD_GRACE_SECONDS": "2", "UPLOAD_MIN_RATE": "1000"},
    )
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[CollectorServer]:
    """A collector for one test, not started yet."""
    server = CollectorServer(tmp_path)
    yield server
    server.kill()


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_the_captured_requests_of_real_clients_get_through_byte_for_byte(
    server: CollectorServer, tmp_path: Path, path: Path
) -> None:
    raw = path.read_bytes()
    body = captured_call(raw).body
    plain = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    crash_id = server.send(raw).crash_id
    raw_crash = server.storage.load_raw_crash(crash_id)
    assert raw_crash["ProductName"] == "DemoApp"
    assert raw_crash["metadata"]["collector_notes"] == []
    assert raw_crash["metadata"]["payload_size"] == len(body)
    names = server.storage.load_dump_names(crash_id)
    assert "upload_file_minidump" in names
    for name in names:
        content = server.storage.fetch_dump(crash_id, name, tmp_path).read_bytes()
        # Content and delimiter stand in the request exactly so.
        assert b"\r\n\r\n" + content + b"\r\n--" in plain
        assert raw_crash["metadata"]["dump_checksums"][name] == hashlib.sha256(content).hexdigest()
    assert server.queue.holding([crash_id]) == {crash_id}


def test_captured_requests_hold_minidumps_and_attachments(
    server: CollectorServer, tmp_path: Path
) -> None:
    (path,) = [path for path in CAPTURED if "attachments" in path.stem]
    crash_id = server.send(path.read_bytes()).crash_id
    dumps = {
        name: server.storage.fetch_dump(crash_id, name, tmp_path).read_bytes()
        for name in server.storage.load_dump_names(crash_id)
    }
    assert dumps["upload_file_minidump"].startswith(b"MDMP")
    assert sorted(dumps) == ["atttxt", "smallbin", "upload_file_minidump"]


def test_a_captured_request_may_come_byte_by_byte(server: CollectorServer) -> None:
    raw = CAPTURED[1].read_bytes()
    with server.connect() as connection:
        for position in range(len(raw)):
            connection.send(raw[position : position + 1])
        assert connection.answer().crash_id


def test_the_connection_is_kept_for_the_next_report(server: CollectorServer) -> None:
    with server.connect() as connection:
        ids = set()
        for request in (
            submit_request(GOOD),
            submit_request(chunked(GOOD), CHUNKED, length=None),
            submit_request(gzip.compress(GOOD), "Content-Encoding: gzip"),
        ):
            connection.send(request)
            ids.add(connection.answer().crash_id)
        assert len(ids) == 3


def test_requests_may_be_sent_without_waiting_for_answers(server: CollectorServer) -> None:
    with server.connect() as connection:
        connection.send(submit_request(GOOD) * 3)
        assert len({connection.answer().crash_id for _ in range(3)}) == 3


def test_a_client_that_waits_for_leave_to_send_gets_it(server: CollectorServer) -> None:
    request = submit_request(GOOD, "Expect: 100-continue")
    head, _, body = request.partition(b"\r\n\r\n")
    with server.connect() as connection:
        connection.send(head + b"\r\n\r\n")
        assert connection.answer().status == 100
        connection.send(body)
        assert connection.answer().crash_id


def test_the_connection_goes_on_after_a_refusal_whose_body_was_read(
    server: CollectorServer,
) -> None:
    with server.connect() as connection:
        connection.send(submit_request(GOOD[:-8]))
        assert connection.answer().body == "Discarded=malformed_invalid_payload_structure"
        connection.send(submit_request(GOOD))
        assert connection.answer().crash_id


def test_a_client_that_sends_too_much_sees_why_it_was_refused(server: CollectorServer) -> None:
    body = multipart(annotation("a", "b"), dump("d", bytes(26 * 2**20)))
    for request in (
        submit_request(body),
        submit_request(chunked(body, 2**20), CHUNKED, length=None),
    ):
        answer = server.send(request)
        assert (answer.status, answer.body) == (413, "Discarded=malformed_body_too_large")


def test_every_truncation_of_a_captured_request_stores_nothing(server: CollectorServer) -> None:
    raw = CAPTURED[1].read_bytes()
    before = set(all_reports(server))
    start = raw.index(b"\r\n\r\n")
    for cut in [*range(start, len(raw), 53), *range(len(raw) - 20, len(raw))]:
        with server.connect() as connection:
            connection.send(raw[:cut])
            connection.end()
            try:
                answer = connection.answer()
            except ConnectionError:
                continue
        assert 400 <= answer.status < 500, (cut, answer)
    assert set(all_reports(server)) == before
    assert list(server.storage.spool.iterdir()) == []


def all_reports(server: CollectorServer) -> list[str]:
    day_folders = (server.folder / "crashes/v1/raw_crash").glob("*/*/*")
    return [path.name for path in day_folders]


HOSTILE = {
    "junk": b"\x00\xff\x16\x03\x01" * 100,
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "an HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no version": b"POST /submit\r\n\r\n",
    "version 0.9": b"GET /submit HTTP/0.9\r\n\r\n",
    "version 3": b"POST /submit HTTP/3.0\r\nHost: x\r\n\r\n",
    "a long request line": b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
    "a long header": submit_request(GOOD, "X: " + "x" * 100_000),
    "many headers": submit_request(GOOD, *["X: y"] * 5000),
    "an unknown transfer coding": submit_request(
        GOOD, "Transfer-Encoding: gzip, rot13", length=None
    ),
    "chunked and a length": submit_request(chunked(GOOD), CHUNKED),
    "two lengths": submit_request(GOOD, "Content-Length: 5"),
    "a negative length": submit_request(GOOD, length=-2),
    "a length that is none": submit_request(GOOD, "Content-Length: x", length=None),
    "a length with a plus": submit_request(GOOD, "Content-Length: +5", length=None),
    "a chunk without a size": submit_request(b"\r\n" + GOOD, CHUNKED, length=None),
    "a chunk of a negative size": submit_request(b"-5\r\nhello\r\n0\r\n\r\n", CHUNKED, length=None),
    "a chunk of no hex": submit_request(b"xyz\r\nhello\r\n0\r\n\r\n", CHUNKED, length=None),
    "a chunk too long for its size": submit_request(
        b"5\r\nhello world\r\n0\r\n\r\n", CHUNKED, length=None
    ),
    "a chunk size of many digits": submit_request(b"f" * 9000 + b"\r\n", CHUNKED, length=None),
    "a long chunk extension": submit_request(
        b"5;" + b"x" * 100_000 + b"\r\nhello\r\n0\r\n\r\n", CHUNKED, length=None
    ),
    "long trailers": submit_request(
        chunked(GOOD)[:-2] + b"X: y\r\n" * 100_000 + b"\r\n", CHUNKED, length=None
    ),
    "a script name": submit_request(GOOD, "SCRIPT_NAME: /elsewhere"),
    "a scheme": submit_request(GOOD, "X-Forwarded-Proto: gopher", "X-Forwarded-Ssl: on"),
    "an odd expectation": submit_request(GOOD, "Expect: the-unexpected"),
    "an upgrade": submit_request(GOOD, "Connection: Upgrade", "Upgrade: h2c"),
    "a header without a name": submit_request(GOOD, ": x"),
    "a header with a null": submit_request(GOOD, "X: a\x00b"),
    "a folded header": submit_request(GOOD, "X: a\r\n b"),
    "a non-ASCII content type": submit_request(GOOD, "Content-Type: \xff\xfe"),
    "a bearer token of bytes": submit_request(GOOD, "Authorization: Bearer \xff\x80"),
    "an absolute address": submit_request(GOOD).replace(b" /submit ", b" http://x/submit "),
    "an address of bytes": b"GET /\xff\xfe%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "any address": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "a connect": b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an unknown method": submit_request(GOOD).replace(b"POST", b"BREW"),
    "a method of symbols": submit_request(GOOD).replace(b"POST", b"P@ST"),
    "smuggling": submit_request(chunked(GOOD), "Transfer-Encoding: xchunked", CHUNKED),
    "line feeds only": submit_request(GOOD).replace(b"\r\n", b"\n"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_request_is_no_error_of_ours_and_holds_up_nobody(
    server: CollectorServer, name: str
) -> None:
    with server.connect() as connection:
        connection.send(HOSTILE[name])
        assert server.send(submit_request(GOOD)).crash_id
        connection.end()
        try:
            answer = connection.answer()
        except ConnectionError:
            return
        assert answer.status < 500, answer


def test_the_log_has_no_address_of_a_client(server: CollectorServer) -> None:
    server.send(b"GET / HTTP/9.9\r\nHost: x\r\n\r\n")
    wait_until(lambda: "refused a request: invalid_http_version" in server.log, "a line about it")
    _, _, since_start = server.log.partition("takes reports at ")
    assert "127.0.0.1" not in since_start.partition("\n")[2]
    assert "Traceback" not in server.log


def test_a_client_that_stops_sending_gets_408_in_time(server: CollectorServer) -> None:
    for request in (
        submit_request(GOOD)[:-100],
        submit_request(chunked(GOOD)[:-100], CHUNKED, length=None),
    ):
        answer = server.send(request)
        assert (answer.status, answer.body) == (408, "Discarded=malformed_timeout")


def test_a_client_that_trickles_gets_408_in_time(server: CollectorServer) -> None:
    with server.connect() as connection:
        connection.send(submit_request(GOOD)[:700])
        connection.socket.setblocking(False)
        # A byte now and then keeps off the end for idleness, but not the one for slowness.
        answer = trickle(connection, b"x" * 900)
    assert (answer.status, answer.body) == (408, "Discarded=malformed_timeout")


def trickle(connection: Connection, data: bytes) -> Answer:
    """Send a byte every tenth of a second until an answer comes."""
    for position in range(len(data)):
        connection.send(data[position : position + 1])
        try:
            if connection.socket.recv(1, 2) is not None:  # MSG_PEEK
                break
        except BlockingIOError:
            time.sleep(0.1)
    connection.socket.setblocking(True)
    return connection.answer()


def test_a_client_that_never_finishes_its_header_gets_408(server: CollectorServer) -> None:
    with server.connect() as connection:
        connection.send(b"POST /submit HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        answer = connection.answer()
        assert (answer.status, answer.body) == (408, "Discarded=malformed_timeout")
        assert connection.is_closed()
    assert "Traceback" not in server.log


def test_slow_clients_do_not_hold_up_a_good_one(server: CollectorServer) -> None:
    slow = [server.connect() for _ in range(150)]
    try:
        for connection in slow:
            connection.send(submit_request(GOOD)[:500])
        assert server.send(submit_request(GOOD)).crash_id
        assert server.send(b"GET /__lbheartbeat__ HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
        assert {connection.answer().status for connection in slow} == {408}
    finally:
        for connection in slow:
            connection.socket.close()


def test_sigterm_lets_uploads_in_progress_finish(own_server: CollectorServer) -> None:
    own_server.start()
    request = submit_request(GOOD)
    connections = [own_server.connect() for _ in range(10)]
    for connection in connections:
        connection.send(request[:-500])
    assert own_server.send(request).crash_id
    assert own_server.process is not None
    own_server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: not accepts(own_server), "the port is closed")
    ids = set()
    for connection in connections:
        connection.send(request[-500:])
        ids.add(connection.answer().crash_id)
        connection.socket.close()
    assert own_server.process.wait(60) == 0
    assert ids <= set(all_reports(own_server))
    assert own_server.queue.holding(ids) == ids


def test_what_is_acknowledged_under_load_before_sigterm_is_stored(
    own_server: CollectorServer,
) -> None:
    own_server.start()
    request = submit_request(GOOD)
    acknowledged: list[str] = []

    def send_until_refused() -> None:
        try:
            while True:
                acknowledged.append(own_server.send(request).crash_id)
        except OSError:
            return

    threads = [threading.Thread(target=send_until_refused) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(acknowledged) > 40, "a load")
    assert own_server.stop() == 0
    for thread in threads:
        thread.join()
    assert set(acknowledged) == set(all_reports(own_server))
    assert own_server.queue.holding(acknowledged) == set(acknowledged)
    assert list(own_server.storage.spool.iterdir()) == []


def accepts(server: CollectorServer) -> bool:
    try:
        server.connect().socket.close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_worker_that_dies_is_replaced_and_nothing_acknowledged_is_lost(
    own_server: CollectorServer,
) -> None:
    own_server.start()
    assert own_server.process is not None
    ids = {own_server.send(submit_request(GOOD)).crash_id for _ in range(10)}
    for worker in children_of(own_server.process.pid):
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: _still_serves(own_server), "a new worker serves")
    ids.add(own_server.send(submit_request(GOOD)).crash_id)
    assert ids <= set(all_reports(own_server))
    assert own_server.queue.holding(ids) == ids


def _still_serves(server: CollectorServer) -> bool:
    try:
        return server.send(b"GET /__lbheartbeat__ HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
    except OSError:
        return False


def test_workers_end_with_their_master_and_free_the_port(own_server: CollectorServer) -> None:
    own_server.start()
    assert own_server.process is not None
    own_server.process.kill()
    own_server.process.wait()
    wait_until(lambda: not accepts(own_server), "the port is free")


def test_a_worker_replaced_while_storage_is_down_serves_and_says_so(
    own_server: CollectorServer,
) -> None:
    own_server.start()
    assert own_server.process is not None
    crashes = own_server.folder / "crashes"
    crashes.rename(own_server.folder / "away")
    crashes.write_text("a file where a folder should be")
    for worker in children_of(own_server.process.pid):
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: _still_serves(own_server), "a new worker serves")
    answer = own_server.send(submit_request(GOOD))
    assert (answer.status, answer.body) == (503, "Discarded=storage_unavailable")
    heartbeat = own_server.send(b"GET /__heartbeat__ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert heartbeat.status == 503
    crashes.unlink()
    (own_server.folder / "away").rename(crashes)
    wait_until(lambda: own_server.send(submit_request(GOOD)).status == 200, "it takes reports")


@pytest.mark.parametrize(
    ("setting", "value", "variable"),
    [
        ("CRASH_STORAGE", "fs://{}/log/crashes", "CRASH_STORAGE"),
        ("CRASH_QUEUE", "local://{}/log/queue", "CRASH_QUEUE"),
        ("CRASH_STORAGE", "nowhere://x", "CRASH_STORAGE"),
        ("MAX_BODY_SIZE", "much", "MAX_BODY_SIZE"),
    ],
)
def test_a_start_that_cannot_succeed_ends_with_one_sentence(
    own_server: CollectorServer, setting: str, value: str, variable: str
) -> None:
    own_server.settings = {setting: value.format(own_server.folder)}
    assert own_server.spawn().wait(60) == 3
    # Log lines are JSON; they tell the settings in force.
    (sentence,) = [line for line in own_server.log.splitlines() if not line.startswith("{")]
    assert sentence.startswith("The collector cannot start. ")
    assert variable in sentence


def test_the_queue_gets_ids_of_the_standard_queue_only(server: CollectorServer) -> None:
    server.send(submit_request(GOOD))
    depths = server.queue.depth()
    assert depths[QueueName.STANDARD].ready > 0
    assert depths[QueueName.PRIORITY].ready == depths[QueueName.REPROCESSING].ready == 0
