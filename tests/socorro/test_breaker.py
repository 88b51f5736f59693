# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A breaker leaves alone what is down, and notices when it is back."""

import logging
import threading

import pytest

from socorro import breaker as breaker_module
from socorro.breaker import Breaker
from tests.contract.processes import wait_until


class Down(Exception):
    """The thing does not work."""


class Thing:
    """Something that can be switched off; counts its checks, of which some can be held up."""

    def __init__(self) -> None:
        self.works = True
        self.checks = 0
        self.error: Exception | None = None
        self.may_answer = threading.Event()
        self.may_answer.set()

    def check(self) -> None:
        self.checks += 1
        assert self.may_answer.wait(60)
        if self.error is not None:
            raise self.error
        if not self.works:
            raise Down("it is switched off")


@pytest.fixture
def thing() -> Thing:
    return Thing()


@pytest.fixture
def breaker(thing: Thing, monkeypatch: pytest.MonkeyPatch) -> Breaker:
    monkeypatch.setattr(breaker_module, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(breaker_module, "LONGEST_DELAY", 0.05)
    return Breaker("the thing", thing.check, (Down,))


def test_what_never_failed_is_trusted_and_not_checked(breaker: Breaker, thing: Thing) -> None:
    assert breaker.trusted
    assert not breaker.broken
    assert thing.checks == 0


def test_after_a_failure_nothing_is_trusted_until_a_check_succeeds(
    breaker: Breaker, thing: Thing
) -> None:
    thing.may_answer.clear()
    breaker.failed()
    assert not breaker.trusted
    assert not breaker.broken
    thing.may_answer.set()
    wait_until(lambda: breaker.trusted, "trusted again")


def test_what_is_down_is_broken_until_it_is_back(
    breaker: Breaker, thing: Thing, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    thing.works = False
    breaker.failed()
    wait_until(lambda: thing.checks > 3, "several checks")
    assert breaker.broken
    assert not breaker.trusted
    thing.works = True
    wait_until(lambda: breaker.trusted, "trusted again")
    assert not breaker.broken
    assert caplog.text.count("the thing is down: it is switched off") == 1
    assert caplog.text.count("the thing is back") == 1


def test_many_failures_are_one_check(breaker: Breaker, thing: Thing) -> None:
    thing.may_answer.clear()
    threads = [threading.Thread(target=breaker.failed) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: thing.checks == 1, "a check")
    thing.may_answer.set()
    wait_until(lambda: breaker.trusted, "trusted again")
    assert thing.checks == 1


def test_a_check_that_fails_in_another_way_is_made_again(
    breaker: Breaker, thing: Thing, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[BaseException] = []
    monkeypatch.setattr(breaker_module, "report_error", reported.append)
    thing.error = RuntimeError("a bug")
    breaker.failed()
    wait_until(lambda: len(reported) > 1, "a second check")
    assert breaker.broken
    thing.error = None
    wait_until(lambda: breaker.trusted, "trusted again")
    assert {type(error) for error in reported} == {RuntimeError}


def test_it_breaks_again(breaker: Breaker, thing: Thing) -> None:
    for _ in range(3):
        thing.works = False
        breaker.failed()
        wait_until(lambda: breaker.broken, "broken")
        thing.works = True
        wait_until(lambda: breaker.trusted, "trusted again")


def test_a_closed_one_checks_no_more(thing: Thing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker_module, "FIRST_DELAY", 3600)
    breaker = Breaker("the thing", thing.check, (Down,))
    thing.works = False
    breaker.failed()
    wait_until(lambda: breaker.broken, "broken")
    (watching,) = _threads("check of the thing")
    breaker.close()
    watching.join(60)
    assert not watching.is_alive()
    breaker.failed()
    assert thing.checks == 1


def _threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]
