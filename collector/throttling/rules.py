# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Throttle rules and the throttler: what becomes of a report."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from collector.throttling.conditions import Condition, always
from socorro.crash_id import Throttle

NO_MATCH = "NO_MATCH"


@dataclass(frozen=True)
class Verdict:
    """A decision and the name of the rule that made it."""

    rule: str
    result: Throttle


@dataclass(frozen=True)
class Outcome:
    """What a rule decides: `first` for `percent` of the reports it matches, else `other`.

    None stands for: go on with the next rule.
    """

    first: Throttle | None
    percent: float = 100.0
    other: Throttle | None = None

    def draw(self, random_number: Callable[[], float]) -> Throttle | None:
        """Return one of both."""
        # 100 is always: no number needs to be drawn.
        if self.percent >= 100 or random_number() * 100 <= self.percent:
            return self.first
        return self.other

    def chances(self) -> list[tuple[Throttle | None, float]]:
        """Return what may come out with its probability, from 0 to 1."""
        share = min(self.percent, 100.0) / 100
        return [(self.first, share), (self.other, 1 - share)] if share < 1 else [(self.first, 1.0)]


@dataclass(frozen=True)
class Rule:
    """A rule: reports that its condition matches get its outcome."""

    name: str
    condition: Condition
    outcome: Outcome


@dataclass(frozen=True)
class Chance:
    """A possible verdict with its probability, from 0 to 1."""

    verdict: Verdict
    probability: float


class Throttler(Protocol):
    """Judges reports. Safe in many threads."""

    def judge(self, raw_crash: Mapping[str, Any]) -> Verdict:
        """Decide on a report, from its annotations and the collector's own keys."""
        ...


class RuleThrottler:
    """Tries rules in order; the first that decides, decides. Rejects what no rule decides on."""

    def __init__(
        self, rules: Sequence[Rule], random_number: Callable[[], float] = random.random
    ) -> None:
        self.rules = tuple(rules)
        self._random = random_number

    def judge(self, raw_crash: Mapping[str, Any]) -> Verdict:
        """See `Throttler.judge`."""
        for rule in self.rules:
            if rule.condition(raw_crash):
                result = rule.outcome.draw(self._random)
                if result is not None:
                    return Verdict(rule.name, result)
        return Verdict(NO_MATCH, Throttle.REJECT)

    def chances(self, raw_crash: Mapping[str, Any]) -> list[Chance]:
        """Return what could become of a report, the most probable first."""
        chances = []
        left = 1.0
        for rule in self.rules:
            if not rule.condition(raw_crash):
                continue
            going_on = 0.0
            for result, share in rule.outcome.chances():
                if result is None:
                    going_on += share
                else:
                    chances.append(Chance(Verdict(rule.name, result), left * share))
            left *= going_on
            if not left:
                break
        if left:
            chances.append(Chance(Verdict(NO_MATCH, Throttle.REJECT), left))
        merged = [chance for chance in chances if chance.probability > 0]
        return sorted(merged, key=lambda chance: -chance.probability)


ACCEPT_EVERYTHING = RuleThrottler([Rule("accept_everything", always, Outcome(Throttle.ACCEPT))])
