# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The throttle rules in force: of the file that the settings name, or none.

Gunicorn's master reads the file, at the start and on SIGHUP; its workers inherit what it read. So a
file that is broken when it is read again costs nothing: the rules of before stay.
"""

import logging
from dataclasses import dataclass

from collector.throttling.rule_file import RuleFileError, read_rules
from collector.throttling.rules import ACCEPT_EVERYTHING, RuleThrottler
from socorro.settings import SettingError, Settings

logger = logging.getLogger(__name__)


@dataclass
class _InForce:
    throttler: RuleThrottler | None = None


_in_force = _InForce()


def load_throttler(settings: Settings) -> RuleThrottler:
    """Read the file of THROTTLE_RULES; every report is accepted without one.

    Raises SettingError: a sentence with the file and line.
    """
    if settings.throttle_rules is None:
        return ACCEPT_EVERYTHING
    try:
        return RuleThrottler(read_rules(settings.throttle_rules))
    except RuleFileError as error:
        raise SettingError(f"THROTTLE_RULES: {error}.") from error


def throttler_in_force(settings: Settings) -> RuleThrottler:
    """Return the rules that this process or the one that it was forked from read last.

    Reads them first if there are none. Raises SettingError then.
    """
    if _in_force.throttler is None:
        _in_force.throttler = load_throttler(settings)
    return _in_force.throttler


def reload_throttler(settings: Settings) -> None:
    """Read the file again; keep the rules of before if it is wrong, and log why."""
    try:
        _in_force.throttler = load_throttler(settings)
    except SettingError as error:
        logger.error("the throttle rules of before stay in force: %s", error)
        return
    logger.info("%d throttle rules in force", len(_in_force.throttler.rules))
