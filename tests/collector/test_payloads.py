# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Reports in all their forms, through the WSGI application."""

import gzip
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from collector.app import CollectorApp
from socorro.storage import FilesystemStorage
from tests.collector.made_requests import (
    BOUNDARY,
    Call,
    Part,
    annotation,
    call,
    dump,
    extra,
    multipart,
    post,
)

MDMP = b"MDMP" + bytes(range(256)) * 50


def stored(storage: FilesystemStorage, crash_id: str) -> dict[str, Any]:
    """The annotations of a stored report without what the collector adds."""
    raw_crash = storage.load_raw_crash(crash_id)
    for key in ("metadata", "submitted_timestamp", "uuid", "version"):
        del raw_crash[key]
    return raw_crash


def notes(storage: FilesystemStorage, crash_id: str) -> list[str]:
    found: list[str] = storage.load_raw_crash(crash_id)["metadata"]["collector_notes"]
    return found


def test_a_report_of_fields_and_dumps_is_stored(
    app: CollectorApp, storage: FilesystemStorage, tmp_path: Path
) -> None:
    crash_id = post(
        app,
        annotation("ProductName", "DemoApp"),
        annotation("Add-ons", "a%40b:1.0,ü"),
        dump("upload_file_minidump", MDMP),
        dump("upload_file_minidump_browser", b"browser"),
    ).crash_id
    assert stored(storage, crash_id) == {"ProductName": "DemoApp", "Add-ons": "a%40b:1.0,ü"}
    names = ["upload_file_minidump", "upload_file_minidump_browser"]
    assert storage.load_dump_names(crash_id) == names
    contents = [storage.fetch_dump(crash_id, name, tmp_path).read_bytes() for name in names]
    assert contents == [MDMP, b"browser"]
    assert notes(storage, crash_id) == []


def test_the_collector_adds_what_it_knows(app: CollectorApp, storage: FilesystemStorage) -> None:
    body = multipart(annotation("ProductName", "DemoApp"), dump("upload_file_minidump", MDMP))
    answer = call(app, Call(body, headers={"User-Agent": "Breakpad/1.0 (Linux)"}))
    raw_crash = storage.load_raw_crash(answer.crash_id)
    timestamp = raw_crash.pop("submitted_timestamp")
    assert timestamp.endswith("+00:00")
    assert len(timestamp) == len("2026-11-22T19:37:29.488227+00:00")
    assert raw_crash == {
        "ProductName": "DemoApp",
        "uuid": answer.crash_id,
        "version": 2,
        "metadata": {
            "payload": "multipart",
            "payload_compressed": "0",
            "payload_size": len(body),
            "collector_notes": [],
            "dump_checksums": {"upload_file_minidump": hashlib.sha256(MDMP).hexdigest()},
            "user_agent": "Breakpad/1.0 (Linux)",
            "throttle_rule": "accept_everything",
        },
    }


def test_a_client_cannot_set_what_the_collector_adds(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    crash_id = post(
        app, extra({"metadata": "mine", "version": 99, "submitted_timestamp": "x", "Version": "1"})
    ).crash_id
    raw_crash = storage.load_raw_crash(crash_id)
    assert raw_crash["version"] == 2
    assert raw_crash["Version"] == "1"
    assert raw_crash["metadata"]["payload"] == "json"
    assert raw_crash["submitted_timestamp"].startswith("20")


def test_multipart_mixed_is_as_good_as_form_data(app: CollectorApp) -> None:
    assert post(
        app, annotation("a", "b"), content_type=f"multipart/mixed; boundary={BOUNDARY}"
    ).crash_id


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/form-data; boundary="{}"',
        "MULTIPART/Form-Data; Boundary={}",
        "multipart/form-data;boundary={}",
        "multipart/form-data; charset=utf-8; boundary={}",
        'multipart/form-data; boundary="{}"; charset=utf-8',
        "multipart/form-data ; boundary={} ; x=y",
    ],
)
def test_a_boundary_is_found_however_it_is_written(app: CollectorApp, content_type: str) -> None:
    assert post(app, annotation("a", "b"), content_type=content_type.format(BOUNDARY)).crash_id


