# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What operators ask: an error on purpose, and the metrics of all workers."""

import base64
import json
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import markus
import pytest

from collector.app import CollectorApp, create_app
from socorro.metrics import METRICS, set_up_metrics
from socorro.prometheus import MOST_LABELS, exposition
from socorro.queue import CrashQueue
from socorro.settings import Settings
from socorro.storage import FilesystemStorage
from tests.collector.made_requests import Answer, Call, annotation, call, multipart
from tests.collector.raw_http import CollectorServer, children_of, submit_request
from tests.contract.processes import wait_until
from tests.sentry_mailbox import reports_kept

TOKEN = "s\u00e9cret"


@pytest.fixture
def operated(settings: Settings, storage: FilesystemStorage, queue: CrashQueue) -> CollectorApp:
    """A collector with a token."""
    return create_app(replace(settings, operator_token=TOKEN), storage, queue)


@pytest.fixture
def _prometheus(settings: Settings) -> Iterator[None]:
    set_up_metrics(settings, prometheus="collector")
    yield
    markus.configure([])


def get(app: CollectorApp, path: str, authorization: str | None = None) -> Answer:
    headers = {} if authorization is None else {"Authorization": authorization}
    return call(app, Call(method="GET", path=path, content_type=None, headers=headers))


def bearer(token: str) -> str:
    return "Bearer " + token.encode().decode("latin-1")


def basic(user: str, password: str) -> str:
    return "basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


WRONG = [
    None,
    "",
    "Bearer",
    "Bearer ",
    "Bearer x",
    "Bearer \u20ac",
    bearer(TOKEN + "x"),
    f"Token {TOKEN}",
    "Basic",
    "Basic !!!",
    basic("x", ""),
    basic(TOKEN, "x"),
]


@pytest.mark.parametrize("path", ["/__broken__", "/metrics"])
@pytest.mark.parametrize("authorization", WRONG)
def test_who_has_no_token_gets_401(
    operated: CollectorApp, path: str, authorization: str | None
) -> None:
    answer = get(operated, path, authorization)
    assert answer.status == 401
    assert json.loads(answer.body)["title"] == "401 Unauthorized"
    assert "Basic realm" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("authorization", WRONG)
def test_without_a_token_in_the_settings_nobody_breaks_anything(
    app: CollectorApp, authorization: str | None
) -> None:
    assert get(app, "/__broken__", authorization).status == 401


@pytest.mark.parametrize(
    "authorization",
    [
        bearer(TOKEN),
        bearer(TOKEN).replace("Bearer", "BEARER"),
        basic("", TOKEN),
        basic("me", TOKEN),
    ],
)
def test_with_the_token_an_error_is_raised_on_purpose(
    operated: CollectorApp, authorization: str
) -> None:
    answer = get(operated, "/__broken__", authorization)
    assert answer.status == 500
    assert json.loads(answer.body) == {"title": "500 Internal Server Error"}
    assert answer.headers["content-type"] == "application/json"


def test_the_error_on_purpose_reaches_sentry_without_the_request(
    operated: CollectorApp, settings: Settings
) -> None:
    with reports_kept(settings, "collector") as mailbox:
        get(operated, "/__broken__", bearer(TOKEN))
    (envelope,) = mailbox.envelopes
    event = envelope.serialize().decode()
    assert "BrokenOnPurposeError" in event
    assert "cret" not in event
    assert "Authorization" not in event
    assert "127.0.0.1" not in event


def value_of(text: str, name: str, **labels: str) -> float:
    """Return a sample of Prometheus' text format."""
    wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
    pattern = re.escape(name + (f"{{{wanted}}}" if wanted else "")) + r" (\S+)"
    match = re.search(f"^{pattern}$", text, re.MULTILINE)
    assert match, f"{name} {labels} in\n{text}"
    return float(match[1])


