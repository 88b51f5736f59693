# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""How many reports are taken, and from whom they come."""

import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.app import create_app
from collector.limits.client_address import client_network
from collector.limits.rate_limits import RateLimits
from collector.limits.shared_windows import Count, SharedWindows
from collector.refusal import Refused
from socorro.queue import CrashQueue
from socorro.settings import Settings
from socorro.storage import FilesystemStorage
from tests.collector.made_requests import Part, annotation, dump, multipart, post
from tests.collector.raw_http import CollectorServer, submit_request

PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_are_taken_and_then_none() -> None:
    windows = SharedWindows(clock=Clock())
    waits = [windows.take([Count("a", 3, 60)]) for _ in range(5)]
    assert waits[:3] == [0, 0, 0]
    assert all(wait > 0 for wait in waits[3:])


def test_after_the_time_that_is_told_one_more_is_taken_and_not_before() -> None:
    clock = Clock()
    windows = SharedWindows(clock=clock)
    for _ in range(200):
        wait = windows.take([Count("a", 7, 60)])
        if wait:
            clock.now += wait - 0.01
            assert windows.take([Count("a", 7, 60)]) > 0
            clock.now += 0.02
            assert windows.take([Count("a", 7, 60)]) == 0


@given(
    st.integers(1, 20),
    st.lists(st.floats(0, 15, allow_nan=False, width=32), max_size=150),
)
def test_hardly_more_than_the_amount_are_taken_in_any_window(
    amount: int, pauses: list[float]
) -> None:
    clock = Clock()
    windows = SharedWindows(places=8, clock=clock)
    taken: deque[float] = deque()
    for pause in pauses:
        clock.now += pause
        if windows.take([Count("a", amount, 60)]) == 0:
            taken.append(clock.now)
        while taken and taken[0] <= clock.now - 60:
            taken.popleft()
        # Events of the window before are taken to be spread evenly over it.
        assert len(taken) <= 2 * amount
    clock.now += 120
    assert windows.take([Count("a", amount, 60)]) == 0


def test_one_that_is_refused_for_one_reason_counts_for_none() -> None:
    windows = SharedWindows(clock=Clock())
    for _ in range(5):
        windows.take([Count("all", 2, 60), Count("one", 1, 60)])
    assert windows.take([Count("all", 2, 60)]) == 0


def test_many_keys_push_out_those_that_are_used_least() -> None:
    windows = SharedWindows(places=8, clock=Clock())
    for _ in range(50):
        windows.take([Count("often", 50, 60)])
    for number in range(100):
        windows.take([Count(f"key {number}", 5, 60)])
    assert windows.take([Count("often", 50, 60)]) > 0


# Workers are forked from a process that has no other threads, which this one may have.
KILLED_AND_STOPPED = """
import os, signal
from collector.limits.shared_windows import Count, SharedWindows
windows = SharedWindows()
workers = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        while True:
            windows.take([Count("a", 10**6, 3600)])
    workers.append(pid)
for worker in workers[:2]:
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    print(windows.take([Count("b", 100, 3600)]))
for worker in workers[2:]:
    os.kill(worker, signal.SIGSTOP)
print(windows.take([Count("b", 100, 3600)]))
for worker in workers[2:]:
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
"""
TOGETHER = """
import os
from collector.limits.shared_windows import Count, SharedWindows
windows = SharedWindows()
for _ in range(3):
    if os.fork() == 0:
        print(sum(windows.take([Count("a", 100, 3600)]) == 0 for _ in range(100)), flush=True)
        os._exit(0)
for _ in range(3):
    os.wait()
"""


