# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Reports that are not taken: what the client is told, and that nothing of them is left."""

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from collector.app import CollectorApp, create_app
from socorro.queue import CrashQueue, QueueName
from socorro.settings import Settings
from socorro.storage import CrashReport, FilesystemStorage
from tests.collector.made_requests import (
    BOUNDARY,
    Answer,
    Call,
    Part,
    annotation,
    call,
    dump,
    extra,
    multipart,
)

GOOD = multipart(annotation("a", "b"), dump("upload_file_minidump", b"MDMP" * 1000))
GZIP = {"Content-Encoding": "gzip"}
MEMBER = gzip.compress(GOOD)
# Three million characters that compress to half their size only.
HEX = random.Random(1).randbytes(1_500_000).hex()


def nested(depth: int) -> bytes:
    return b'{"a": ' + b"[" * depth + b"]" * depth + b"}"


REFUSALS: dict[str, tuple[Call, int, str]] = {
    "no content type": (Call(GOOD, content_type=None), 400, "no_content_type"),
    "empty content type": (Call(GOOD, content_type=" "), 400, "no_content_type"),
    "another content type": (
        Call(GOOD, content_type=f"text/plain; boundary={BOUNDARY}"),
        400,
        "wrong_content_type",
    ),
    "a form": (
        Call(b"a=b", content_type="application/x-www-form-urlencoded"),
        400,
        "wrong_content_type",
    ),
    "no boundary": (Call(GOOD, content_type="multipart/form-data"), 400, "no_boundary"),
    "empty boundary": (
        Call(GOOD, content_type="multipart/form-data; boundary="),
        400,
        "no_boundary",
    ),
    "quoted empty boundary": (
        Call(GOOD, content_type='multipart/form-data; boundary=""'),
        400,
        "no_boundary",
    ),
    "long boundary": (
        Call(GOOD, content_type=f"multipart/form-data; boundary={'x' * 71}"),
        400,
        "no_boundary",
    ),
    "empty body": (Call(b""), 400, "no_content_length"),
    "empty chunked body": (Call(b"", content_length=None), 400, "no_content_length"),
    "empty gzip body": (Call(b"", headers=GZIP), 400, "no_content_length"),
    "unknown encoding": (Call(GOOD, headers={"Content-Encoding": "br"}), 415, "unknown_encoding"),
    "two encodings": (
        Call(GOOD, headers={"Content-Encoding": "gzip, gzip"}),
        415,
        "unknown_encoding",
    ),
    "not gzip": (Call(GOOD, headers=GZIP), 400, "bad_gzip"),
    "truncated gzip": (Call(MEMBER[:-1], headers=GZIP), 400, "bad_gzip"),
    "truncated second member": (Call(MEMBER + MEMBER[:30], headers=GZIP), 400, "bad_gzip"),
    "wrong checksum": (Call(MEMBER[:-8] + b"\0" * 8, headers=GZIP), 400, "bad_gzip"),
    "gzip of nothing": (Call(gzip.compress(b""), headers=GZIP), 400, "invalid_payload_structure"),
    "empty members": (Call(gzip.compress(b"") * 20_000 + MEMBER, headers=GZIP), 400, "bad_gzip"),
    "gzip without its header": (Call(MEMBER), 400, "invalid_payload_structure"),
    "another boundary": (
        Call(GOOD, content_type="multipart/form-data; boundary=other"),
        400,
        "invalid_payload_structure",
    ),
    "junk": (Call(b"junk" * 1000), 400, "invalid_payload_structure"),
    "no closing boundary": (Call(GOOD[:-8]), 400, "invalid_payload_structure"),
    "line feeds only": (Call(GOOD.replace(b"\r\n", b"\n")), 400, "invalid_payload_structure"),
    "shorter than its length": (
        Call(GOOD, content_length=str(len(GOOD) + 1)),
        400,
        "invalid_payload_structure",
    ),
    "longer than its length": (
        Call(GOOD, content_length=str(len(GOOD) - 9)),
        400,
        "invalid_payload_structure",
    ),
    "junk after a boundary": (
        Call(GOOD.replace(f"--{BOUNDARY}\r\n".encode(), f"--{BOUNDARY}junk\r\n".encode())),
        400,
        "invalid_payload_structure",
    ),
    "transfer encoding of a part": (
        Call(
            multipart(
                Part(
                    [
                        b'Content-Disposition: form-data; name="a"',
                        b"Content-Transfer-Encoding: base64",
                    ],
                    b"YQ==",
                )
            )
        ),
        400,
        "invalid_payload_structure",
    ),
    "large part header": (
        Call(multipart(Part([b"X: " + b"x" * 8200], b"v"))),
        400,
        "invalid_payload_structure",
    ),
    "part header without end": (
        Call(f"--{BOUNDARY}\r\nX: ".encode() + b"x" * 100_000),
        400,
        "invalid_payload_structure",
    ),
    "no annotation": (Call(multipart(dump("upload_file_minidump", b"x"))), 400, "no_annotations"),
    "no part": (Call(f"--{BOUNDARY}--\r\n".encode()), 400, "no_annotations"),
    "empty object": (Call(multipart(extra({}))), 400, "no_annotations"),
    "empty json": (Call(multipart(extra(b""))), 400, "invalid_json"),
    "broken json": (Call(multipart(extra(b'{"a": '))), 400, "invalid_json"),
    "junk after json": (Call(multipart(extra(b'{"a": 1} x'))), 400, "invalid_json"),
    "json in no encoding": (Call(multipart(extra(b'{"a": "\xff"}'))), 400, "invalid_json"),
    "json with control characters": (
        Call(multipart(extra(b'{"a": "\x00"}'))),
        400,
        "invalid_json",
    ),
    "deep json": (Call(multipart(extra(nested(100)))), 400, "invalid_json"),
    "very deep json": (Call(multipart(extra(nested(10**6)))), 400, "invalid_json"),
    "open brackets": (Call(multipart(extra(b"[" * 10**6))), 400, "invalid_json"),
    "deep objects": (Call(multipart(extra(b'{"a":' * 10**5))), 400, "invalid_json"),
    "many values": (
        Call(multipart(extra(b'{"a": [' + b"[]," * 10**6 + b"[]]}"))),
        400,
        "invalid_json",
    ),
    "many escaped quotes": (
        Call(multipart(extra(b'{"' + b'\\"' * 10**6 + b"\\"))),
        400,
        "invalid_json",
    ),
    "huge integer": (Call(multipart(extra(b'{"a": ' + b"1" * 4301 + b"}"))), 400, "invalid_json"),
    "very huge integer": (
        Call(multipart(extra(b'{"a": -' + b"1" * 10**6 + b"}"))),
        400,
        "invalid_json",
    ),
    "json list": (Call(multipart(extra([]))), 400, "invalid_json_value"),
    "json text": (Call(multipart(extra("a"))), 400, "invalid_json_value"),
    "json null": (Call(multipart(extra(None))), 400, "invalid_json_value"),
    "json number": (Call(multipart(extra(b"1"))), 400, "invalid_json_value"),
    "too many parts": (
        Call(multipart(*[annotation("a", "b")] * 5001)),
        400,
        "too_many_parts",
    ),
    "too many dumps": (
        Call(multipart(*[dump("a", b"b")] * 251, annotation("a", "b"))),
        400,
        "too_many_parts",
    ),
    "large length": (Call(GOOD, content_length=str(25 * 2**20 + 1)), 413, "body_too_large"),
    "enormous length": (Call(GOOD, content_length="9" * 18), 413, "body_too_large"),
    "large body": (
        Call(multipart(annotation("a", "b"), dump("d", bytes(25 * 2**20)))),
        413,
        "body_too_large",
    ),
    "large chunked body": (
        Call(multipart(annotation("a", "b"), dump("d", bytes(25 * 2**20))), content_length=None),
        413,
        "body_too_large",
    ),
    "gzip bomb": (
        Call(gzip.compress(bytes(200 * 2**20), 1), headers=GZIP),
        413,
        "inflated_too_large",
    ),
    "gzip bomb in a dump": (
        Call(
            gzip.compress(multipart(annotation("a", "b"), dump("d", bytes(11 * 2**20))), 9),
            headers=GZIP,
        ),
        413,
        "inflated_too_large",
    ),
    "large annotations": (
        Call(multipart(*[annotation(f"a{i}", b"x" * 10**6) for i in range(27)])),
        413,
        "body_too_large",
    ),
    "large compressed annotations": (
        Call(
            gzip.compress(multipart(*[annotation(f"a{i}", HEX) for i in range(9)]), 1),
            headers=GZIP,
        ),
        413,
        "annotations_too_large",
    ),
}


