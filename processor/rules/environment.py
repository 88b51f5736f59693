# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the application ran with, by what it says itself."""

import json
from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule

_OWN = "mozilla"
_UNKNOWN = "unknown"


class Accessibility(Rule):
    """``accessibility``: whether accessibility services were active."""

    writes = frozenset({"accessibility"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """The annotation says Active, or is not there."""
        return {"accessibility": crash.text("Accessibility") == "Active"}


class DistributionId(Rule):
    """``distribution_id``: who built or bundled the application.

    ``mozilla`` where the report says that it is nobody else, ``unknown`` where it does not say.
    """

    reads = frozenset({"telemetry_environment"})
    writes = frozenset({"distribution_id"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Prefer the annotation to the environment."""
        return {"distribution_id": crash.text("DistributionID") or _partner(crash)}


def _partner(crash: Crash) -> str:
    partner = _environment(crash).get("partner")
    if not isinstance(partner, dict):
        return _UNKNOWN
    distribution = partner.get("distributionId", _UNKNOWN)
    if isinstance(distribution, str):
        return distribution or _OWN
    return _OWN if distribution is None else _UNKNOWN


def _environment(crash: Crash) -> Mapping[str, Any]:
    """Return the environment of telemetry, of which another part may be malformed."""
    environment = crash.processed.get("telemetry_environment")
    if environment is None:
        environment = _decoded(crash.annotations.get("TelemetryEnvironment"))
    return environment if isinstance(environment, dict) else {}


def _decoded(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