@pytest.mark.usefixtures("_prometheus")
def test_metrics_have_the_names_and_units_of_prometheus(app: CollectorApp) -> None:
    METRICS.incr("collector.breakpad_resource.malformed", tags=["reason:bad_gzip"])
    METRICS.incr("collector.crashmover.save_crash.count", 2)
    METRICS.gauge("collector.crashmover.unpublished", 7)
    METRICS.timing("collector.crashmover.crash_save.time", 40)
    METRICS.histogram("collector.breakpad_resource.crash_size", 1000, tags=["payload:compressed"])
    answer = get(app, "/metrics")
    text = answer.body
    prefix = "socorro_collector"
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert value_of(text, f"{prefix}_breakpad_resource_malformed_total", reason="bad_gzip") == 1
    assert value_of(text, f"{prefix}_crashmover_save_crash_count_total") == 2
    assert value_of(text, f"{prefix}_crashmover_unpublished") == 7
    assert value_of(text, f"{prefix}_crashmover_crash_save_time_seconds_sum") == 0.04
    assert value_of(text, f"{prefix}_breakpad_resource_crash_size_sum", payload="compressed") == (
        1000
    )
    # What has not happened yet can be told from what is not measured.
    assert value_of(text, f"{prefix}_crashmover_save_crash_dropped_count_total") == 0


@pytest.mark.usefixtures("_prometheus")
def test_values_of_a_tag_do_not_grow_without_end() -> None:
    for number in range(MOST_LABELS + 50):
        METRICS.incr("collector.breakpad_resource.throttle_rule", tags=[f"rule:r{number}"])
    text = exposition().decode()
    name = "socorro_collector_breakpad_resource_throttle_rule_total"
    assert value_of(text, name, rule="other") == 50
    assert text.count(f"{name}{{") == MOST_LABELS + 1


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CollectorServer]:
    server = CollectorServer(tmp_path, {"COLLECTOR_WORKERS": "3"})
    server.start()
    yield server
    server.kill()


def test_the_metrics_of_all_workers_are_on_one_page(server: CollectorServer) -> None:
    request = submit_request(multipart(annotation("ProductName", "DemoApp")))
    for _ in range(40):
        assert server.send(request).crash_id
    server.send(b"GET / HTTP/9.9\r\nHost: x\r\n\r\n")
    text = server.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").body
    prefix = "socorro_collector"
    assert value_of(text, f"{prefix}_crashmover_save_crash_count_total") == 40
    assert value_of(text, f"{prefix}_breakpad_resource_on_post_time_seconds_count") == 40
    reason = "invalid_http_version"
    assert value_of(text, f"{prefix}_breakpad_resource_malformed_total", reason=reason) == 1
    assert value_of(text, f"{prefix}_gunicorn_requests_total", status="200") >= 40
    assert value_of(text, f"{prefix}_gunicorn_workers") == 3


def shared_folder(server: CollectorServer) -> Path:
    assert server.process is not None
    maps = Path(f"/proc/{server.process.pid}/maps").read_text()
    (folder,) = set(re.findall(r"(/\S*/socorro-metrics-[^/\s]+)/", maps))
    return Path(folder)


def test_counts_outlive_the_workers_that_counted(server: CollectorServer) -> None:
    assert server.process is not None
    request = submit_request(multipart(annotation("ProductName", "DemoApp")))
    folder = shared_folder(server)
    for round_ in range(1, 4):
        for _ in range(5):
            assert server.send(request).crash_id
        workers = children_of(server.process.pid)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        wait_until(partial(are_replaced, server, workers), "new workers")
        text = server.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").body
        prefix = "socorro_collector"
        assert value_of(text, f"{prefix}_crashmover_save_crash_count_total") == 5 * round_
        assert value_of(text, f"{prefix}_crashmover_crash_save_time_seconds_count") == 5 * round_
        left = {str(worker) for worker in workers}
        assert not left & {path.stem.rpartition("_")[2] for path in folder.glob("*.db")}


def are_replaced(server: CollectorServer, workers: list[int]) -> bool:
    assert server.process is not None
    living = set(children_of(server.process.pid))
    if len(living) < 3 or living & set(workers):
        return False
    try:
        return server.send(b"GET /__lbheartbeat__ HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
    except OSError:
        return False


def test_nothing_of_the_metrics_is_left_behind(server: CollectorServer) -> None:
    folder = shared_folder(server)
    assert folder.is_dir()
    assert server.stop() == 0
    assert not folder.exists()
