# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""How fast crashes are handed on."""

import time
from collections.abc import Callable


class Pace:
    """Holds batches back to a rate, and leaves a pause between them."""

    def __init__(
        self,
        rate: float | None = None,
        sleep: float = 0,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`rate` is crashes a second, None for as fast as it goes; `sleep` is seconds."""
        self._rate = rate
        self._sleep = sleep
        self._clock = clock
        self._pause = pause
        self._due: float | None = None

    def batch(self, most: int) -> int:
        """Return how many crashes go together: a second's worth at most, to come evenly."""
        return most if self._rate is None else max(1, min(most, int(self._rate)))

    def wait(self, number: int) -> None:
        """Wait until `number` more crashes may go; the first ones go at once."""
        now = self._clock()
        if self._due is None:
            self._due = now
        else:
            seconds = max(self._due - now, self._sleep)
            if seconds > 0:
                self._pause(seconds)
        if self._rate is not None:
            # Time that was lost, in an outage say, is not made up for by a burst.
            self._due = max(self._due, now) + number / self._rate
