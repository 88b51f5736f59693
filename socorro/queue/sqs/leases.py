# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What is known about the ends of leases."""

import threading
import time

# A processor holds one message at a time; this is for those who take many.
_REMEMBERED = 1000
_OVER = 0.0


class Leases:
    """When the leases of the last messages end, by the clock of this machine.

    SQS may delete a message by the receipt of a lease that has run out, though another receiver
    works on it, or say that it did and not do it. Who settles a message therefore looks here
    first. Safe in threads.
    """

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}
        self._lock = threading.Lock()

    def begin(self, receipt: str, seconds: float) -> None:
        """Note a lease that begins now."""
        self._note(receipt, time.monotonic() + seconds)

    def renew(self, receipt: str, seconds: float) -> None:
        """Note that a lease begins again now, unless it was given up meanwhile."""
        if not self.is_over(receipt):
            self.begin(receipt, seconds)

    def end(self, receipt: str) -> None:
        """Note that a receipt is good for nothing any more."""
        self._note(receipt, _OVER)

    def is_over(self, receipt: str) -> bool:
        """Whether a lease is known to have ended; of those not known here, SQS has to say it."""
        with self._lock:
            end = self._ends.get(receipt)
        return end is not None and end <= time.monotonic()

    def _note(self, receipt: str, end: float) -> None:
        with self._lock:
            # At the end of the order, so that the oldest go first.
            self._ends.pop(receipt, None)
            self._ends[receipt] = end
            if len(self._ends) > _REMEMBERED:
                del self._ends[next(iter(self._ends))]