class WatchedStorage(FilesystemStorage):
    """Calls somebody before each save."""

    before_save: Callable[[], object]

    def save_raw_crash(self, report: CrashReport) -> None:
        self.before_save()
        super().save_raw_crash(report)


def check_nothing_is_left(storage: FilesystemStorage, queue: CrashQueue) -> None:
    assert list(storage.list_raw_crashes(datetime.now(UTC).date())) == []
    assert list(storage.spool.iterdir()) == []
    assert queue.receive(1, wait=0) == []


@pytest.mark.parametrize("name", REFUSALS)
def test_a_malformed_report_is_refused_with_its_reason(
    app: CollectorApp, storage: FilesystemStorage, queue: CrashQueue, name: str
) -> None:
    request, status, reason = REFUSALS[name]
    answer = call(app, request)
    assert (answer.status, answer.body) == (status, f"Discarded=malformed_{reason}")
    assert answer.headers["content-type"] == "text/plain"
    check_nothing_is_left(storage, queue)


def test_the_good_report_of_these_tests_is_good(app: CollectorApp) -> None:
    assert call(app, Call(GOOD)).crash_id
    assert call(app, Call(MEMBER, headers=GZIP)).crash_id
    assert call(app, Call(multipart(extra(nested(98))))).crash_id
    assert call(app, Call(multipart(*[annotation("a", "b")] * 5000))).crash_id


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "\u0661", "0x10"])
def test_a_length_that_is_none_counts_as_no_body(app: CollectorApp, length: str) -> None:
    answer = call(app, Call(GOOD, content_length=length))
    assert (answer.status, answer.body) == (400, "Discarded=malformed_no_content_length")


