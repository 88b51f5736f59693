# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``socorro cronrun`` as operators and supervisors start it: real processes, a real database."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cron.models import Lease
from socorro.crash_id import make_crash_id
from socorro.queue import QueueName, open_queue
from socorro.storage import CrashReport, open_storage
from tests.databases import Engine, django_on

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(tmp_path: Path, each_database: Engine) -> dict[str, str]:
    return {
        **os.environ,
        "SOCORRO_DATA": str(tmp_path),
        "DATABASE_URL": each_database.migrated(),
        "LOG_FORMAT": "text",
    }


@pytest.fixture
def socorro(environment: dict[str, str]) -> Command:
    """Run `socorro` with arguments to its end."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "socorro", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    return run


def test_before_a_migration_it_says_what_to_do(
    socorro: Command, environment: dict[str, str], each_database: Engine
) -> None:
    environment["DATABASE_URL"] = each_database.empty()
    for arguments in ([], ["--list"]):
        ended = socorro("cronrun", *arguments)
        assert ended.returncode == 78
        assert "run `socorro migrate`" in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_one_round_brings_a_missing_crash_back_and_is_recorded(
    socorro: Command, tmp_path: Path
) -> None:
    arrived = datetime.now(UTC) - timedelta(hours=1)
    crash_id = make_crash_id(arrived)
    annotations = {"submitted_timestamp": arrived.isoformat()}
    open_storage(f"fs://{tmp_path}/crashes").save_raw_crash(CrashReport(crash_id, annotations))
    ended = socorro("cronrun", "--once")
    assert ended.returncode == 0, ended.stderr
    assert f"[{crash_id}] queued a missing crash again" in ended.stderr
    queue = open_queue(f"local://{tmp_path}/queue", lease_seconds=60)
    assert queue.depth()[QueueName.STANDARD].ready == 1
    queue.close()
    listed = socorro("cronrun", "--list").stdout
    assert "requeue_missing " in listed
    assert f"last success {datetime.now(UTC):%Y-%m-%dT}" in listed


def test_one_job_is_run_on_demand_and_an_unknown_one_is_refused(socorro: Command) -> None:
    assert socorro("cronrun", "--job", "clean_cron_log").returncode == 0
    ended = socorro("cronrun", "--job", "nonsense")
    assert ended.returncode == 2
    assert "there is no job 'nonsense'; there are: requeue_missing, " in ended.stderr


@pytest.mark.usefixtures("db")
def test_the_loop_ends_on_sigterm_and_leaves_the_lease_free(environment: dict[str, str]) -> None:
    loop = subprocess.Popen(
        [sys.executable, "-m", "socorro", "cronrun"],
        env={**environment, "LOG_LEVEL": "DEBUG"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert loop.stderr is not None
    lines = iter(loop.stderr.readline, "")
    assert any("clean_cron_log succeeded" in line for line in lines), "the last job of a round"
    loop.send_signal(signal.SIGTERM)
    loop.communicate(timeout=60)
    assert loop.returncode == 0
    with django_on(environment["DATABASE_URL"]):
        assert list(Lease.objects.values_list("name", "holder")) == [("cronrun", "")]