@pytest.mark.parametrize("boundary", ["x", "x" * 70, "a b", "'()+_,-./:=?", "--", "==a=="])
def test_odd_boundaries_work(app: CollectorApp, boundary: str) -> None:
    body = multipart(annotation("a", "b"), boundary=boundary)
    content_type = f'multipart/form-data; boundary="{boundary}"'
    assert call(app, Call(body, content_type=content_type)).crash_id


@pytest.mark.parametrize("content_type", [None, "text/plain", "TEXT/PLAIN; charset=UTF-8"])
def test_an_annotation_needs_no_type(
    app: CollectorApp, storage: FilesystemStorage, content_type: str | None
) -> None:
    crash_id = post(app, annotation("a", "ü\x00", content_type)).crash_id
    assert stored(storage, crash_id) == {"a": "ü\x00"}
    assert notes(storage, crash_id) == []


def test_an_annotation_is_decoded_by_its_charset(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    crash_id = post(
        app, annotation("a", "ü".encode("latin-1"), "text/plain; charset=ISO-8859-1")
    ).crash_id
    assert stored(storage, crash_id) == {"a": "ü"}


@pytest.mark.parametrize("charset", ["utf-8", "klingon", "hex", "idna", "x" * 500, "../../x"])
def test_an_annotation_that_cannot_be_decoded_is_kept_as_far_as_possible(
    app: CollectorApp, storage: FilesystemStorage, charset: str
) -> None:
    crash_id = post(app, annotation("a", b"abc\xff", f"text/plain; charset={charset}")).crash_id
    assert stored(storage, crash_id) == {"a": "abc\ufffd"}
    (note,) = notes(storage, crash_id)
    assert note.startswith("extract payload text part exception: invalid text or charset: ")
    assert len(note) <= 300


def test_an_annotation_sent_twice_is_noted_and_the_last_one_counts(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    crash_id = post(app, annotation("a", "1"), annotation("a", "2")).crash_id
    assert stored(storage, crash_id) == {"a": "2"}
    assert notes(storage, crash_id) == ["a was sent more than once; the last one was kept"]


@pytest.mark.parametrize("before", [True, False])
def test_fields_and_json_are_merged_in_any_order(
    app: CollectorApp, storage: FilesystemStorage, before: bool
) -> None:
    parts = [annotation("field", "1"), annotation("both", "field"), annotation("same", "x")]
    json_part = extra({"json": "2", "both": "json", "same": "x"})
    ordered = [*parts, json_part] if before else [json_part, *parts]
    crash_id = post(app, *ordered).crash_id
    assert stored(storage, crash_id) == {"field": "1", "json": "2", "both": "field", "same": "x"}
    assert notes(storage, crash_id) == [
        "includes annotations in both json-encoded extra and formdata parts",
        "both was sent both ways; the formdata part was kept",
    ]


def test_several_json_parts_are_merged(app: CollectorApp, storage: FilesystemStorage) -> None:
    crash_id = post(app, extra({"a": "1", "b": "1"}), extra({"b": "2"}, name="more")).crash_id
    assert stored(storage, crash_id) == {"a": "1", "b": "2"}
    assert notes(storage, crash_id) == ["includes several JSON parts, which were merged"]


def test_a_field_called_extra_is_an_ordinary_annotation(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    crash_id = post(app, annotation("extra", '{"a": 1}')).crash_id
    assert stored(storage, crash_id) == {"extra": '{"a": 1}'}


@pytest.mark.parametrize(
    "value",
    ["text", "", 1, -1, 1.5, 10**4000, True, None, [1, ["x"]], {"k": {"l": []}}, "\ud800", "\x00"],
)
def test_json_values_of_any_kind_are_kept(
    app: CollectorApp, storage: FilesystemStorage, value: Any
) -> None:
    crash_id = post(app, extra({"a": value})).crash_id
    assert stored(storage, crash_id) == {"a": value}
    assert notes(storage, crash_id) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
def test_json_in_any_unicode_encoding_is_read(
    app: CollectorApp, storage: FilesystemStorage, encoding: str
) -> None:
    crash_id = post(app, extra('{"ä": "ö"}'.encode(encoding))).crash_id
    assert stored(storage, crash_id) == {"ä": "ö"}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_json_cannot_hold_are_kept_as_text(
    app: CollectorApp, storage: FilesystemStorage, tmp_path: Path, number: str
) -> None:
    crash_id = post(app, extra(f'{{"a": {number}}}'.encode())).crash_id
    assert stored(storage, crash_id) == {"a": number}
    assert len(notes(storage, crash_id)) == 1
    (path,) = (tmp_path / "crashes/v1/raw_crash").rglob(crash_id)
    assert b"NaN," not in path.read_bytes()


def test_an_annotation_may_be_called_anything(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    names = ["__proto__", "a.b", "../x", "ключ", "a b", "x" * 1024]
    crash_id = post(app, *[annotation(name, "v") for name in names]).crash_id
    assert stored(storage, crash_id) == dict.fromkeys(names, "v")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_name_that_is_too_long_is_cut_with_a_note(
    app: CollectorApp, storage: FilesystemStorage, as_json: bool
) -> None:
    part = extra({"x" * 3000: "v"}) if as_json else annotation("x" * 3000, "v")
    crash_id = post(app, part).crash_id
    assert stored(storage, crash_id) == {"x" * 1024: "v"}
    assert notes(storage, crash_id) == ["a name of more than 1024 characters was cut"]


def test_a_name_that_is_not_utf_8_is_read_as_latin_1(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    part = Part([b'Content-Disposition: form-data; name="\xfc"'], b"v")
    crash_id = post(app, part).crash_id
    assert stored(storage, crash_id) == {"ü": "v"}


@pytest.mark.parametrize(
    "header",
    [
        b'Content-Disposition:form-data;name="a"',
        b"content-disposition: form-data; NAME=a",
        b'CONTENT-DISPOSITION:   form-data ; name = "a"',
        b'Content-Disposition: form-data; foo="x;y"; name="a"',
        b'Content-Disposition: attachment; name="a',
    ],
)
def test_part_headers_are_read_as_clients_write_them(
    app: CollectorApp, storage: FilesystemStorage, header: bytes
) -> None:
    crash_id = post(app, Part([header], b"v")).crash_id
    assert stored(storage, crash_id) == {"a": "v"}


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [b"X: y"],
        [b"Content-Disposition: form-data"],
        [b'Content-Disposition: form-data; name=""'],
    ],
)
def test_an_annotation_without_a_name_is_left_out_with_a_note(
    app: CollectorApp, storage: FilesystemStorage, headers: list[bytes]
) -> None:
    crash_id = post(app, annotation("a", "b"), Part(headers, b"v")).crash_id
    assert stored(storage, crash_id) == {"a": "b"}
    assert notes(storage, crash_id) == ["an annotation without a name was left out"]


@pytest.mark.parametrize(
    "around", [(b"preamble\r\n", b""), (b"", b"epilogue\r\n--x--"), (b"", b"")]
)
def test_what_stands_around_the_parts_is_passed_over(
    app: CollectorApp, around: tuple[bytes, bytes]
) -> None:
    before, after = around
    assert call(app, Call(before + multipart(annotation("a", "b")) + after)).crash_id


def test_the_last_line_end_may_be_missing(app: CollectorApp) -> None:
    assert call(app, Call(multipart(annotation("a", "b")).rstrip())).crash_id


def test_white_space_after_a_boundary_is_passed_over(app: CollectorApp) -> None:
    delimiter = b"--" + BOUNDARY.encode()
    body = multipart(annotation("a", "b")).replace(delimiter + b"\r\n", delimiter + b" \t\r\n")
    assert call(app, Call(body)).crash_id


def test_content_that_looks_like_a_boundary_is_content(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    value = f"--{BOUNDARY}\r\n-{BOUNDARY}\n--{BOUNDARY}\r\r\n--{BOUNDARY[:-1]}"
    crash_id = post(app, annotation("a", value)).crash_id
    assert stored(storage, crash_id) == {"a": value}


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", " gzip "])
def test_a_gzip_body_is_inflated(
    app: CollectorApp, storage: FilesystemStorage, encoding: str
) -> None:
    body = gzip.compress(multipart(annotation("a", "b"), dump("upload_file_minidump", MDMP)))
    crash_id = call(app, Call(body, headers={"Content-Encoding": encoding})).crash_id
    metadata = storage.load_raw_crash(crash_id)["metadata"]
    assert metadata["payload_compressed"] == "1"
    assert metadata["payload_size"] == len(body)
    assert metadata["dump_checksums"] == {"upload_file_minidump": hashlib.sha256(MDMP).hexdigest()}


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_a_gzip_body_of_several_members_is_inflated(
    app: CollectorApp, storage: FilesystemStorage, size: int
) -> None:
    plain = multipart(annotation("a", "b" * 2000))
    members = [gzip.compress(plain[i : i + size]) for i in range(0, len(plain), size)]
    crash_id = call(app, Call(b"".join(members), headers={"Content-Encoding": "gzip"})).crash_id
    assert stored(storage, crash_id) == {"a": "b" * 2000}


@pytest.mark.parametrize("junk", [b"\x00" * 1000, b"junk", b"\x1f"])
def test_what_follows_the_last_gzip_member_is_ignored(app: CollectorApp, junk: bytes) -> None:
    body = gzip.compress(multipart(annotation("a", "b"))) + junk
    assert call(app, Call(body, headers={"Content-Encoding": "gzip"})).crash_id


@pytest.mark.parametrize("encoding", ["", "identity", "Identity"])
def test_no_encoding_is_plain(app: CollectorApp, encoding: str) -> None:
    assert post(app, annotation("a", "b"), headers={"Content-Encoding": encoding}).crash_id


def test_a_chunked_body_is_read_to_its_end(app: CollectorApp) -> None:
    assert post(app, annotation("a", "b"), content_length=None).crash_id


def test_a_large_report_passes_through(
    app: CollectorApp, storage: FilesystemStorage, tmp_path: Path
) -> None:
    content = zlib.compress(bytes(8), 0) + b"\r\n--" * 2_000_000
    crash_id = post(
        app, annotation("a", "b" * 10**6), dump("upload_file_minidump", content)
    ).crash_id
    fetched = storage.fetch_dump(crash_id, "upload_file_minidump", tmp_path)
    assert fetched.read_bytes() == content
    assert stored(storage, crash_id) == {"a": "b" * 10**6}


def test_personal_annotations_are_removed_and_noted(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    names = ["Email", "TelemetryClientId", "TelemetryServerURL", "TelemetrySessionId"]
    crash_id = post(
        app, *[annotation(name, "secret") for name in names], annotation("email", "x")
    ).crash_id
    assert stored(storage, crash_id) == {"email": "x"}
    assert notes(storage, crash_id) == [f"Removed {name} from raw crash." for name in names]
    assert "secret" not in json.dumps(storage.load_raw_crash(crash_id))


def test_an_annotation_that_is_too_large_is_left_out_with_a_note(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    large = annotation("large", b"x" * (20 * 2**20 + 1))
    crash_id = post(app, annotation("a", "b"), large).crash_id
    assert stored(storage, crash_id) == {"a": "b"}
    assert notes(storage, crash_id) == [
        "extract payload text part exception: body part is too large"
    ]


def test_notes_do_not_grow_without_end(app: CollectorApp, storage: FilesystemStorage) -> None:
    parts = [annotation(f"a{i % 200}", "x") for i in range(1000)]
    crash_id = post(app, *parts).crash_id
    found = notes(storage, crash_id)
    assert len(found) == 101
    assert found[-1] == "400 more notes were left out"
