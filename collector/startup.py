# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Checks before the collector serves: a wrong setting or a dead backend ends the start."""

import sys
from typing import NoReturn

from socorro.queue import QueueUnavailable, open_queue
from socorro.settings import SettingError, Settings, load
from socorro.storage import StorageUnavailable, open_storage

_verified = False
# Gunicorn's code for "do not try again": any other makes it start workers for ever.
_BOOT_ERROR = 3


class StartupError(Exception):
    """The collector cannot serve. The text is one sentence."""


def load_settings_or_exit() -> Settings:
    """Return the settings; end the process with a sentence when they are wrong."""
    try:
        return load()
    except SettingError as error:
        _exit(str(error))


def verify_or_exit(settings: Settings) -> None:
    """End the process with a sentence unless reports can be stored and published.

    Done once: workers inherit it from the master. A worker that is replaced later, while storage
    is down, must start all the same and answer 503; ending it would end the whole collector.
    """
    global _verified
    if _verified:
        return
    try:
        verify(settings)
    except StartupError as error:
        _exit(str(error))
    _verified = True


def verify(settings: Settings) -> None:
    """Write, read and delete in storage and queue. Raises StartupError."""
    try:
        open_storage(settings.crash_storage).verify()
    except (StorageUnavailable, ValueError) as error:
        raise StartupError(f"CRASH_STORAGE cannot be used: {error}.") from error
    try:
        queue = open_queue(settings.crash_queue, lease_seconds=settings.lease_seconds)
        queue.verify()
        # Not kept open: connections must not cross a fork.
        queue.close()
    except (QueueUnavailable, ValueError) as error:
        raise StartupError(f"CRASH_QUEUE cannot be used: {error}.") from error


def _exit(sentence: str) -> NoReturn:
    sys.stderr.write(f"The collector cannot start. {sentence}\n")
    raise SystemExit(_BOOT_ERROR)
