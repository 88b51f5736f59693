# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Leaves a server alone that does not answer, in all processes at once."""

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

# So many failures in a row, and the server is left alone for so many seconds.
_FAILURES = 3
_PAUSE_SECONDS = 60.0
# A clock that was set back must not close a server off for longer.
_MAX_PAUSE_SECONDS = 700.0


class Breaker:
    """Counts the failures of one server; `file` is shared by all processes that ask it.

    The time until which it is left alone is the file's time of modification.
    """

    def __init__(self, file: Path, address: str) -> None:
        self._file = file
        self._address = address
        self._lock = threading.Lock()
        self._failures = 0

    def is_open(self) -> bool:
        """Whether the server is to be left alone now."""
        with suppress(OSError):
            left = self._file.stat().st_mtime - time.time()
            return 0 < left <= _MAX_PAUSE_SECONDS
        return False

    def succeeded(self) -> None:
        """The server answered, be it that it does not have a file."""
        with self._lock:
            self._failures = 0

    def failed(self, retry_after: float) -> None:
        """The server did not answer, or that it cannot; it may have said for how many seconds."""
        with self._lock:
            self._failures += 1
            if self._failures < _FAILURES and not retry_after:
                return
        pause = retry_after or _PAUSE_SECONDS
        logger.warning(
            "the symbol server %s fails; it is left alone for %d s", self._address, pause
        )
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch()
            until = time.time() + pause
            os.utime(self._file, (until, until))
