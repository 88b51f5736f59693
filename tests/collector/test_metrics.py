# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the collector counts about a report, under the names that dashboards know."""

import gzip

import pytest
from markus.testing import MetricsMock

from collector.app import CollectorApp
from tests.collector.made_requests import Call, annotation, call, dump, multipart

REPORT = multipart(annotation("A", "b"), dump("upload_file_minidump", b"MDMP"))
RESOURCE = "socorro.collector.breakpad_resource"
GZIP = {"Content-Encoding": "gzip"}


def test_a_compressed_report_is_counted_and_timed(app: CollectorApp) -> None:
    with MetricsMock() as metrics:
        assert call(app, Call(gzip.compress(REPORT), headers=GZIP)).status == 200
    metrics.assert_incr_once(f"{RESOURCE}.gzipped_crash")
    metrics.assert_histogram_once(f"{RESOURCE}.gzipped_crash_decompress", tags=["result:success"])
    metrics.assert_histogram_once(
        f"{RESOURCE}.crash_size", value=len(REPORT), tags=["payload:compressed"]
    )
    metrics.assert_incr_once(f"{RESOURCE}.incoming_crash")
    metrics.assert_incr_once(f"{RESOURCE}.throttle_rule", tags=["rule:accept_everything"])
    metrics.assert_incr_once(f"{RESOURCE}.throttle", tags=["result:accept"])
    metrics.assert_timing_once(f"{RESOURCE}.on_post.time")
    for name in ("save_crash.count",):
        metrics.assert_incr_once(f"socorro.collector.crashmover.{name}")
    for name in ("crash_handling.time", "crash_save.time", "crash_publish.time"):
        metrics.assert_timing_once(f"socorro.collector.crashmover.{name}")


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(REPORT)[:-9], b"\x1f\x8b\x08"])
def test_a_report_that_cannot_be_inflated_is_counted(app: CollectorApp, body: bytes) -> None:
    with MetricsMock() as metrics:
        assert call(app, Call(body, headers=GZIP)).body == "Discarded=malformed_bad_gzip"
    metrics.assert_histogram_once(f"{RESOURCE}.gzipped_crash_decompress", tags=["result:fail"])
    metrics.assert_incr_once(f"{RESOURCE}.malformed", tags=["reason:bad_gzip"])
    metrics.assert_not_incr(f"{RESOURCE}.incoming_crash")


def test_a_crash_id_without_the_token_is_counted(app: CollectorApp) -> None:
    report = multipart(annotation("uuid", "0b5ba6dc-64ee-4d1e-8f1c-3c0f50261123"))
    with MetricsMock() as metrics:
        assert call(app, Call(report)).status == 200
    metrics.assert_incr_once(f"{RESOURCE}.unauthorized_uuid")
