# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A sign of life of a processor, for alarms that ring when it stays away."""

import time

from socorro.metrics import METRICS

_SECONDS = 60.0


class Heartbeat:
    """Counts ``processor.heartbeat`` once a minute.

    It is the thread that takes crashes which beats, between two of them: one that hangs is silent.
    """

    def __init__(self) -> None:
        self._next = 0.0

    def beat(self) -> None:
        """Count, if it is time."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SECONDS
            METRICS.incr("processor.heartbeat")
