# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Checks before the collector serves: a wrong setting, or no storage at all, ends the start."""

import logging
import sys
from functools import cache
from typing import NoReturn

from collector.saving.unpublished import Unpublished
from collector.throttling import throttler_in_force
from socorro.backends import verify_incoming
from socorro.settings import SettingError, Settings, load

logger = logging.getLogger(__name__)

_verified = False
# Gunicorn's code for "do not try again": any other makes it start workers for ever.
_BOOT_ERROR = 3


@cache
def load_settings_or_exit() -> Settings:
    """Return the settings; end the process with a sentence when they are wrong.

    Read once: workers inherit them from the master. One that is started later must not end the
    whole collector because somebody is just editing the file of settings.
    """
    try:
        return load()
    except SettingError as error:
        _exit(str(error))


def verify_or_exit(settings: Settings) -> None:
    """End the process with a sentence unless the settings are right and some storage works.

    With one of several down the collector starts all the same, and says so here and in its
    heartbeat: a restart in the middle of an outage must not make it a worse one.

    Done once: workers inherit it from the master. A worker that is replaced later, while storage
    is down, must start all the same and answer 503; ending it would end the whole collector.
    """
    global _verified
    if _verified:
        return
    try:
        # The workers inherit the rules.
        throttler_in_force(settings)
        for sentence in verify_incoming(settings):
            logger.error("starts all the same: %s", sentence)
        _verify_unpublished(settings)
    except SettingError as error:
        _exit(str(error))
    _verified = True


def _verify_unpublished(settings: Settings) -> None:
    """Check that ids can be kept while the queue is down; reports are taken without that as well.

    Raises SettingError if it cannot be a folder at all.
    """
    try:
        Unpublished(settings.unpublished).verify()
    except (FileExistsError, NotADirectoryError) as error:
        raise SettingError(f"UNPUBLISHED={settings.unpublished}: {error}.") from error
    except OSError as error:
        logger.error("starts all the same: UNPUBLISHED: %s", error)


def _exit(sentence: str) -> NoReturn:
    sys.stderr.write(f"The collector cannot start. {sentence}\n")
    raise SystemExit(_BOOT_ERROR)
