# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Throttling: rules, kept as data, decide what becomes of a report."""

from collector.throttling.deployed import load_throttler, reload_throttler, throttler_in_force
from collector.throttling.rule_file import MOZILLA_RULES, RuleFileError, read_rules
from collector.throttling.rules import (
    ACCEPT_EVERYTHING,
    Chance,
    Outcome,
    Rule,
    RuleThrottler,
    Throttler,
    Verdict,
)

__all__ = [
    "ACCEPT_EVERYTHING",
    "MOZILLA_RULES",
    "Chance",
    "Outcome",
    "Rule",
    "RuleFileError",
    "RuleThrottler",
    "Throttler",
    "Verdict",
    "load_throttler",
    "read_rules",
    "reload_throttler",
    "throttler_in_force",
]
