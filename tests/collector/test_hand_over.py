# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The collector's thread pool."""

import threading
from collections.abc import Iterator

import pytest

from collector.serving.hand_over import HandOverPool

_SECONDS = 30


@pytest.fixture
def pool() -> Iterator[HandOverPool]:
    pool = HandOverPool(3)
    yield pool
    pool.shutdown(wait=False)


def ident_when(event: threading.Event) -> int:
    assert event.wait(_SECONDS)
    return threading.get_ident()


def test_a_call_has_its_arguments_and_gives_its_result(pool: HandOverPool) -> None:
    assert pool.submit(divmod, 7, 3).result(_SECONDS) == (2, 1)


def test_an_error_is_the_result_and_the_thread_goes_on(pool: HandOverPool) -> None:
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 7, 0).result(_SECONDS)
    assert pool.submit(divmod, 7, 7).result(_SECONDS) == (1, 0)


def test_as_many_calls_run_at_once_as_there_are_threads_and_the_others_wait(
    pool: HandOverPool,
) -> None:
    go_on = threading.Event()
    together = threading.Barrier(4)

    def meet() -> int:
        together.wait(_SECONDS)
        return ident_when(go_on)

    running = [pool.submit(meet) for _ in range(3)]
    together.wait(_SECONDS)
    waiting = [pool.submit(threading.get_ident) for _ in range(20)]
    assert not any(future.running() or future.done() for future in waiting)
    go_on.set()
    threads = {future.result(_SECONDS) for future in running}
    assert len(threads) == 3
    assert {future.result(_SECONDS) for future in waiting} <= threads


def test_a_cancelled_call_is_not_made(pool: HandOverPool) -> None:
    go_on = threading.Event()
    made = []
    busy = [pool.submit(ident_when, go_on) for _ in range(3)]
    cancelled = pool.submit(made.append, 1)
    assert cancelled.cancel()
    last = pool.submit(made.append, 2)
    go_on.set()
    last.result(_SECONDS)
    for future in busy:
        future.result(_SECONDS)
    assert made == [2]


def test_many_callers_get_every_result_once(pool: HandOverPool) -> None:
    results: list[int] = []
    lock = threading.Lock()

    def call_often(first: int) -> None:
        futures = [pool.submit(int, number) for number in range(first, first + 500)]
        with lock:
            results.extend(future.result(_SECONDS) for future in futures)

    callers = [threading.Thread(target=call_often, args=(first,)) for first in range(0, 4000, 500)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(_SECONDS)
    assert sorted(results) == list(range(4000))


def test_a_closed_pool_takes_nothing_but_ends_what_it_has() -> None:
    pool = HandOverPool(1)
    go_on = threading.Event()
    running = pool.submit(ident_when, go_on)
    queued = pool.submit(threading.get_ident)
    pool.shutdown(wait=False)
    with pytest.raises(RuntimeError):
        pool.submit(threading.get_ident)
    go_on.set()
    assert queued.result(_SECONDS) == running.result(_SECONDS)


def test_idle_threads_end_with_the_pool() -> None:
    pool = HandOverPool(1)
    (thread,) = {pool.submit(threading.current_thread).result(_SECONDS)}
    pool.shutdown(wait=False)
    thread.join(_SECONDS)
    assert not thread.is_alive()
