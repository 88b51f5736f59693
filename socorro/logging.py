# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Log lines: readable in a terminal, mozlog JSON for machines, with the crash id on each.

Code logs through `logging.getLogger(__name__)`; inside `crash_context` every line carries the
crash id, whoever writes it. No annotation, dump or address of a client belongs in a log line.
"""

import json
import logging
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import orjson

from socorro.settings import Settings

_crash_id: ContextVar[str | None] = ContextVar("crash_id", default=None)
_ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)
# Severity by syslog's numbers, as mozlog wants it.
_SEVERITY = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}

# Below a warning, the clients of S3 and SQS log all that they send: annotations, dumps, signatures.
_TALKATIVE = ("boto3", "botocore", "s3transfer", "urllib3")


@contextmanager
def crash_context(crash_id: str) -> Iterator[None]:
    """Put `crash_id` on every log line of this thread of work."""
    token = _crash_id.set(crash_id)
    try:
        yield
    finally:
        _crash_id.reset(token)


def set_up_logging(settings: Settings, service: str) -> None:
    """Send all log lines of this process to standard error in the format of the settings.

    `service` (collector, processor, webapp, cronrun) stands on each line.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_add_crash_id)
    as_json = settings.log_format == "json" or (
        settings.log_format == "auto" and not sys.stderr.isatty()
    )
    handler.setFormatter(MozlogFormatter(service) if as_json else TextFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _add_crash_id(record: logging.LogRecord) -> bool:
    if not hasattr(record, "crash_id"):
        record.crash_id = _crash_id.get()
    return True


class _DiscreetFormatter(logging.Formatter):
    """Shows where an error came from and its class; its text may quote somebody's data."""

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802
        """Return the stacks of an error and of those behind it, without their texts."""
        parts = []
        error = ei[1]
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            frames = "".join(traceback.format_tb(error.__traceback__))
            parts.append(f"{frames}{type(error).__name__}")
            error = error.__cause__ or error.__context__
        return "\ncaused by\n".join(parts)


class TextFormatter(_DiscreetFormatter):
    """``19:00:01Z processor INFO [crash id] message``, times in UTC."""

    def __init__(self, service: str) -> None:
        super().__init__(f"%(asctime)sZ {service:<9} %(levelname)-7s %(message)s", "%H:%M:%S")

    @staticmethod
    def converter(timestamp: float | None) -> time.struct_time:
        """Return UTC, whatever the machine's zone is."""
        return time.gmtime(timestamp)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Put the crash id before the message."""
        crash_id = getattr(record, "crash_id", None)
        if crash_id:
            record.message = f"[{crash_id}] {record.message}"
        return super().formatMessage(record)


class MozlogFormatter(_DiscreetFormatter):
    """One JSON object a line, in mozlog's shape: Timestamp, Type, Logger, Hostname, Fields."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service
        self._host = socket.gethostname()

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for a record."""
        fields: dict[str, Any] = {"msg": record.getMessage(), "name": record.name}
        crash_id = getattr(record, "crash_id", None)
        if crash_id:
            fields["crash_id"] = crash_id
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        envelope = {
            "Timestamp": int(record.created * 1e9),
            "Time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "Type": record.name,
            "Logger": "socorro",
            "Service": self._service,
            "Hostname": self._host,
            "EnvVersion": "2.0",
            "Severity": _SEVERITY.get(record.levelname, 7),
            "Pid": record.process,
            "Fields": fields,
        }
        try:
            return orjson.dumps(envelope, default=str).decode()
        except TypeError:
            # Lone surrogates, as hostile names have them: the slow encoder escapes them.
            return json.dumps(envelope, default=str)
