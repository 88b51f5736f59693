# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Reports whose content follows from a token in them, so that whatever is stored can be checked."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from socorro.storage import CrashStorage
from tests.collector.made_requests import annotation, dump, multipart

DUMP_NAMES = ("upload_file_minidump", "upload_file_minidump_browser")


def annotations_of(token: str) -> dict[str, str]:
    """Return the annotations that are sent."""
    return {"ProductName": "DemoApp", "Token": token, "Comments": f"{token} \u2603\n" * 50}


def dump_of(token: str, name: str) -> bytes:
    """Return the content of a dump: 100 kB, more than one piece of what the collector reads."""
    return hashlib.sha256(f"{token}/{name}".encode()).digest() * 3200


def body_of(token: str) -> bytes:
    """Return the body of the request."""
    sent = annotations_of(token)
    annotations = [annotation(name, value) for name, value in sent.items()]
    dumps = [dump(name, dump_of(token, name)) for name in DUMP_NAMES]
    return multipart(*annotations, *dumps)


def check_complete(storage: CrashStorage, crash_id: str, folder: Path) -> str:
    """Fail unless all of a report is stored, byte for byte; return its token."""
    raw_crash = storage.load_raw_crash(crash_id)
    token = str(raw_crash["Token"])
    sent = annotations_of(token)
    assert {name: raw_crash[name] for name in sent} == sent
    assert raw_crash["uuid"] == crash_id
    assert storage.load_dump_names(crash_id) == list(DUMP_NAMES)
    for name in DUMP_NAMES:
        content = storage.fetch_dump(crash_id, name, folder).read_bytes()
        assert content == dump_of(token, name)
        checksum = raw_crash["metadata"]["dump_checksums"][name]
        assert checksum == hashlib.sha256(content).hexdigest()
    return token


def tokens_of(storages: Iterable[CrashStorage], folder: Path) -> dict[str, str]:
    """Return crash id and token of every report that can be seen; fail if one is not complete."""
    return {
        crash_id: check_complete(storage, crash_id, folder)
        for storage in storages
        for day in storage.list_days()
        for crash_id in storage.list_raw_crashes(day)
    }