def printed_by(script: str) -> list[float]:
    """Run a script and return the numbers that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, timeout=60
    )
    return [float(line) for line in done.stdout.split()]


def test_a_process_that_is_killed_or_stopped_holds_up_nobody() -> None:
    assert printed_by(KILLED_AND_STOPPED) == [0, 0, 0]


def test_what_processes_take_together_is_the_amount() -> None:
    assert sum(printed_by(TOGETHER)) == 100


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", None, "192.0.2.1/32"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1/32"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7/32"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7/32"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.9.9.9", "198.51.100.7/32"),
        ("10.0.0.1", "10.1.1.1", "10.1.1.1/32"),
        ("10.0.0.1", None, "10.0.0.1/32"),
        ("10.0.0.1", "", "10.0.0.1/32"),
        ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1/32"),
        ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7/32"),
        ("10.0.0.1", "[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", None, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", None, "192.0.2.1/32"),
        ("fe80::1%eth0", None, "fe80::/64"),
        ("::1", "192.0.2.1", "192.0.2.1/32"),
        ("", None, None),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_trusted_proxy(
    peer: str, forwarded: str | None, client: str | None
) -> None:
    network = client_network(peer, forwarded, PROXIES)
    assert network == (None if client is None else ip_network(client))


@given(st.text(), st.text())
def test_no_header_is_too_odd(peer: str, forwarded: str) -> None:
    client_network(peer, forwarded, PROXIES)
    assert client_network("192.0.2.1", forwarded, PROXIES) == ip_network("192.0.2.1/32")


def test_addresses_and_products_are_counted_each_by_itself(settings: Settings) -> None:
    limits = RateLimits(
        replace(settings, rate_limit_per_address="2/minute", rate_limit_per_product="1/hour")
    )
    for address in ("192.0.2.1", "192.0.2.2"):
        for _ in range(2):
            limits.check_client(address, None)
        with pytest.raises(Refused) as refusal:
            limits.check_client(address, "198.51.100.7")
        assert (refusal.value.status, refusal.value.body) == (429, "Discarded=rate_limited")
        assert refusal.value.retry_after is not None
        assert 1 <= refusal.value.retry_after <= 120
    for product in ("DemoApp", "Other", None, {"a": 1}, "\ud800"):
        limits.check_product(product)
        with pytest.raises(Refused):
            limits.check_product(product)


REPORT = [annotation("ProductName", "DemoApp"), dump("upload_file_minidump", b"MDMP")]


def test_without_limits_everything_is_taken(settings: Settings) -> None:
    limits = RateLimits(settings)
    for _ in range(1000):
        limits.check_client("192.0.2.1", None)
        limits.check_product("DemoApp")


def test_a_product_over_its_limit_gets_429_and_others_are_stored(
    settings: Settings, storage: FilesystemStorage, queue: CrashQueue
) -> None:
    app = create_app(replace(settings, rate_limit_per_product="1/hour"), storage, queue)
    other: list[Part] = [annotation("ProductName", "Other"), *REPORT[1:]]
    assert post(app, *REPORT).crash_id
    answer = post(app, *REPORT)
    assert (answer.status, answer.body) == (429, "Discarded=rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 7200
    assert post(app, *other).crash_id
    assert list(storage.spool.iterdir()) == []


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[CollectorServer]:
    server = CollectorServer(tmp_path, {"COLLECTOR_WORKERS": "2", "RATE_LIMIT": "10/hour"})
    server.start()
    yield server
    server.kill()


def test_the_workers_of_a_collector_share_a_limit(limited: CollectorServer) -> None:
    request = submit_request(multipart(*REPORT))
    answers = [limited.send(request) for _ in range(30)]
    assert sum(answer.status == 200 for answer in answers) == 10
    assert {answer.body for answer in answers if answer.status != 200} == {"Discarded=rate_limited"}
    assert limited.send(b"GET /__heartbeat__ HTTP/1.1\r\nHost: x\r\n\r\n").status == 200


def test_a_client_over_its_limit_is_not_asked_for_its_body(limited: CollectorServer) -> None:
    request = submit_request(multipart(*REPORT))
    for _ in range(10):
        limited.send(request)
    head, _, _ = submit_request(multipart(*REPORT), "Expect: 100-continue").partition(b"\r\n\r\n")
    with limited.connect() as connection:
        connection.send(head + b"\r\n\r\n")
        answer = connection.answer()
        assert (answer.status, answer.headers["connection"]) == (429, "close")
        assert connection.is_closed()
