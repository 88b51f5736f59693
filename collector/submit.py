# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``POST /submit``: a crash report comes in, a crash id goes out."""

import logging
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import falcon

from collector.duplicates import Duplicates
from collector.limits.rate_limits import RateLimits
from collector.raw_crash import finished_raw_crash, raw_crash_of
from collector.reading.body import Body
from collector.reading.dumps import Spool
from collector.reading.multipart import boundary_of
from collector.reading.payload import Payload, compression_of, read_payload
from collector.refusal import Refused
from collector.saving.crashmover import CrashMover
from collector.submitted_id import submitted_crash_id
from collector.throttling import Throttler
from socorro.crash_id import Throttle, make_crash_id, throttle_of
from socorro.logging import crash_context
from socorro.metrics import METRICS
from socorro.settings import Settings
from socorro.storage import CrashReport, StorageUnavailable
from socorro.storage.base import MAIN_DUMP

logger = logging.getLogger(__name__)

_METRIC = "collector.breakpad_resource"
_RESULTS = {
    Throttle.ACCEPT: "accept",
    Throttle.DEFER: "defer",
    Throttle.REJECT: "reject",
    Throttle.FAKE_ACCEPT: "fakeaccept",
}
_MOST_DIGITS = 18
# Long enough for a restart of what is down, short enough that a client's next try finds it up.
_RETRY_AFTER_SECONDS = 60


