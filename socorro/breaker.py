# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A circuit breaker: what is known to be down is left alone until a check says that it is back."""

import logging
import random
import threading
from collections.abc import Callable

from socorro.sentry import report_error

logger = logging.getLogger(__name__)

FIRST_DELAY = 0.5
LONGEST_DELAY = 5.0


class Breaker:
    """Remembers whether something works. Safe in threads; one for each process.

    After a failure a thread checks it, at once and then less and less often, and nobody else has to
    wait for it. `trusted` is false from the failure on; `broken` is true once a check has failed as
    well, so that it was not only this one report that was refused.
    """

    def __init__(
        self, name: str, check: Callable[[], object], errors: tuple[type[Exception], ...]
    ) -> None:
        """Take what `check` raises while the thing called `name` does not work."""
        self._name = name
        self._check = check
        self._errors = errors
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._broken = False

    @property
    def trusted(self) -> bool:
        """Whether the last that is known of it is that it works."""
        return self._thread is None

    @property
    def broken(self) -> bool:
        """Whether a check has failed, and none succeeded since."""
        return self._broken

    def failed(self) -> None:
        """Tell of a failure: begin to check."""
        with self._lock:
            if self._thread is not None or self._closing.is_set():
                return
            self._thread = threading.Thread(
                target=self._watch, name=f"check of {self._name}", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Check no more; returns at once."""
        self._closing.set()

    def _watch(self) -> None:
        delay = FIRST_DELAY
        while not self._works():
            # Many processes must not all come back in the same moment.
            if self._closing.wait(delay * random.uniform(0.75, 1.25)):  # noqa: S311
                return
            delay = min(2 * delay, LONGEST_DELAY)
        with self._lock:
            self._broken = False
            self._thread = None

    def _note(self, reason: str) -> None:
        log = logger.debug if self._broken else logger.error
        log("%s is down: %s", self._name, reason)
        self._broken = True

    def _works(self) -> bool:
        try:
            self._check()
        except self._errors as error:
            self._note(str(error))
            return False
        except Exception as error:  # noqa: BLE001
            # The outermost loop of its thread: without it, nobody would ever look again.
            report_error(error)
            self._note(f"{type(error).__name__} in our own code")
            return False
        if self._broken:
            logger.info("%s is back", self._name)
        return True
