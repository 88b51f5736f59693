# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``socorro crashmover``: catching up after outages as a process of its own."""

import sys
import threading
import time

from collector.saving.catch_up import CatchUp, Round
from collector.saving.publisher import Publisher
from collector.saving.unpublished import Unpublished
from socorro.backends import check_fallback
from socorro.logging import set_up_logging
from socorro.metrics import set_up_metrics
from socorro.queue import open_queue
from socorro.sentry import set_up_sentry
from socorro.settings import Settings
from socorro.stopping import stop_on_signals
from socorro.storage import open_storage
from socorro.storage.fallback import StorageWithFallback

# A collector's round can be long while it moves many reports; then there is nothing to do here.
_LOCK_SECONDS = 60.0
_LOOK_SECONDS = 5.0
# EX_UNAVAILABLE and EX_TEMPFAIL of sysexits.h.
_ENGINE_AWAY = 69
_SOMETHING_LEFT = 75


def main(settings: Settings, *, once: bool) -> int:
    """Catch up until a signal, or once; return the exit code.

    0: nothing is left; 69: an engine is away; 75: some reports cannot be moved, or another process
    is at it for long. Raises SettingError.
    """
    check_fallback(settings)
    set_up_logging(settings, "crashmover")
    set_up_metrics(settings)
    set_up_sentry(settings, "crashmover")
    stopping = stop_on_signals()
    catch_up = _catch_up(settings)
    if not once:
        catch_up.run(stopping)
        return 0
    return _tell(_once(catch_up, stopping))


def _catch_up(settings: Settings) -> CatchUp:
    fallback = open_storage(settings.fallback_storage) if settings.fallback_storage else None
    store = StorageWithFallback(open_storage(settings.crash_storage), fallback)
    queue = open_queue(settings.crash_queue, lease_seconds=settings.lease_seconds)
    unpublished = Unpublished(settings.unpublished)
    publisher = Publisher(queue, unpublished)
    return CatchUp(store, publisher, unpublished, look_seconds=_LOOK_SECONDS)


def _once(catch_up: CatchUp, stopping: threading.Event) -> Round:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        done = catch_up.round(stopping, everything=True)
        if done.alone or time.monotonic() >= deadline or stopping.wait(0.1):
            return done


def _tell(done: Round) -> int:
    if not done.alone:
        sys.stderr.write("socorro: another process has been catching up for a minute.\n")
        return _SOMETHING_LEFT
    sys.stdout.write(f"Published {done.published} crash ids; moved {done.moved} reports home.\n")
    for problem in done.problems:
        sys.stderr.write(f"socorro: {problem}.\n")
    if done.problems:
        return _ENGINE_AWAY
    if not done.complete:
        sys.stderr.write(
            f"socorro: {done.in_fallback} reports stay in the fallback storage, and "
            f"{done.unpublished} crash ids unpublished; the log says why.\n"
        )
        return _SOMETHING_LEFT
    return 0