class SubmitResource:
    """Takes crash reports."""

    def __init__(
        self, settings: Settings, mover: CrashMover, throttler: Throttler, limits: RateLimits
    ) -> None:
        self._settings = settings
        self._mover = mover
        self._throttler = throttler
        self._limits = limits
        self._duplicates = Duplicates(settings.recent_reports)
        self._slots = threading.BoundedSemaphore(settings.max_uploads)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer a report: its crash id, or why it was not taken."""
        # Not Falcon's MEDIA_TEXT: clients know this type without a charset.
        resp.content_type = "text/plain"
        body = _body_of(req, self._settings.max_body_size)
        with METRICS.timer(f"{_METRIC}.on_post.time"):
            try:
                self._limits.check_client(req.remote_addr, req.get_header("X-Forwarded-For"))
                self._check_storage()
                with self._slot():
                    resp.text = self._take(req, body)
            except Refused as refused:
                self._refuse(refused, resp)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(blocking=False):
            raise _turned_away("overloaded")
        try:
            yield
        finally:
            self._slots.release()

    def _check_storage(self) -> None:
        """Shed the load while it is known that no storage takes a report. Raises Refused."""
        try:
            self._mover.check()
        except StorageUnavailable as error:
            raise _turned_away("storage_unavailable") from error

    def _take(self, req: falcon.Request, body: Body) -> str:
        received_at = datetime.now(UTC)
        try:
            with Spool(self._mover.spools, self._settings.max_dumps) as spool:
                payload = self._read(req, body, spool)
                return self._decide(req, payload, spool, received_at)
        except StorageUnavailable as error:
            logger.error("a report could not be stored: %s", error)
            raise Refused(
                "storage_unavailable", 503, malformed=False, retry_after=_RETRY_AFTER_SECONDS
            ) from error

    def _read(self, req: falcon.Request, body: Body, spool: Spool) -> Payload:
        boundary = boundary_of(req.get_header("Content-Type") or "")
        form = compression_of(req.get_header("Content-Encoding") or "")
        if body.length is not None and body.length > self._settings.max_body_size:
            raise Refused("body_too_large", 413)
        payload = read_payload(
            body, boundary=boundary, form=form, spool=spool, settings=self._settings
        )
        if payload.compressed:
            METRICS.incr(f"{_METRIC}.gzipped_crash")
        METRICS.histogram(
            f"{_METRIC}.crash_size",
            payload.inflated,
            tags=[f"payload:{'compressed' if payload.compressed else 'uncompressed'}"],
        )
        METRICS.incr(f"{_METRIC}.incoming_crash")
        return payload

    def _decide(
        self, req: falcon.Request, payload: Payload, spool: Spool, received_at: datetime
    ) -> str:
        chosen_id = submitted_crash_id(
            payload.annotations, req.get_header("Authorization"), payload.notes, self._settings
        )
        raw_crash = raw_crash_of(payload, received_at=received_at, user_agent=req.user_agent)
        verdict = self._throttler.judge(raw_crash)
        METRICS.incr(f"{_METRIC}.throttle_rule", tags=[f"rule:{verdict.rule}"])
        METRICS.incr(f"{_METRIC}.throttle", tags=[f"result:{_RESULTS[verdict.result]}"])
        crash_id = chosen_id or make_crash_id(received_at, verdict.result)
        with crash_context(crash_id):
            kept = ""
            if verdict.result in (Throttle.ACCEPT, Throttle.DEFER):
                self._limits.check_product(raw_crash.get("ProductName"))
                self._note_duplicate(raw_crash, payload, crash_id, received_at)
                finished = finished_raw_crash(
                    raw_crash,
                    crash_id=crash_id,
                    throttle_rule=verdict.rule,
                    removed=self._settings.removed_annotations,
                    payload=payload,
                    spool=spool,
                )
                dumps = {name: dump.path for name, dump in payload.dumps.items()}
                self._mover.move(
                    CrashReport(crash_id, finished, dumps),
                    # The digit tells everybody else as well whether a crash is left alone; in an id
                    # that came along it is the word of who sends it.
                    publish=throttle_of(crash_id) != Throttle.DEFER,
                    chosen_id=chosen_id is not None,
                )
                # Not before it is stored: nobody should be referred to what does not exist.
                self._duplicates.remember(*_identity(raw_crash, payload), crash_id, received_at)
                kept = f"; saved: {len(dumps)} dumps, {payload.received} bytes"
            # One line a report: a line costs a twentieth of the work for it.
            logger.info("matched by %s; returned %s%s", verdict.rule, verdict.result.name, kept)
        if verdict.result is Throttle.REJECT:
            return f"Discarded=rule_{verdict.rule}"
        return f"CrashID=bp-{crash_id}\n"

    def _note_duplicate(
        self, raw_crash: Mapping[str, Any], payload: Payload, crash_id: str, received_at: datetime
    ) -> None:
        """Note the crash that this report was sent as before, if it was."""
        earlier = self._duplicates.earlier(*_identity(raw_crash, payload), received_at)
        if earlier not in (None, crash_id):
            payload.notes.add(f"duplicate of {earlier}, which the client sent before")

    def _refuse(self, refused: Refused, resp: falcon.Response) -> None:
        if refused.malformed:
            METRICS.incr(f"{_METRIC}.malformed", tags=[f"reason:{refused.reason}"])
        else:
            METRICS.incr(f"{_METRIC}.turned_away", tags=[f"reason:{refused.reason}"])
        logger.info("refused a report: %s", refused.reason)
        resp.status = refused.status
        resp.text = refused.body
        if refused.retry_after is not None:
            resp.set_header("Retry-After", str(refused.retry_after))


def _identity(raw_crash: Mapping[str, Any], payload: Payload) -> tuple[object, str]:
    """Return what a report has in common with itself sent again: its guid and main minidump."""
    minidump = payload.dumps.get(MAIN_DUMP)
    return raw_crash.get("guid"), minidump.sha256 if minidump else ""


def _turned_away(reason: str) -> Refused:
    return Refused(reason, 503, malformed=False, retry_after=_RETRY_AFTER_SECONDS)


def _body_of(req: falcon.Request, max_size: int) -> Body:
    """Return the body with the length that the request gives, or None for one without."""
    socket = req.env.get("gunicorn.socket")
    declared = req.env.get("CONTENT_LENGTH", "")
    if re.fullmatch(r"[0-9]+", declared):
        # Of a longer number it is enough to know that it is too large.
        length: int | None = int(declared[:_MOST_DIGITS])
    else:
        # A server that ends the stream with the body says so; with any other one, reading on
        # would wait for ever.
        length = None if req.env.get("wsgi.input_terminated") else 0
    return Body(req.stream, length, max_size, lambda: getattr(socket, "stalled", False))
