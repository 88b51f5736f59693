# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What load balancers and operators ask the collector."""

import json

import falcon

from collector.operations.health_checks import HealthChecks
from collector.saving.unpublished import Unpublished
from socorro.build import build_facts
from socorro.metrics import METRICS
from socorro.queue import CrashQueue
from socorro.settings import Settings
from socorro.storage.fallback import StorageWithFallback


class HeartbeatResource:
    """``/__heartbeat__``: 200 when all that the collector stands on works, 503 with what does not.

    Reports may be taken all the same, as long as one storage works; ``/__lbheartbeat__`` is what
    decides whether a collector gets them.
    """

    def __init__(
        self,
        settings: Settings,
        store: StorageWithFallback,
        queue: CrashQueue,
        unpublished: Unpublished,
    ) -> None:
        self._checks = HealthChecks(settings, store, queue, unpublished)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Answer with the problems found."""
        METRICS.incr("collector.health.heartbeat.count")
        problems = self._checks.problems()
        resp.status = 503 if problems else 200
        resp.media = {"errors": problems, "info": {"unpublished": self._checks.waiting}}

    on_head = on_get


class LoadBalancerHeartbeatResource:
    """``/__lbheartbeat__``: 200 while the process serves."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Answer with nothing."""
        METRICS.incr("collector.health.lbheartbeat.count")
        resp.content_type = "application/json; charset=utf-8"

    on_head = on_get


class VersionResource:
    """``/__version__``: the version, and what a build wrote into version.json."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Answer with the version as JSON."""
        METRICS.incr("collector.health.version.count")
        resp.content_type = "application/json; charset=utf-8"
        resp.text = json.dumps(build_facts())

    on_head = on_get
