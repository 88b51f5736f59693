# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Any report comes back as it was sent; any bytes at all are an answer and no error."""

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collector.app import CollectorApp, create_app
from collector.reading.header_parameters import parse_header
from collector.reading.json_annotations import JsonReader
from collector.reading.notes import Notes
from collector.refusal import Refused
from socorro.queue import open_queue
from socorro.settings import load
from socorro.storage import FilesystemStorage
from tests.collector.made_requests import (
    BOUNDARY,
    CAPTURED,
    Call,
    Part,
    annotation,
    call,
    captured_call,
    dump,
    extra,
    multipart,
)

COLLECTOR_KEYS = {"metadata", "submitted_timestamp", "uuid", "version"}


@dataclass
class Collector:
    """A collector on a folder that lives as long as one example."""

    app: CollectorApp
    storage: FilesystemStorage
    folder: Path

    def stored(self) -> list[str]:
        return list(self.storage.list_raw_crashes(datetime.now(UTC).date()))


@contextmanager
def collector() -> Iterator[Collector]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        storage = FilesystemStorage(root / "crashes")
        queue = open_queue(f"local://{root}/queue", lease_seconds=60)
        settings = replace(load(), data=root, min_free_disk=0)
        yield Collector(create_app(settings, storage, queue), storage, root)
        queue.close()


# What can stand in a quoted parameter of a header as it is.
_NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters='"\\'),
    min_size=1,
    max_size=40,
).filter(lambda name: name.strip() == name)
_VALUES = st.text(st.characters(codec="utf-8"), max_size=200).filter(
    lambda value: f"--{BOUNDARY}" not in value
)
_ALL_TEXT = st.text(st.characters(codec=None, exclude_categories=[]), max_size=30)
_JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _ALL_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_ALL_TEXT, inner, max_size=4),
    max_leaves=10,
)
_DELIMITER = b"\r\n--" + BOUNDARY.encode()
# Some are long and full of what a delimiter begins with, across the reader's buffers.
_CONTENTS = (
    st.binary(max_size=3000)
    | st.binary(min_size=1, max_size=8).map(lambda seed: (seed + _DELIMITER[:-1]) * 5000)
).filter(lambda content: _DELIMITER not in content)
_DUMP_NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=30)


@st.composite
def _reports(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, Any], dict[str, bytes]]:
    fields = draw(st.dictionaries(_NAMES, _VALUES, min_size=1, max_size=8))
    as_json = draw(st.dictionaries(_ALL_TEXT, _JSON_VALUES, max_size=8))
    dumps = draw(st.dictionaries(_DUMP_NAMES, _CONTENTS, max_size=3))
    for name in ("test", "dump"):
        dumps.pop(name, None)
    return fields, as_json, dumps


@given(_reports(), st.randoms(use_true_random=False), st.booleans())
def test_a_report_comes_back_as_it_was_sent(
    report: tuple[dict[str, str], dict[str, Any], dict[str, bytes]],
    random: Any,
    compressed: bool,
) -> None:
    fields, as_json, dumps = report
    parts: list[Part] = [annotation(name, value) for name, value in fields.items()]
    parts += [extra(as_json)] if as_json else []
    parts += [dump(name, content) for name, content in dumps.items()]
    random.shuffle(parts)
    body = multipart(*parts)
    request = Call(gzip.compress(body, 1), headers={"Content-Encoding": "gzip"})
    with collector() as under_test:
        answer = call(under_test.app, request if compressed else Call(body))
        raw_crash = under_test.storage.load_raw_crash(answer.crash_id)
        removed = {"Email", "TelemetryClientId", "TelemetryServerURL", "TelemetrySessionId"}
        kept = {**as_json, **fields}.items()
        expected = {name: value for name, value in kept if name not in removed | COLLECTOR_KEYS}
        assert {k: v for k, v in raw_crash.items() if k not in COLLECTOR_KEYS} == expected
        names = under_test.storage.load_dump_names(answer.crash_id)
        assert names == sorted(dumps)
        for name in names:
            path = under_test.storage.fetch_dump(answer.crash_id, name, under_test.folder)
            assert path.read_bytes() == dumps[name]


_PIECES = st.sampled_from(
    [
        f"--{BOUNDARY}".encode(),
        f"--{BOUNDARY}--".encode(),
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"--",
        b'Content-Disposition: form-data; name="a"',
        b'Content-Disposition: form-data; name="a"; filename="b"',
        b'Content-Disposition: form-data; name="raw_crash"; filename="b"',
        b"Content-Type: application/json",
        b"Content-Type: text/plain; charset=utf-16",
        b'{"a": 1}',
        b"{",
        b"\x00",
        b"\xff\xfe",
        b"x" * 9000,
    ]
)
_BODIES = st.binary(max_size=500) | st.lists(_PIECES | st.binary(max_size=20), max_size=25).map(
    b"".join
)
_HEADER_VALUES = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)
_TYPES = _HEADER_VALUES | st.sampled_from(
    [
        f"multipart/form-data; boundary={BOUNDARY}",
        "multipart/form-data; boundary=\xff",
        'multipart/form-data; boundary="',
        "multipart/form-data; boundary=\\",
    ]
)


@given(
    body=_BODIES,
    content_type=_TYPES,
    encoding=_HEADER_VALUES | st.sampled_from(["", "gzip"]),
    authorization=_HEADER_VALUES,
    length=st.none() | st.just("") | _HEADER_VALUES | st.integers(0, 1000).map(str),
    squeeze=st.booleans(),
)
def test_any_request_is_answered_without_an_error(
    body: bytes,
    content_type: str,
    encoding: str,
    authorization: str,
    length: str | None,
    squeeze: bool,
) -> None:
    request = Call(
        gzip.compress(body, 1) if squeeze else body,
        content_type=content_type,
        headers={"Content-Encoding": encoding, "Authorization": authorization},
        content_length=length,
    )
    with collector() as under_test:
        answer = call(under_test.app, request)
        assert answer.status in (200, 400, 413, 415)
        assert (answer.status == 200) == bool(under_test.stored())
        assert list(under_test.storage.spool.iterdir()) == []


@given(st.sampled_from(CAPTURED), st.data())
def test_a_captured_request_cut_off_anywhere_stores_nothing(
    path: Path, data: st.DataObject
) -> None:
    request = captured_call(path.read_bytes())
    # The last line end may be missing; anything more may not.
    cut = data.draw(st.integers(0, len(request.body) - 3))
    with collector() as under_test:
        answer = call(under_test.app, replace(request, body=request.body[:cut]))
        assert answer.status == 400
        assert under_test.stored() == []
        assert list(under_test.storage.spool.iterdir()) == []


@given(st.binary(max_size=300) | _ALL_TEXT.map(lambda text: text.encode("utf-16", "surrogatepass")))
def test_any_json_part_is_read_or_refused(body: bytes) -> None:
    try:
        loaded = JsonReader(Notes(), max_depth=10, max_digits=20).read(body)
    except Refused:
        return
    assert isinstance(loaded, dict)


@given(_ALL_TEXT | st.text('";=\\ ab', max_size=200))
def test_any_header_is_parsed(text: str) -> None:
    value, parameters = parse_header(text)
    assert value == text.partition(";")[0].strip().lower()
    assert all(name == name.lower() for name in parameters)


@given(_NAMES)
def test_a_quoted_parameter_is_found(name: str) -> None:
    assert parse_header(f'form-data; x="a;b"; name="{name}"')[1] == {"x": "a;b", "name": name}
