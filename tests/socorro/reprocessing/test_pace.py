# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The rate at which crashes are handed on."""

from socorro.reprocessing.pace import Pace


class Clock:
    """Time that passes only when somebody waits, or when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(round(seconds, 6))
        self.now += seconds


def pace_of(clock: Clock, rate: float | None = None, sleep: float = 0) -> Pace:
    return Pace(rate, sleep, clock=clock, pause=clock.wait)


def test_without_a_rate_nothing_waits() -> None:
    clock = Clock()
    pace = pace_of(clock)
    for _ in range(5):
        pace.wait(500)
    assert clock.waits == []
    assert pace.batch(500) == 500


def test_the_first_batch_goes_at_once_and_each_further_one_when_its_time_has_come() -> None:
    clock = Clock()
    pace = pace_of(clock, rate=20)
    for _ in range(3):
        pace.wait(10)
    assert clock.waits == [0.5, 0.5]


def test_time_that_the_work_takes_counts() -> None:
    clock = Clock()
    pace = pace_of(clock, rate=10)
    pace.wait(10)
    clock.now += 0.75
    pace.wait(10)
    assert clock.waits == [0.25]


def test_lost_time_is_not_made_up_for_by_a_burst() -> None:
    clock = Clock()
    pace = pace_of(clock, rate=10)
    pace.wait(10)
    clock.now += 3600
    for _ in range(3):
        pace.wait(10)
    assert clock.waits == [1.0, 1.0]


def test_a_pause_is_kept_between_batches_and_a_slower_rate_rules() -> None:
    clock = Clock()
    pace = pace_of(clock, sleep=2)
    for _ in range(3):
        pace.wait(50)
    assert clock.waits == [2, 2]
    slow = pace_of(clock, rate=10, sleep=2)
    slow.wait(50)
    slow.wait(50)
    assert clock.waits[2:] == [5]


def test_a_batch_is_a_second_worth_at_most_and_one_at_least() -> None:
    assert [Pace(rate).batch(500) for rate in (0.1, 1, 7.9, 500, 10_000)] == [1, 1, 7, 500, 500]
