# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A thread pool that wakes exactly the thread that gets the work.

The standard library's pool has one lock for all idle threads: whoever takes a task wakes the next
one for nothing, which costs a report two changes between threads. Here each idle thread waits for
its own lock, and the one that was idle last, whose memory is still warm, is the next to work.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class _Task:
    """A call and the future that gets its result."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.future: Future[Any] = Future()
        self._call = call

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._call()
        except BaseException as error:  # noqa: BLE001 - whoever asked for the result gets it
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class _Seat:
    """Where an idle thread waits: `lock` is held by nobody else until a task was put here."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lock.acquire()
        self.task: _Task | None = None


class HandOverPool(Executor):
    """Up to `threads` threads, each made when all others are busy."""

    def __init__(self, threads: int) -> None:
        self._free = threads
        self._lock = threading.Lock()
        self._idle: list[_Seat] = []
        self._queued: deque[_Task] = deque()
        self._closed = False

    def submit(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have a thread make a call. Raises RuntimeError after `shutdown`."""
        task = _Task(lambda: call(*args, **kwargs))
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if self._idle:
                _wake(self._idle.pop(), task)
            elif self._free:
                self._free -= 1
                threading.Thread(target=self._work, args=(task,), daemon=True).start()
            else:
                self._queued.append(task)
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the idle threads; tasks in work and queued go on.

        It never waits for them: the worker has waited for their connections before.
        """
        if wait or cancel_futures:
            raise ValueError("not supported: the worker waits for the connections itself")
        with self._lock:
            self._closed = True
            for seat in self._idle:
                _wake(seat, None)
            self._idle.clear()

    def _work(self, task: _Task | None) -> None:
        seat = _Seat()
        while task is not None:
            task.run()
            # The future would keep what the task held until the next one comes.
            task = None
            with self._lock:
                if self._queued:
                    task = self._queued.popleft()
                    continue
                if self._closed:
                    return
                self._idle.append(seat)
            seat.lock.acquire()
            task, seat.task = seat.task, None


def _wake(seat: _Seat, task: _Task | None) -> None:
    seat.task = task
    seat.lock.release()
