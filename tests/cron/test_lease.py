# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The lease: one holder at a time, healing itself."""

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError, connection, connections

from cron import lease
from cron.models import Lease
from tests.contract.processes import wait_until
from tests.cron.clock import Clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_lease_has_one_holder(clock: Clock) -> None:
    assert lease.acquire("cronrun", "one", clock())
    assert not lease.acquire("cronrun", "two", clock())


def test_a_holder_may_acquire_again(clock: Clock) -> None:
    assert lease.acquire("cronrun", "one", clock())
    assert lease.acquire("cronrun", "one", clock())


def test_a_released_lease_is_free(clock: Clock) -> None:
    lease.acquire("cronrun", "one", clock())
    lease.release("cronrun", "one")
    assert lease.acquire("cronrun", "two", clock())


def test_the_lease_of_a_killed_holder_is_free_when_it_runs_out(clock: Clock) -> None:
    lease.acquire("cronrun", "killed", clock())
    clock.advance(seconds=lease.DURATION.total_seconds() - 1)
    assert not lease.acquire("cronrun", "two", clock())
    clock.advance(seconds=1)
    assert lease.acquire("cronrun", "two", clock())


def test_a_lease_that_another_took_cannot_be_renewed_or_released(clock: Clock) -> None:
    lease.acquire("cronrun", "one", clock())
    clock.advance(minutes=5)
    lease.acquire("cronrun", "two", clock())
    assert not lease.renew("cronrun", "one", clock())
    lease.release("cronrun", "one")
    assert Lease.objects.get().holder == "two"


def test_renewing_moves_the_end(clock: Clock) -> None:
    lease.acquire("cronrun", "one", clock())
    clock.advance(seconds=20)
    assert lease.renew("cronrun", "one", clock())
    assert Lease.objects.get().expires == clock() + lease.DURATION


def test_a_lease_of_a_clock_that_was_ahead_does_not_hold_for_years(clock: Clock) -> None:
    lease.acquire("cronrun", "one", clock() + timedelta(days=3650))
    assert lease.acquire("cronrun", "two", clock())


def test_the_block_holds_the_lease_and_gives_it_back(clock: Clock) -> None:
    with lease.held("cronrun", "one", clock) as holding:
        assert holding is not None
        with lease.held("cronrun", "two", clock) as other:
            assert other is None
    with lease.held("cronrun", "two", clock) as holding:
        assert holding is not None


def test_the_block_gives_the_lease_back_when_it_raises(clock: Clock) -> None:
    with pytest.raises(KeyError), lease.held("cronrun", "one", clock):
        raise KeyError
    assert lease.acquire("cronrun", "two", clock())


def test_the_block_renews_and_tells_when_the_lease_was_taken_away(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_RENEW_EVERY", 0.02)
    with lease.held("cronrun", "one", clock) as holding:
        assert holding is not None
        clock.advance(minutes=5)
        expected = clock() + lease.DURATION
        wait_until(lambda: Lease.objects.get().expires == expected, "a renewal")
        assert not holding.lost, "a renewal in time keeps it"
        Lease.objects.update(holder="two")
        wait_until(lambda: holding.lost, "the loss")
    assert Lease.objects.get().holder == "two"


def test_a_lease_that_cannot_be_renewed_is_lost_when_it_runs_out(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise InterfaceError("connection already closed")

    monkeypatch.setattr(lease, "renew", fail)
    monkeypatch.setattr(lease, "_RENEW_EVERY", 0.01)
    monkeypatch.setattr(lease, "DURATION", timedelta(seconds=0.5))
    with lease.held("cronrun", "one", clock) as holding:
        assert holding is not None
        assert not holding.lost
        wait_until(lambda: holding.lost, "the loss")


def test_a_lease_is_lost_in_time_while_the_database_hangs(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = threading.Event(), threading.Event()

    def hang(*_: object) -> bool:
        asked.set()
        return answered.wait(60)

    monkeypatch.setattr(lease, "renew", hang)
    monkeypatch.setattr(lease, "_RENEW_EVERY", 0.01)
    monkeypatch.setattr(lease, "DURATION", timedelta(seconds=0.5))
    with lease.held("cronrun", "one", clock) as holding:
        assert holding is not None
        assert asked.wait(30)
        wait_until(lambda: holding.lost, "the loss")
        answered.set()
        assert holding.lost, "an answer that comes late does not bring it back"


def test_an_outage_at_the_end_of_the_work_leaves_the_lease_to_run_out(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("the server is away")

    monkeypatch.setattr(lease, "release", fail)
    with lease.held("cronrun", "one", clock):
        pass
    clock.advance(seconds=lease.DURATION.total_seconds())
    assert lease.acquire("cronrun", "two", clock())


def test_machines_whose_clocks_differ_agree_on_a_lease_in_postgresql(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert lease.acquire("cronrun", "one", lease.database_now())
    ahead = lease.utc_now() + timedelta(hours=1)
    monkeypatch.setattr(lease, "utc_now", lambda: ahead)
    shared = connection.vendor == "postgresql"
    assert lease.acquire("cronrun", "two", lease.database_now()) is not shared


def test_of_many_threads_one_gets_the_lease() -> None:
    begin = threading.Barrier(8)

    def take(number: int) -> bool:
        begin.wait(30)
        try:
            return lease.acquire("cronrun", str(number), lease.database_now())
        finally:
            connection.close()

    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(take, range(8))) == 1
        Lease.objects.all().delete()


def _take(name: str, begin: "multiprocessing.synchronize.Barrier") -> None:
    begin.wait(30)
    taken = lease.acquire(name, str(os.getpid()), lease.database_now())
    connection.close()
    # Without the ways of pytest, which this process has inherited.
    os._exit(int(taken))


def test_of_many_processes_one_gets_the_lease() -> None:
    connections.close_all()
    context = multiprocessing.get_context("fork")
    begin = context.Barrier(6)
    processes = [context.Process(target=_take, args=("cronrun", begin)) for _ in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert sorted(process.exitcode or 0 for process in processes) == [0, 0, 0, 0, 0, 1]
    assert Lease.objects.get().holder in {str(process.pid) for process in processes}
