# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Metrics and their declarations."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import markus
import pytest
from markus.filters import MetricsUnknownKey

from socorro.metrics import DECLARED, METRICS, set_up_metrics
from socorro.settings import SettingError, load

ROOMS = ("collector", "cron", "processor", "socorro", "webapp")


@pytest.fixture(autouse=True)
def _no_backends_afterwards() -> Iterator[None]:
    yield
    markus.configure([])


def test_every_metric_is_declared_once_and_described() -> None:
    names = [metric.name for metric in DECLARED]
    assert len(names) == len(set(names))
    assert all(metric.doc.endswith(".") for metric in DECLARED)


def test_a_metric_that_nobody_declared_is_an_error_in_tests() -> None:
    with pytest.raises(MetricsUnknownKey):
        METRICS.incr("collector.undeclared")


def test_every_metric_that_code_names_is_declared_and_every_declared_one_is_used() -> None:
    root = Path(__file__).parents[2]
    sources = [path.read_text() for room in ROOMS for path in (root / room).rglob("*.py")]
    code = "\n".join(sources).replace("{_METRIC}", "collector.breakpad_resource")
    call = re.compile(r"METRICS\s*\.(?:incr|gauge|timing|histogram|timer)\(\s*f?\"([^\"]+)\"")
    used = set(call.findall(code))
    assert used == {metric.name for metric in DECLARED}


def test_metrics_go_to_the_server_of_the_settings() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        port = server.getsockname()[1]
        set_up_metrics(replace(load(), statsd_address=f"127.0.0.1:{port}"))
        METRICS.incr("collector.breakpad_resource.malformed", tags=["reason:bad_gzip"])
        packet = server.recv(1000).decode()
    assert packet.startswith("socorro.collector.breakpad_resource.malformed:1|c|#")
    assert "reason:bad_gzip" in packet
    assert f"host:{socket.gethostname()}" in packet


def test_without_an_address_metrics_go_nowhere() -> None:
    set_up_metrics(load())
    METRICS.incr("collector.breakpad_resource.incoming_crash")


@pytest.mark.parametrize("address", ["localhost", ":8125", "localhost:", "localhost:statsd"])
def test_an_address_that_is_none_is_named(address: str) -> None:
    with pytest.raises(SettingError, match=r"^STATSD_ADDRESS "):
        set_up_metrics(replace(load(), statsd_address=address))
