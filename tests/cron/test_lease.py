# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The lease: one holder at a time, healing itself."""

from datetime import timedelta

import pytest

from cron import lease
from cron.models import Lease
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
    with lease.held("cronrun", "one", clock) as lost:
        assert lost is not None
        with lease.held("cronrun", "two", clock) as other:
            assert other is None
    with lease.held("cronrun", "two", clock) as lost:
        assert lost is not None


def test_the_block_gives_the_lease_back_when_it_raises(clock: Clock) -> None:
    with pytest.raises(KeyError), lease.held("cronrun", "one", clock):
        raise KeyError
    assert lease.acquire("cronrun", "two", clock())


def test_the_block_renews_and_tells_when_the_lease_was_taken_away(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_RENEW_EVERY", 0.02)
    with lease.held("cronrun", "one", clock) as lost:
        assert lost is not None
        clock.advance(minutes=5)
        assert not lost.wait(0.2), "a renewal in time keeps it"
        Lease.objects.update(holder="two")
        assert lost.wait(10)
    assert Lease.objects.get().holder == "two"
