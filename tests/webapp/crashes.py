# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Puts crashes where Crash Stats looks for them: storage and index, as the other rooms do it."""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from socorro.crash_id import Throttle, make_crash_id
from socorro.fields import search_document
from socorro.search import SearchIndex
from socorro.storage import CrashReport
from webapp.crashstats import handles

WALKS = Path(__file__).parent / "walks"
_INDEXED_WITHIN = 20


def walk(name: str) -> dict[str, Any]:
    """Return the stack walk of a sample."""
    loaded: dict[str, Any] = json.loads((WALKS / f"{name}.json").read_text())
    return loaded


@dataclass
class Crashes:
    """Stores crashes in the backends of the test's own settings."""

    def report(
        self,
        annotations: Mapping[str, Any] | None = None,
        dumps: Mapping[str, bytes] | None = None,
        *,
        age: timedelta = timedelta(0),
        throttle: Throttle = Throttle.ACCEPT,
    ) -> str:
        """Store a report as the collector does; return its crash id."""
        received = datetime.now(UTC) - age
        crash_id = make_crash_id(received, throttle)
        storage = handles.raw_storage()
        files = {}
        for name, body in (dumps or {}).items():
            files[name] = storage.spool / f"{crash_id}-{name}"
            files[name].write_bytes(body)
        raw = {
            "ProductName": "DemoApp",
            "Version": "1.2.3",
            "uuid": crash_id,
            "submitted_timestamp": received.isoformat(),
            "version": 2,
            "metadata": {"payload": "multipart"},
            **(annotations or {}),
        }
        storage.save_raw_crash(CrashReport(crash_id, raw, files))
        return crash_id

    def processed(
        self,
        *,
        walk_of: str = "threads",
        annotations: Mapping[str, Any] | None = None,
        dumps: Mapping[str, bytes] | None = None,
        age: timedelta = timedelta(0),
        **fields: Any,
    ) -> str:
        """Store a report and its processed crash; return its crash id."""
        crash_id = self.report(annotations, dumps, age=age)
        dump = walk(walk_of)
        received = (datetime.now(UTC) - age).isoformat()
        document = {
            "uuid": crash_id,
            "crash_id": crash_id,
            "signature": "acme::jobs::Worker::StoreResult",
            "product": "DemoApp",
            "version": "1.2.3",
            "os_name": dump["system_info"]["os"],
            "os_version": dump["system_info"]["os_ver"],
            "cpu_arch": dump["system_info"]["cpu_arch"],
            "reason": dump["crash_info"]["type"],
            "address": dump["crash_info"]["address"],
            "crashing_thread": dump["crash_info"]["crashing_thread"],
            "json_dump": dump,
            "date_processed": received,
            "submitted_timestamp": received,
            "processor_notes": "a note of the processor",
            "mdsw_status_string": "OK",
            "success": True,
            **fields,
        }
        handles.processed_storage().save_processed_crash(crash_id, document)
        return crash_id

    def indexed(self, **fields: Any) -> str:
        """Store a processed crash and wait until a search finds it; return its crash id."""
        crash_id = self.processed(**fields)
        self.index(crash_id)
        return crash_id

    def index(self, *crash_ids: str) -> None:
        """Put stored crashes into the index and wait until a search finds them."""
        index = handles.index()
        for crash_id in crash_ids:
            processed = handles.processed_storage().load_processed_crash(crash_id)
            index.put(search_document(processed))
        _run_indexer_until_done(index)


def _run_indexer_until_done(index: SearchIndex) -> None:
    stopping = threading.Event()
    indexer = threading.Thread(target=index.run_indexer, args=(stopping,))
    indexer.start()
    deadline = time.monotonic() + _INDEXED_WITHIN
    try:
        while index.pending():
            assert time.monotonic() < deadline, "the index did not take the crashes in time"
            stopping.wait(0.01)
    finally:
        stopping.set()
        indexer.join()
