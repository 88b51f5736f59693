# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Throttle rules in a collector that serves: what clients get, and what a reload changes."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from socorro.crash_id import throttle_of
from socorro.queue import QueueName
from tests.collector.made_requests import Answer, annotation, multipart
from tests.collector.raw_http import CollectorServer, children_of, submit_request
from tests.contract.processes import wait_until

RULES = """
rules:
  - {name: nobody_wants, when: {annotation: A, equals: reject}, then: reject}
  - {name: later, when: {annotation: A, equals: defer}, then: defer}
  - {name: pretended, when: {annotation: A, equals: fake}, then: fake_accept}
  - {name: all_others, then: accept}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


@pytest.fixture
def server(tmp_path: Path, rules: Path) -> CollectorServer:
    return CollectorServer(tmp_path, {"THROTTLE_RULES": str(rules), "COLLECTOR_WORKERS": "2"})


@pytest.fixture
def running(server: CollectorServer) -> Iterator[CollectorServer]:
    server.start()
    yield server
    server.kill()


def send(server: CollectorServer, value: str) -> Answer:
    return server.send(submit_request(multipart(annotation("A", value))))


def reload(server: CollectorServer) -> None:
    """Send SIGHUP, and return when only workers serve that were started after it."""
    assert server.process is not None
    master = server.process.pid
    before = set(children_of(master))
    os.kill(master, signal.SIGHUP)
    wait_until(lambda: not before & set(children_of(master)), "the old workers end")


def queued(server: CollectorServer) -> int:
    return server.queue.depth()[QueueName.STANDARD].ready


def test_a_rejected_report_is_answered_with_its_rule_and_not_kept(running: CollectorServer) -> None:
    answer = send(running, "reject")
    assert (answer.status, answer.body) == (200, "Discarded=rule_nobody_wants")
    assert running.storage.list_days() == []


def test_a_deferred_report_is_stored_and_not_queued(running: CollectorServer) -> None:
    crash_id = send(running, "defer").crash_id
    assert throttle_of(crash_id) == 1
    stored = running.storage.load_raw_crash(crash_id)
    assert stored["metadata"]["throttle_rule"] == "later"
    assert queued(running) == 0
    send(running, "accept")
    assert queued(running) == 1


def test_a_fake_accepted_report_gets_an_id_and_is_not_kept(running: CollectorServer) -> None:
    crash_id = send(running, "fake").crash_id
    assert throttle_of(crash_id) == 3
    assert not running.storage.has_raw_crash(crash_id)


def test_sighup_reads_the_rules_again(running: CollectorServer, rules: Path) -> None:
    assert send(running, "x").crash_id
    rules.write_text("rules: [{name: closed, then: reject}]")
    reload(running)
    for _ in range(10):
        assert send(running, "x").body == "Discarded=rule_closed"
    assert "1 throttle rules in force" in running.log


def test_a_reload_of_broken_rules_keeps_those_of_before(
    running: CollectorServer, rules: Path
) -> None:
    rules.write_text("rules:\n  - {name: closed, then: maybe}")
    reload(running)
    assert "the throttle rules of before stay in force" in running.log
    assert f"{rules}, line 2" in running.log
    for _ in range(10):
        assert send(running, "reject").body == "Discarded=rule_nobody_wants"
        assert send(running, "x").crash_id


def test_broken_rules_end_the_start_with_one_sentence(server: CollectorServer, rules: Path) -> None:
    rules.write_text("rules:\n  - {name: closed}")
    assert server.spawn().wait(30) == 3
    assert server.log.splitlines()[-1] == (
        f"The collector cannot start. THROTTLE_RULES: {rules}, line 2: a rule: the key then is "
        "missing."
    )


def test_a_worker_that_is_replaced_has_the_rules_that_the_master_read_last(
    running: CollectorServer, rules: Path
) -> None:
    rules.write_text("rules: [{name: closed, then: reject}]")
    reload(running)
    rules.write_text("no rules at all")
    assert running.process is not None
    master = running.process.pid
    before = set(children_of(master))
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(set(children_of(master)) - before) == 2, "new workers")
    assert send(running, "x").body == "Discarded=rule_closed"


def test_rules_that_cannot_be_read_any_more_stay_in_force(
    running: CollectorServer, rules: Path
) -> None:
    rules.unlink()
    reload(running)
    assert "cannot be read: No such file or directory" in running.log
    assert send(running, "reject").body == "Discarded=rule_nobody_wants"
