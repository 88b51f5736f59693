# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Throttle rules on one machine: deferred crashes, and rules that change while it runs."""

import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
from pathlib import Path

import pytest

from tests.e2e.server import STOP_SECONDS, Server, wait_until

pytestmark = pytest.mark.e2e

RULES = """
rules:
  - {name: later, when: {annotation: Later, present: true}, then: defer}
  - {name: rest, then: accept}
"""


@pytest.fixture
def rules(server: Server, tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    # Every crash that is not processed counts as missing at once.
    server.settings = {"THROTTLE_RULES": str(path), "REQUEUE_AFTER": "1"}
    return path


def test_a_deferred_crash_is_processed_when_somebody_asks_and_not_before(
    server: Server, rules: Path
) -> None:
    server.start()
    deferred = server.submit({"ProductName": "DemoApp", "Version": "1", "Later": "1"})
    server.wait_for_crash(server.submit({"ProductName": "DemoApp", "Version": "1"}))
    tried = server.socorro("throttle", "try", "--last", "5", "--product", "DemoApp", "--json")
    (one,) = tried.stdout.splitlines()
    assert json.loads(one)["verdicts"] == [{"rule": "rest", "result": "accept", "probability": 1.0}]
    searched = server.socorro("cronrun", "--job", "requeue_missing")
    assert searched.returncode == 0, searched.stderr
    server.wait_for_crash(server.submit({"ProductName": "DemoApp", "Version": "1"}))
    assert server.processed_crash(deferred) is None
    assert server.socorro("reprocess", deferred).returncode == 0
    assert server.wait_for_crash(deferred)["product"] == "DemoApp"
    assert server.stop() == 0


def test_sighup_has_the_rules_read_again(server: Server, rules: Path) -> None:
    server.start()
    assert server.process is not None
    rules.write_text("rules: [{name: closed, then: reject}]")
    server.process.send_signal(signal.SIGHUP)
    wait_until("the new rules", lambda: server.post({"A": "b"}).text == "Discarded=rule_closed")
    assert server.is_up()
    assert server.stop() == 0


def test_wrong_rules_end_the_start_with_one_sentence(server: Server, rules: Path) -> None:
    rules.write_text("rules:\n- {name: a, then: b}\n")
    refused = server.socorro("run")
    assert refused.returncode == 78
    assert refused.stderr.strip().endswith(
        f"THROTTLE_RULES: {rules}, line 2: 'b' is no result; those are accept, defer, reject, "
        "fake_accept, continue."
    )


def test_a_server_ends_with_the_terminal_in_which_it_was_started(server: Server) -> None:
    ours, its = pty.openpty()
    with server.log.open("ab") as log:
        server.process = subprocess.Popen(
            server.command("run"),
            env=server.environ,
            stdin=its,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
    os.close(its)
    server.wait_until_ready()
    os.close(ours)
    assert server.process.wait(STOP_SECONDS) == 0
