# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Error reports to Sentry, behind a setting, scrubbed of what is not ours to tell.

Only what `keep_only_safe` lists leaves: the stack (no local variables), exception types, the crash
id and ruleset, the service, the versions. Request bodies, headers, cookies, query strings,
addresses, breadcrumbs and the *texts* of exceptions stay, since a text may quote an annotation.
"""

import logging
from typing import Any, cast

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event, Hint

from socorro import __version__
from socorro.metrics import METRICS
from socorro.settings import Settings

logger = logging.getLogger(__name__)

_SAFE_KEYS = frozenset(
    {
        "event_id",
        "timestamp",
        "platform",
        "level",
        "release",
        "environment",
        "server_name",
        "sdk",
        "tags",
        "type",
    }
)
_SAFE_TAGS = frozenset({"service", "crash_id", "ruleset", "rule", "job"})
_SAFE_FRAME_KEYS = frozenset(
    {
        "filename",
        "function",
        "module",
        "lineno",
        "in_app",
        "context_line",
        "pre_context",
        "post_context",
    }
)


def set_up_sentry(
    settings: Settings, service: str, transport: type[Transport] | Transport | None = None
) -> None:
    """Start reporting if SENTRY_DSN is set. `transport` replaces the network (tests)."""
    if not settings.sentry_dsn:
        return

    def before_send(event: Event, hint: Hint) -> Event | None:  # noqa: ARG001
        return _scrub_or_drop(event, service)

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        release=__version__,
        transport=transport,
        before_send=before_send,
        # Nothing that captures data by itself: no request bodies, locals, log lines or queries.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            AtexitIntegration(),
            DedupeIntegration(),
            ExcepthookIntegration(),
            ThreadingIntegration(),
        ],
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=None,
    )
    sentry_sdk.set_tag("service", service)


def report_error(error: BaseException, **tags: str) -> None:
    """Send an exception with tags; nothing happens without SENTRY_DSN."""
    with sentry_sdk.new_scope() as scope:
        for name, value in tags.items():
            scope.set_tag(name, value)
        scope.capture_exception(error)


def keep_only_safe(event: dict[str, Any]) -> dict[str, Any]:
    """Return a new event with the parts that may leave this machine."""
    safe = {key: event[key] for key in _SAFE_KEYS & event.keys()}
    safe["tags"] = {key: tag for key, tag in event.get("tags", {}).items() if key in _SAFE_TAGS}
    values = event.get("exception", {}).get("values", [])
    safe["exception"] = {"values": [_safe_exception(value) for value in values]}
    return safe


def _safe_exception(value: dict[str, Any]) -> dict[str, Any]:
    frames = (value.get("stacktrace") or {}).get("frames", [])
    return {
        "type": value.get("type"),
        "module": value.get("module"),
        "stacktrace": {
            "frames": [
                {key: frame[key] for key in _SAFE_FRAME_KEYS & frame.keys()} for frame in frames
            ]
        },
    }


def _scrub_or_drop(event: Event, service: str) -> Event | None:
    try:
        return cast("Event", keep_only_safe(cast("dict[str, Any]", event)))
    except Exception:  # noqa: BLE001 - an event that cannot be scrubbed must not leave
        logger.warning("an error report could not be scrubbed and was dropped")
        METRICS.incr("sentry_scrub_error", tags=[f"service:{service}"])
        return None
