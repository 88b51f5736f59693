# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Every metric of the system, declared once with its name, type, tags and description.

`METRICS` is what code uses. A metric that nobody declared is an error in tests and a warning
elsewhere, so that the documentation made from the declarations cannot drift.
"""

from dataclasses import dataclass
from socket import gethostname
from typing import Any, Literal

import markus
from markus.filters import AddTagFilter, RegisteredMetricsFilter

from socorro.settings import SettingError, Settings

Kind = Literal["incr", "gauge", "timing", "histogram"]


@dataclass(frozen=True)
class Metric:
    """A declared metric. Timings are in milliseconds, sizes in bytes."""

    name: str
    kind: Kind
    doc: str
    tags: tuple[str, ...] = ()


DECLARED: tuple[Metric, ...] = (
    Metric(
        "collector.breakpad_resource.crash_size",
        "histogram",
        "Inflated size of a report's body.",
        ("payload",),
    ),
    Metric("collector.breakpad_resource.gzipped_crash", "incr", "A compressed report came in."),
    Metric(
        "collector.breakpad_resource.gzipped_crash_decompress",
        "histogram",
        "Milliseconds to inflate a compressed report.",
        ("result",),
    ),
    Metric("collector.breakpad_resource.incoming_crash", "incr", "A well-formed report came in."),
    Metric(
        "collector.breakpad_resource.malformed",
        "incr",
        "A report was refused as malformed.",
        ("reason",),
    ),
    Metric(
        "collector.breakpad_resource.unauthorized_uuid",
        "incr",
        "A report brought a crash id along without the token for that.",
    ),
    Metric(
        "collector.breakpad_resource.turned_away",
        "incr",
        "A report was refused for another reason than its form, such as overload.",
        ("reason",),
    ),
    Metric("collector.breakpad_resource.on_post.time", "timing", "Time to answer a report."),
    Metric(
        "collector.breakpad_resource.throttle",
        "incr",
        "Verdict of the throttler on a report.",
        ("result",),
    ),
    Metric(
        "collector.breakpad_resource.throttle_rule",
        "incr",
        "Throttle rule that decided on a report.",
        ("rule",),
    ),
    Metric(
        "collector.crashmover.crash_handling.time",
        "timing",
        "Time to store a report and publish its id, all tries included.",
    ),
    Metric("collector.crashmover.crash_publish.time", "timing", "Time to publish a crash id."),
    Metric("collector.crashmover.crash_save.time", "timing", "Time to store a report."),
    Metric(
        "collector.crashmover.fallback",
        "gauge",
        "Reports in the fallback storage that wait to be moved home; counted up to 10,000.",
    ),
    Metric(
        "collector.crashmover.moved_home.count",
        "incr",
        "A report was moved from the fallback storage into the main one.",
    ),
    Metric(
        "collector.crashmover.publish_crash_dropped.count",
        "incr",
        "A crash id could neither be published nor kept for later; the job that finds missing "
        "crashes will queue it.",
    ),
    Metric(
        "collector.crashmover.retry_count",
        "incr",
        "A try to store a report (save_crash_exception.count) or to publish its id "
        "(publish_crash_exception.count) failed.",
        ("count",),
    ),
    Metric("collector.crashmover.save_crash.count", "incr", "A report was stored."),
    Metric(
        "collector.crashmover.save_crash_dropped.count",
        "incr",
        "A report could not be stored; the client was told to keep it.",
    ),
    Metric(
        "collector.crashmover.saved_to_fallback.count",
        "incr",
        "A report was stored in the fallback storage, as the main one failed.",
    ),
    Metric(
        "collector.crashmover.unpublished",
        "gauge",
        "Crash ids that wait for the queue; counted up to 10,000.",
    ),
    Metric("collector.gunicorn.requests", "incr", "A request was answered.", ("status",)),
    Metric("collector.gunicorn.workers", "gauge", "Worker processes of the collector."),
    Metric("collector.health.broken.count", "incr", "Somebody asked for an error on purpose."),
    Metric("collector.health.heartbeat.count", "incr", "Somebody asked for the heartbeat."),
    Metric(
        "collector.health.lbheartbeat.count",
        "incr",
        "A load balancer asked whether the collector serves.",
    ),
    Metric("collector.health.version.count", "incr", "Somebody asked for the version."),
    Metric("cron.job_run", "timing", "Time that a job took.", ("job", "result")),
    Metric(
        "cron.requeue_missing.queued",
        "incr",
        "A raw crash without processed crash was queued again.",
    ),
    Metric(
        "cron.requeue_missing.indexed",
        "incr",
        "A processed crash that the search index lacked was put into it.",
    ),
    Metric(
        "processor.betaversionrule.cache",
        "incr",
        "The version of a beta was looked for among those remembered.",
        ("result",),
    ),
    Metric(
        "processor.betaversionrule.lookup",
        "incr",
        "The API of versions was asked for the version of a beta.",
        ("result",),
    ),
    Metric("processor.denonerule.had_nones", "incr", "A report had annotations that were null."),
    Metric(
        "processor.denullrule.has_nulls", "incr", "A report had annotations with NUL characters."
    ),
    Metric(
        "processor.cache_manager.evict",
        "incr",
        "A symbol file left SYMBOLS_CACHE to make room.",
    ),
    Metric("processor.cache_manager.usage", "gauge", "Bytes of the symbols in SYMBOLS_CACHE."),
    Metric(
        "processor.ingestion_timing",
        "timing",
        "Time from the collection of a report to its processed crash.",
    ),
    Metric("processor.process_crash", "timing", "Time to process and save a crash.", ("ruleset",)),
    Metric("processor.es.save_processed_crash", "timing", "Time to index a processed crash."),
    Metric("processor.heartbeat", "incr", "Once a minute, from a processor between two crashes."),
    Metric("processor.save_processed_crash", "incr", "A processed crash was saved."),
    Metric(
        "processor.gave_up",
        "incr",
        "A crash ended its processor too often and was saved with an error note.",
    ),
    Metric("processor.rule.act.timing", "timing", "Time that a rule took.", ("rule",)),
    Metric("processor.rule.failed", "incr", "A rule raised.", ("rule",)),
    Metric(
        "processor.minidumpstackwalk.run",
        "incr",
        "A minidump was walked.",
        ("outcome", "exitcode"),
    ),
    Metric("processor.minidumpstackwalk.time", "timing", "Time that a stack walk took."),
    Metric(
        "processor.stackwalker.replaced",
        "incr",
        "The long-lived stackwalker was ended and replaced.",
        ("reason",),
    ),
    Metric(
        "processor.save_processed_crash.failed",
        "incr",
        "A destination did not take a processed crash.",
        ("destination",),
    ),
    Metric("processor.storage.save_processed_crash", "timing", "Time to store a processed crash."),
    Metric("processor.telemetry.save_processed_crash", "timing", "Time to export a crash."),
    Metric("processor.truncatestackrule.stack_size", "gauge", "Frames of a stack that was cut."),
    Metric("processor.truncatestackrule.truncated", "incr", "A stack was cut to 500 frames."),
    Metric(
        "processor.symbols.download",
        "incr",
        "A symbol server was asked for a file.",
        ("outcome",),
    ),
    Metric("processor.symbols.download.time", "timing", "Time that a symbol server was asked."),
    Metric(
        "processor.waiting_for_stackwalker",
        "incr",
        "A crash went back to the queue because the stackwalker is still being built.",
    ),
    Metric(
        "queue.dead_letter_dropped",
        "incr",
        "A message that could not be processed was deleted, as its queue has no dead letters.",
        ("queue",),
    ),
    Metric("search.indexed", "incr", "Documents were written into the embedded index."),
    Metric(
        "sentry_scrub_error",
        "incr",
        "Scrubbing an error report failed; the report was dropped.",
        ("service",),
    ),
    Metric("webapp.view.pageview", "timing", "Time to answer a page.", ("api", "path", "status")),
)


_REGISTER = {
    f"socorro.{metric.name}": {"type": metric.kind, "description": metric.doc}
    for metric in DECLARED
}
_FILTER = RegisteredMetricsFilter(_REGISTER)

METRICS = markus.get_metrics("socorro", filters=[_FILTER])


def set_up_metrics(settings: Settings, *, prometheus: str = "") -> None:
    """Send metrics to the StatsD server of the settings, if there is one.

    `prometheus` names the service whose metrics are kept for Prometheus as well; empty: none.
    Raises SettingError for an address that is not ``host:port``.
    """
    backends: list[dict[str, Any]] = []
    if settings.statsd_address:
        backends.append(_statsd(settings.statsd_address))
    if prometheus:
        options = {"service": prometheus}
        backends.append({"class": "socorro.prometheus.PrometheusMetrics", "options": options})
    markus.configure(backends)


def _statsd(address: str) -> dict[str, Any]:
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isdigit():
        raise SettingError("STATSD_ADDRESS must look like host:port, such as localhost:8125.")
    return {
        "class": "markus.backends.datadog.DatadogMetrics",
        "options": {"statsd_host": host, "statsd_port": int(port)},
        "filters": [AddTagFilter(f"host:{gethostname()}")],
    }


def raise_on_undeclared() -> None:
    """Make an undeclared metric, or one of another type, an error (tests)."""
    _FILTER.raise_error = True
