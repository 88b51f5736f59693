# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A collector under watch: its memory, its answers to others, and every file that it leaves."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from socorro.storage import FilesystemStorage
from tests.collector.raw_http import CollectorServer, children_of
from tests.hostile.case import body, field, post

# Of all processes of the collector together, more than before a request.
MOST_MEMORY = 64 * 2**20
_SETTLE_SECONDS = 30.0
_GOOD = post(body(field("Good", b"yes")))


@dataclass
class Watched:
    """A collector, the crash ids that it has acknowledged, and a folder around its own."""

    server: CollectorServer
    root: Path
    acknowledged: set[str]

    @property
    def _crashes(self) -> Path:
        return self.server.folder / "crashes"

    def answers_a_good_request(self) -> None:
        """Send one; fail unless it is taken."""
        self.acknowledged.add(self.server.send(_GOOD).crash_id)

    @contextmanager
    def bounded_memory(self) -> Iterator[None]:
        """Fail if the block has the processes take too much."""
        processes = self._processes()
        before = {pid: _status(pid, "VmRSS") for pid in processes}
        for pid in processes:
            # Begin the peak anew.
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        yield
        assert self._processes() == processes, "a process has ended"
        grown = sum(max(0, _status(pid, "VmHWM") - before[pid]) for pid in processes)
        assert grown <= MOST_MEMORY, f"{grown / 2**20:.0f} MiB more"

    def check_files(self) -> None:
        """Fail if a file does not belong to an acknowledged report; delete the reports."""
        self._wait_for_empty_spool()
        storage = FilesystemStorage(self._crashes)
        stored = {name for day in storage.list_days() for name in storage.list_raw_crashes(day)}
        assert stored == self.acknowledged
        assert set(_names_of_files(self._crashes / "v1")) <= self.acknowledged
        outside = [path for path in self.root.iterdir() if path != self.server.folder]
        assert [name for path in outside for name in _names_of_files(path)] == []
        for crash_id in stored:
            storage.delete_crash(crash_id)
        self.acknowledged.clear()

    def _wait_for_empty_spool(self) -> None:
        deadline = time.monotonic() + _SETTLE_SECONDS
        while left := list((self._crashes / "spool").iterdir()):
            assert time.monotonic() < deadline, left
            time.sleep(0.02)

    def _processes(self) -> list[int]:
        assert self.server.process is not None
        master = self.server.process.pid
        return [master, *children_of(master)]


def _names_of_files(folder: Path) -> Iterator[str]:
    for _, _, names in os.walk(folder):
        yield from names


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
