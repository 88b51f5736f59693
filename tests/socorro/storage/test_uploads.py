# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Uploads side by side, and when they are given up."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest

from socorro.storage.uploads import Abandonable, TooLate, run_all


def soon() -> float:
    return time.monotonic() + 0.1


def in_a_minute() -> float:
    return time.monotonic() + 60


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def test_uploads_run_side_by_side_and_are_all_done_at_the_end(threads: ThreadPoolExecutor) -> None:
    # Each waits for the other: one after the other, they would never end.
    together = threading.Barrier(2, timeout=30)
    done: list[str] = []

    def upload() -> None:
        together.wait()
        done.append("done")

    run_all(threads, [upload, upload], in_a_minute())
    assert done == ["done", "done"]


def test_more_uploads_than_threads_are_all_done(threads: ThreadPoolExecutor) -> None:
    done: list[int] = []
    run_all(threads, [lambda n=n: done.append(n) for n in range(20)], in_a_minute())
    assert sorted(done) == list(range(20))


def test_nothing_is_begun_after_the_deadline(threads: ThreadPoolExecutor) -> None:
    begun: list[str] = []
    with pytest.raises(TooLate):
        run_all(threads, [lambda: begun.append("begun")], time.monotonic())
    threads.shutdown()
    assert begun == []


def test_uploads_that_take_too_long_are_left_and_those_that_wait_never_begun(
    threads: ThreadPoolExecutor,
) -> None:
    go_on = threading.Event()
    begun: list[str] = []

    def slow() -> None:
        assert go_on.wait(60)

    with pytest.raises(TooLate):
        run_all(threads, [slow, slow, lambda: begun.append("third")], soon())
    go_on.set()
    threads.shutdown()
    assert begun == []


def test_the_first_error_ends_the_wait(threads: ThreadPoolExecutor) -> None:
    go_on = threading.Event()

    def fail() -> None:
        raise ConnectionError("refused")

    def slow() -> None:
        assert go_on.wait(60)

    with pytest.raises(ConnectionError, match="refused"):
        run_all(threads, [slow, fail], in_a_minute())
    go_on.set()


def test_a_file_is_read_until_its_upload_is_given_up() -> None:
    given_up = threading.Event()
    body = Abandonable(BytesIO(b"abcdef"), given_up)
    assert body.read(2) == b"ab"
    assert body.tell() == 2
    assert body.seek(0, 2) == 6
    body.seek(1)
    given_up.set()
    with pytest.raises(OSError, match="given up"):
        body.read(1)
