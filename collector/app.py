# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The collector as a WSGI application."""

import json
import logging
import traceback
from typing import Any

import falcon

from collector.limits.rate_limits import RateLimits
from collector.operations.health import (
    HeartbeatResource,
    LoadBalancerHeartbeatResource,
    VersionResource,
)
from collector.operations.metrics_page import MetricsResource
from collector.operations.operators import BrokenResource
from collector.saving.catch_up import CatchUp
from collector.saving.crashmover import CrashMover
from collector.saving.publisher import Publisher
from collector.saving.unpublished import Unpublished
from collector.submit import SubmitResource
from collector.throttling import Throttler, throttler_in_force
from socorro.queue import CrashQueue, open_queue
from socorro.sentry import report_error
from socorro.settings import Settings
from socorro.storage import CrashStorage, open_storage
from socorro.storage.fallback import StorageWithFallback

logger = logging.getLogger(__name__)


class CollectorApp(falcon.App[falcon.Request, falcon.Response]):
    """The application, and what has to be closed with it."""

    mover: CrashMover

    def start(self) -> None:
        """Begin to catch up in the background; call it in the process that serves."""
        self.mover.catch_up.start()

    def close(self) -> None:
        """Publish what still waits; call it when no request is in progress."""
        self.mover.close()


def create_app(
    settings: Settings,
    storage: CrashStorage | None = None,
    queue: CrashQueue | None = None,
    throttler: Throttler | None = None,
    fallback: CrashStorage | None = None,
    limits: RateLimits | None = None,
) -> CollectorApp:
    """Return the collector; storages and queue come from the settings unless given.

    Nothing is opened or verified yet: see `collector.startup`. Raises ValueError for a storage or
    queue that does not exist.
    """
    queue = queue or open_queue(settings.crash_queue, lease_seconds=settings.lease_seconds)
    if fallback is None and settings.fallback_storage:
        fallback = open_storage(settings.fallback_storage)
    store = StorageWithFallback(storage or open_storage(settings.crash_storage), fallback)
    unpublished = Unpublished(settings.unpublished)
    publisher = Publisher(queue, unpublished)
    mover = CrashMover(store, publisher, CatchUp(store, publisher, unpublished))
    app = CollectorApp()
    app.mover = mover
    app.set_error_serializer(_serialize_error)
    app.add_error_handler(Exception, _answer_error)
    limits = limits or RateLimits(settings)
    submit = SubmitResource(settings, mover, throttler or throttler_in_force(settings), limits)
    app.add_route("/submit", submit)
    app.add_route("/__heartbeat__", HeartbeatResource(settings, store, queue, unpublished))
    app.add_route("/__lbheartbeat__", LoadBalancerHeartbeatResource())
    app.add_route("/__version__", VersionResource())
    app.add_route("/__broken__", BrokenResource(settings.operator_token))
    app.add_route("/metrics", MetricsResource(settings.operator_token))
    return app


def _serialize_error(
    req: falcon.Request,  # noqa: ARG001
    resp: falcon.Response,
    error: falcon.HTTPError,
) -> None:
    """Answer errors in JSON, whatever the client says that it accepts."""
    resp.content_type = falcon.MEDIA_JSON
    resp.text = json.dumps(error.to_dict())


def _answer_error(
    req: falcon.Request,
    resp: falcon.Response,
    error: Exception,
    params: dict[str, Any],  # noqa: ARG001
) -> None:
    """Report an error of ours and answer 500; the outermost handler.

    The text of the exception may quote a report, so only its class and the stack are logged.
    """
    stack = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s while answering %s\n%s", type(error).__name__, req.method, stack)
    report_error(error)
    resp.status = falcon.HTTP_500
    resp.content_type = falcon.MEDIA_JSON
    resp.text = json.dumps({"title": falcon.HTTP_500})
