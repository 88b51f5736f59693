# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What is asked of the API of versions, what is remembered, and what an API that is down costs."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
from markus.testing import MetricsMock

from processor import versions as versions_module
from processor.versions import ApiVersions, NoVersions
from socorro import breaker as breaker_module
from tests.contract.processes import wait_until

HALF_HOUR, DAY = 1800.0, 86400.0
BUILD = ("Firefox", "beta", "20261123093507")

Answer = Callable[[BaseHTTPRequestHandler], None]


def found(version: object) -> Answer:
    """Answer with a version."""
    return status(200, json.dumps({"hits": [{"version_string": version}], "total": 1}).encode())


def status(code: int, body: bytes = b"{}", **headers: str) -> Answer:
    """Answer with a status and a body."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


NOTHING_FOUND = status(200, b'{"hits": [], "total": 0}')


class Api:
    """A server in place of Crash Stats: gives the next of its answers, the last for ever."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answers: list[Answer] = [NOTHING_FOUND]
        handler = type("Handler", (BaseHTTPRequestHandler,), {})
        handler.do_GET = lambda request: self._answer(request)  # type: ignore[attr-defined]
        handler.log_message = lambda *_: None  # type: ignore[attr-defined]
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/VersionString/"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(dict(parse_qsl(urlsplit(request.path).query)))
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        answer(request)


class Clock:
    """Tells the time that it is told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def api() -> Iterator[Api]:
    with closing(Api()) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def versions(api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiVersions]:
    monkeypatch.setattr(breaker_module, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(versions_module, "_BACKOFF", 0.001)
    with closing(ApiVersions(api.url, clock=clock)) as lookup:
        yield lookup


def test_the_version_of_a_build_is_asked_for_once_a_day(
    api: Api, clock: Clock, versions: ApiVersions
) -> None:
    api.answers = [found("128.0b4"), found("128.0b5")]
    assert versions.find(*BUILD) == "128.0b4"
    clock.now += DAY - 1
    assert versions.find(*BUILD) == "128.0b4"
    assert api.asked == [{"product": "Firefox", "channel": "beta", "build_id": "20261123093507"}]
    clock.now += 2
    assert versions.find(*BUILD) == "128.0b5"


def test_a_build_that_is_not_known_is_asked_for_again_after_half_an_hour(
    api: Api, clock: Clock, versions: ApiVersions
) -> None:
    api.answers = [NOTHING_FOUND, found("128.0b4")]
    assert versions.find(*BUILD) is None
    clock.now += HALF_HOUR - 1
    assert versions.find(*BUILD) is None
    assert len(api.asked) == 1
    clock.now += 2
    assert versions.find(*BUILD) == "128.0b4"


def test_products_channels_and_builds_are_told_apart(api: Api, versions: ApiVersions) -> None:
    api.answers = [found("1"), found("2"), found("3"), found("4")]
    others = [("Thunderbird", *BUILD[1:]), ("Firefox", "aurora", BUILD[2]), (*BUILD[:2], "2")]
    assert [versions.find(*key) for key in [BUILD, *others, BUILD]] == ["1", "2", "3", "4", "1"]


@pytest.mark.parametrize(
    "answer",
    [
        status(400),
        status(404),
        status(200, b""),
        status(200, b"<html>"),
        status(200, b"[" * 5_000),
        status(200, b"[]"),
        status(200, b'{"hits": null}'),
        status(200, b'{"hits": [1]}'),
        status(200, b'{"hits": [{}]}'),
        found(128),
        found(""),
        found("1" * 101),
        found("1\n2"),
        status(200, b'{"hits": [{"version_string": "1"}]}' + b" " * 2**15),
    ],
)
def test_an_answer_that_makes_no_sense_is_none_and_is_remembered(
    api: Api, versions: ApiVersions, answer: Answer
) -> None:
    api.answers = [answer]
    assert versions.find(*BUILD) is None
    assert versions.find(*BUILD) is None
    assert len(api.asked) == 1


def test_an_api_that_is_busy_is_asked_again_at_once(api: Api, versions: ApiVersions) -> None:
    api.answers = [status(429, Retry_After="3600"), status(500), found("128.0b4")]
    assert versions.find(*BUILD) == "128.0b4"
    assert len(api.asked) == 3


def test_an_error_about_one_build_is_given_up_after_five_more_tries(
    api: Api, versions: ApiVersions
) -> None:
    api.answers = [status(500)]
    assert versions.find(*BUILD) is None
    assert len(api.asked) == 6
    api.answers = [found("128.0b4")]
    assert versions.find("Firefox", "beta", "other") == "128.0b4"


def test_an_api_that_is_down_is_left_alone_until_it_is_back(
    api: Api, versions: ApiVersions
) -> None:
    api.answers = [status(503)]
    assert versions.find(*BUILD) is None
    while_down = [versions.find("Firefox", "beta", str(build)) for build in range(1000)]
    assert while_down == [None] * 1000
    assert "20261123093507" not in {each["build_id"] for each in api.asked[1:]}
    api.answers = [found("128.0b4")]
    # It is not remembered that nothing was known meanwhile.
    wait_until(lambda: versions.find(*BUILD) == "128.0b4", "the version is known")


def test_where_nobody_listens_no_version_is_known(clock: Clock) -> None:
    with closing(Api()) as gone:
        url = gone.url
    with closing(ApiVersions(url.replace("//", "//user:secret@"), clock=clock)) as versions:
        assert versions.find(*BUILD) is None


def test_the_password_of_the_address_is_not_logged(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Api()) as gone:
        url = gone.url.replace("//", "//user:secret@")
    with closing(ApiVersions(url, clock=clock)) as versions:
        versions.find(*BUILD)
    assert "no version: ConnectionError" in caplog.text
    assert "secret" not in caplog.text


def test_an_answer_that_never_ends_is_given_up(
    api: Api, versions: ApiVersions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions_module, "_TIMEOUT", 0.2)
    ended = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not ended.wait(0.02):
            handler.wfile.write(b" ")

    api.answers = [drip, NOTHING_FOUND]
    assert versions.find(*BUILD) is None
    ended.set()


def test_no_more_than_five_thousand_answers_are_remembered(
    api: Api, versions: ApiVersions, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert versions_module._MAX_CACHED == 5000
    monkeypatch.setattr(versions_module, "_MAX_CACHED", 3)
    for build in "1234":
        versions.find("Firefox", "beta", build)
    asked = len(api.asked)
    versions.find("Firefox", "beta", "4")
    assert len(api.asked) == asked
    versions.find("Firefox", "beta", "1")
    assert len(api.asked) == asked + 1


def test_looking_up_is_counted(api: Api, versions: ApiVersions) -> None:
    api.answers = [found("128.0b4"), NOTHING_FOUND]
    with MetricsMock() as metrics:
        versions.find(*BUILD)
        versions.find(*BUILD)
        versions.find("Firefox", "beta", "other")
    name = "socorro.processor.betaversionrule"
    assert len(metrics.filter_records("incr", f"{name}.cache", tags=["result:hit"])) == 1
    assert len(metrics.filter_records("incr", f"{name}.cache", tags=["result:miss"])) == 2
    assert len(metrics.filter_records("incr", f"{name}.lookup", tags=["result:success"])) == 1
    assert len(metrics.filter_records("incr", f"{name}.lookup", tags=["result:fail"])) == 1


def test_without_an_api_nothing_is_known() -> None:
    assert NoVersions().find(*BUILD) is None
