# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Counts of events in sliding windows, in memory that all workers share.

The storages that rate limit libraries offer are private to a process, or servers of their own.
"""

import fcntl
import hashlib
import mmap
import os
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

# Key, number of the window, events in it, events in the one before. Key 0 is an empty place.
_FIELDS = 4
_ENTRY = struct.Struct("<QQII")
# A key has its place in one of so many neighbours; where all are taken, the least used one goes.
_NEIGHBOURS = 8
_NEIGHBOURHOOD = struct.Struct("<" + "QQII" * _NEIGHBOURS)
# Nobody holds the lock longer than it takes to look at some bytes, unless it was stopped just then.
_LOCK_SECONDS = 0.05


@dataclass(frozen=True)
class Count:
    """An event of `key` that is to be counted, of which `amount` may be in `seconds`."""

    key: str
    amount: int
    seconds: float


@dataclass(frozen=True)
class _Entry:
    """What is known of a key: `offset` is its place in memory."""

    offset: int
    key: int
    window: int
    current: int = 0
    previous: int = 0

    def at(self, window: int) -> "_Entry":
        """Return the same entry in a later window."""
        if window == self.window:
            return self
        previous = self.current if window == self.window + 1 else 0
        return replace(self, window=window, current=0, previous=previous)


class SharedWindows:
    """Counts by key. Make it before the workers are forked.

    The rate of a key is that of a sliding window: events of the current fixed window, and of the
    one before it the part that a window ending now would still see. Keys are kept as salted hashes
    only. A worker that is killed at any point leaves others unharmed: the kernel frees its lock,
    and the worst that half an entry can be is a wrong count for one window.
    """

    def __init__(self, places: int = 2**16, clock: Callable[[], float] = time.monotonic) -> None:
        self._neighbourhoods = max(1, places // _NEIGHBOURS)
        self._memory = mmap.mmap(-1, self._neighbourhoods * _NEIGHBOURHOOD.size)
        self._salt = os.urandom(16)
        self._clock = clock
        self._lock_file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the counts
        # A lock of the file is one of the process; threads need another.
        self._thread_lock = threading.Lock()

    def take(self, counts: Sequence[Count]) -> float:
        """Count all events and return 0, or count none and return the seconds until they may be."""
        with self._locked():
            now = self._clock()
            wait = max((_wait(self._find(count, now), count, now) for count in counts), default=0.0)
            if wait <= 0:
                for count in counts:
                    self._write(self._find(count, now))
        return wait

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._thread_lock:
            locked = self._lock()
            try:
                yield
            finally:
                if locked:
                    fcntl.lockf(self._lock_file, fcntl.LOCK_UN)

    def _lock(self) -> bool:
        """Lock out other processes; go on without after a while: counting wrong beats waiting."""
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.lockf(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.0001)
            else:
                return True

    def _find(self, count: Count, now: float) -> _Entry:
        """Return the entry of a key as of now; a new one takes the place of the least used."""
        name = count.key.encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(name, key=self._salt, digest_size=16).digest()
        place, key = int.from_bytes(digest[:8]), int.from_bytes(digest[8:]) or 1
        start = place % self._neighbourhoods * _NEIGHBOURHOOD.size
        numbers = _NEIGHBOURHOOD.unpack_from(self._memory, start)
        window = int(now // count.seconds)
        keys = numbers[::_FIELDS]
        if key in keys:
            index = keys.index(key)
            first = index * _FIELDS
            entry = _Entry(start + index * _ENTRY.size, *numbers[first : first + _FIELDS])
            return entry.at(window)
        index = keys.index(0) if 0 in keys else _least_used(numbers)
        return _Entry(start + index * _ENTRY.size, key, window)

    def _write(self, entry: _Entry) -> None:
        """Store an entry with one more event."""
        current = min(entry.current + 1, 2**32 - 1)
        _ENTRY.pack_into(
            self._memory, entry.offset, entry.key, entry.window, current, entry.previous
        )


def _wait(entry: _Entry, count: Count, now: float) -> float:
    """Return the seconds until one more event is within bounds, if no other comes before."""
    elapsed = now % count.seconds
    left = count.seconds - elapsed
    if entry.current < count.amount:
        # Events of the window before fade evenly while this one goes on.
        room = count.amount - 1 - entry.current
        fades = count.seconds * (1 - room / entry.previous) if entry.previous else 0.0
        return max(0.0, fades - elapsed)
    return left + count.seconds * (1 - (count.amount - 1) / entry.current)


def _least_used(numbers: tuple[int, ...]) -> int:
    """Return which of the neighbours has the fewest events."""
    used = [numbers[first + 2] + numbers[first + 3] for first in range(0, len(numbers), _FIELDS)]
    return used.index(min(used))