@pytest.mark.parametrize("length", [str(25 * 2**20 + 1), "9" * 19, "9" * 400])
def test_a_length_that_is_too_large_is_refused_unread(app: CollectorApp, length: str) -> None:
    answer = call(app, Call(GOOD, content_length=length))
    assert (answer.status, answer.body) == (413, "Discarded=malformed_body_too_large")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_another_method_is_not_allowed(app: CollectorApp, method: str) -> None:
    answer = call(app, Call(method=method))
    assert answer.status == 405
    assert answer.headers["allow"] == "POST, OPTIONS"
    if method != "HEAD":
        assert json.loads(answer.body) == {"title": "405 Method Not Allowed"}


def test_options_tell_the_method(app: CollectorApp) -> None:
    answer = call(app, Call(method="OPTIONS"))
    assert (answer.status, answer.headers["allow"], answer.body) == (200, "POST", "")


@pytest.mark.parametrize("path", ["/", "/submit/", "/Submit", "/submit/x", "/\xff", "/%00"])
def test_another_path_is_not_found(app: CollectorApp, path: str) -> None:
    answer = call(app, Call(GOOD, path=path, headers={"Accept": "text/xml, application/xml"}))
    assert answer.status == 404
    assert json.loads(answer.body) == {"title": "404 Not Found"}


@pytest.mark.parametrize("query", ["guid=x", "a=%ff&%=&&", "x" * 3000, "id=1&id=2"])
def test_the_query_string_is_ignored(app: CollectorApp, query: str) -> None:
    assert call(app, Call(GOOD, query=query)).crash_id


def test_more_uploads_than_allowed_are_turned_away_unread(
    settings: Settings, queue: CrashQueue
) -> None:
    storage = WatchedStorage(settings.crash_storage.removeprefix("fs://"))
    app = create_app(replace(settings, max_uploads=1), storage, queue)
    answers: list[Answer] = []
    storage.before_save = lambda: answers.append(call(app, Call(GOOD)))
    assert call(app, Call(GOOD)).crash_id
    (turned_away,) = answers
    assert (turned_away.status, turned_away.body) == (503, "Discarded=overloaded")
    assert int(turned_away.headers["retry-after"]) > 0
    storage.before_save = lambda: None
    assert call(app, Call(GOOD)).crash_id


def test_a_refused_report_reaches_no_queue_and_a_taken_one_does(
    app: CollectorApp, queue: CrashQueue
) -> None:
    call(app, Call(GOOD[:-8]))
    crash_id = call(app, Call(GOOD)).crash_id
    (message,) = queue.receive(10, wait=0)
    assert message.task.crash_id == crash_id
    assert message.queue is QueueName.STANDARD
