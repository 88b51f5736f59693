# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What is known about the ends of leases."""

from types import SimpleNamespace

import pytest

from socorro.queue.sqs import leases as module
from socorro.queue.sqs.leases import Leases


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that a test sets: `now` is in seconds."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_a_lease_is_over_when_its_time_is(clock: SimpleNamespace) -> None:
    leases = Leases()
    leases.begin("receipt", 60)
    clock.now += 59
    assert not leases.is_over("receipt")
    clock.now += 1
    assert leases.is_over("receipt")


def test_a_renewed_lease_lasts_from_then_on(clock: SimpleNamespace) -> None:
    leases = Leases()
    leases.begin("receipt", 60)
    clock.now += 50
    leases.renew("receipt", 60)
    clock.now += 50
    assert not leases.is_over("receipt")


def test_a_lease_that_was_given_up_is_not_renewed(clock: SimpleNamespace) -> None:
    # The answer to a renewal may come when the message is settled already.
    leases = Leases()
    leases.begin("receipt", 60)
    leases.end("receipt")
    leases.renew("receipt", 60)
    assert leases.is_over("receipt")


def test_of_others_leases_nothing_is_known() -> None:
    assert not Leases().is_over("receipt")


def test_only_the_last_leases_are_remembered() -> None:
    leases = Leases()
    for number in range(3000):
        leases.begin(str(number), 0)
    assert not leases.is_over("1999")
    assert leases.is_over("2000")
    assert leases.is_over("2999")
