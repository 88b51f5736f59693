# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Annotations too large for memory are stored as small ones are, by way of the spool."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.app import CollectorApp, create_app
from collector.reading.json_annotations import JsonReader
from collector.reading.notes import Notes
from collector.reading.spill import Memory, Spill, Spilled, json_pieces
from collector.reading.spool_file import SpoolFile
from collector.refusal import Refused
from socorro.queue import CrashQueue
from socorro.settings import Settings
from socorro.storage import FilesystemStorage, StorageUnavailable
from tests.collector.made_requests import Answer, annotation, dump, extra, post

LARGE = 300_000
EMOJI = "\N{CRAB}"
COLLECTOR_KEYS = ("metadata", "submitted_timestamp", "uuid", "version")


def taken(storage: FilesystemStorage, answer: Answer) -> tuple[dict[str, Any], list[str]]:
    """Return the annotations and notes of a stored report; nothing of it is in the spool."""
    raw_crash = storage.load_raw_crash(answer.crash_id)
    assert raw_crash["uuid"] == answer.crash_id
    notes = raw_crash["metadata"]["collector_notes"]
    for key in COLLECTOR_KEYS:
        del raw_crash[key]
    assert list(storage.spool.iterdir()) == []
    return raw_crash, notes


VALUES = {
    "ascii": "a" * LARGE,
    "quotes and controls": '"\\\n\x00\x7f/' * 60_000,
    "one emoji at the end": "a" * LARGE + EMOJI,
    "emojis": EMOJI * LARGE,
    "many lines": "ä€\r\n" * LARGE,
}


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_large_annotation_is_stored_as_it_was_sent(
    app: CollectorApp, storage: FilesystemStorage, value: str, as_json: bool
) -> None:
    annotations = {"a": "small", "b": value, "ProductName": "DemoApp", "z": value[::-1]}
    parts = [extra(annotations)] if as_json else [annotation(*it) for it in annotations.items()]
    answer = post(app, *parts, dump("upload_file_minidump", b"MDMP"))
    assert taken(storage, answer) == (annotations, [])
    assert storage.load_dump_names(answer.crash_id) == ["upload_file_minidump"]


def test_json_in_utf_8_that_is_not_escaped_is_stored(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    annotations = {"ü": EMOJI * LARGE, "b": "é" * 70_000}
    body = json.dumps(annotations, ensure_ascii=False).encode()
    assert taken(storage, post(app, extra(body))) == (annotations, [])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
def test_large_json_in_any_unicode_encoding_is_read(
    app: CollectorApp, storage: FilesystemStorage, encoding: str
) -> None:
    annotations = {"ä": f"ö{EMOJI}" * LARGE, "b": "c"}
    body = json.dumps(annotations, ensure_ascii=False).encode(encoding)
    assert taken(storage, post(app, extra(body))) == (annotations, [])


def test_values_of_any_kind_beside_a_large_one_are_kept(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    values: dict[str, Any] = {
        "null": None,
        "true": True,
        "number": -1.5,
        "huge": 10**300,
        "list": [1, {"a": []}],
        "empty": {},
        "\ud800": "\udfff",
    }
    large = {"list": [{"b": "x" * 1000, "a": index} for index in range(500)], "text": "x" * LARGE}
    annotations = {**values, **{f"large {name}": value for name, value in large.items()}}
    assert taken(storage, post(app, extra(annotations))) == (annotations, [])


def test_numbers_that_json_cannot_hold_are_kept_as_text_in_large_json(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    body = json.dumps({"a": "x" * LARGE, "b": float("nan"), "c": [float("inf")]}).encode()
    annotations, notes = taken(storage, post(app, extra(body)))
    assert annotations == {"a": "x" * LARGE, "b": "NaN", "c": ["Infinity"]}
    assert len(notes) == 2


def test_a_field_wins_over_json_and_the_later_over_the_earlier(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    answer = post(
        app,
        annotation("a", "1" * LARGE),
        annotation("b", "2" * LARGE),
        extra({"a": "3" * LARGE, "c": "4" * LARGE}),
        annotation("b", "5"),
        extra({"c": "6" * LARGE, "d": "7"}),
    )
    annotations, notes = taken(storage, answer)
    assert annotations == {"a": "1" * LARGE, "b": "5", "c": "6" * LARGE, "d": "7"}
    assert set(notes) == {
        "b was sent more than once; the last one was kept",
        "includes several JSON parts, which were merged",
        "includes annotations in both json-encoded extra and formdata parts",
        "a was sent both ways; the formdata part was kept",
    }


def test_the_collectors_own_keys_are_not_a_clients(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    sent = dict.fromkeys([*COLLECTOR_KEYS, "Email"], "x" * LARGE)
    answer = post(app, *[annotation(*it) for it in sent.items()], annotation("a", "b"))
    raw_crash = storage.load_raw_crash(answer.crash_id)
    assert raw_crash["version"] == 2
    assert raw_crash["metadata"]["collector_notes"] == [
        "ignored the uuid of the client, which had no valid token",
        "Removed Email from raw crash.",
    ]
    annotations, _ = taken(storage, answer)
    assert annotations == {"a": "b"}


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "windows-1252"])
def test_a_large_field_is_decoded_by_its_charset(
    app: CollectorApp, storage: FilesystemStorage, charset: str
) -> None:
    text = "grün" * LARGE
    part = annotation("a", text.encode(charset), f"text/plain; charset={charset}")
    assert taken(storage, post(app, part)) == ({"a": text}, [])


@pytest.mark.parametrize(
    ("tail", "charset"),
    [(b"\xff", None), (b"\xff" + b"y" * LARGE, "utf-8"), (b"\xe2\x82", None), (b"", "rot13")],
)
def test_a_large_field_that_cannot_be_decoded_is_kept_as_far_as_it_can(
    app: CollectorApp, storage: FilesystemStorage, tail: bytes, charset: str | None
) -> None:
    content = ("ö" * LARGE).encode() + tail
    content_type = f"text/plain; charset={charset}" if charset else None
    annotations, notes = taken(storage, post(app, annotation("a", content, content_type)))
    assert annotations == {"a": content.decode("utf-8", "replace")}
    (note,) = notes
    assert "invalid text or charset" in note


@pytest.mark.parametrize("as_json", [False, True])
def test_an_annotation_that_is_too_large_is_left_out_with_a_note(
    settings: Settings, storage: FilesystemStorage, queue: CrashQueue, as_json: bool
) -> None:
    app = create_app(replace(settings, max_annotation_size=LARGE), storage, queue)
    values = {"a": "1" * LARGE, "b": "2" * (LARGE + 1000), "c": "3" * (LARGE - 100)}
    parts = [extra(values)] if as_json else [annotation(*it) for it in values.items()]
    annotations, notes = taken(storage, post(app, *parts))
    del values["b"]
    if as_json:
        # With its quotes.
        del values["a"]
    assert annotations == values
    assert notes == ["extract payload text part exception: body part is too large"]


REFUSED = {
    "no object": (b'["' + b"x" * LARGE + b'"]', "invalid_json_value"),
    "a string": (b'"' + b"x" * LARGE + b'"', "invalid_json_value"),
    "cut off": (b'{"a": "' + b"x" * LARGE, "invalid_json"),
    "no closing brace": (b'{"a": "' + b"x" * LARGE + b'"', "invalid_json"),
    "comma at the end": (b'{"a": "' + b"x" * LARGE + b'",}', "invalid_json"),
    "no comma": (b'{"a": "' + b"x" * LARGE + b'" "b": 1}', "invalid_json"),
    "no colon": (b'{"a" "' + b"x" * LARGE + b'"}', "invalid_json"),
    "no value": (b'{"b": "' + b"x" * LARGE + b'", "a": }', "invalid_json"),
    "no name": (b'{"b": "' + b"x" * LARGE + b'", 1: 1}', "invalid_json"),
    "junk behind": (b'{"a": "' + b"x" * LARGE + b'"} {}', "invalid_json"),
    "bad escape": (b'{"a": "' + b"x" * LARGE + b'\\x"}', "invalid_json"),
    "bad unicode escape": (b'{"a": "' + b"x" * LARGE + b'\\u12g4"}', "invalid_json"),
    "control character": (b'{"a": "' + b"x" * LARGE + b'\n"}', "invalid_json"),
    "not UTF-8": (b'{"a": "' + b"x" * LARGE + b'\xff"}', "invalid_json"),
    "cut off in a character": (b'{"a": "' + b"x" * LARGE + b"\xe2\x82", "invalid_json"),
    "wrong brackets": (b'{"a": [}, "b": ], "c": "' + b"x" * LARGE + b'"}', "invalid_json"),
    "too deep": (b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "invalid_json"),
    "a large broken list": (b'{"a": [' + b'"x" ' * LARGE + b"]}", "invalid_json"),
    "too many values": (b'{"a": [' + b"0," * LARGE + b"0]}", "invalid_json"),
    "digits": (b'{"a": "' + b"x" * LARGE + b'", "b": ' + b"1" * 5000 + b"}", "invalid_json"),
    "spaces": (b" " * LARGE, "invalid_json"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_large_json_that_is_wrong_is_refused(
    app: CollectorApp, storage: FilesystemStorage, body: bytes, reason: str
) -> None:
    answer = post(app, extra(body))
    assert (answer.status, answer.body) == (400, f"Discarded=malformed_{reason}")
    assert list(storage.spool.iterdir()) == []


TOO_LARGE = {
    "fields": [annotation(f"a{index}", "x" * 2**20) for index in range(26)],
    "json": [extra({"a": "x" * (26 * 2**20)})],
    "json parts": [extra({"a": "x" * (9 * 2**20)})] * 3,
    "a list in json": [extra({"a": ["x" * (3 * 2**20)]})],
    "a name in json": [extra({"x" * 17_000: "", "a": "x" * LARGE})],
    "names in json": [extra({"x" * 90 + str(index): "" for index in range(90_000)})],
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_would_take_too_much_is_refused(
    settings: Settings, storage: FilesystemStorage, queue: CrashQueue, name: str
) -> None:
    app = create_app(replace(settings, max_body_size=2**30), storage, queue)
    answer = post(app, *TOO_LARGE[name])
    assert (answer.status, answer.body) == (413, "Discarded=malformed_annotations_too_large")
    assert list(storage.spool.iterdir()) == []


def test_many_annotations_that_are_large_together_are_stored(
    app: CollectorApp, storage: FilesystemStorage
) -> None:
    annotations = {f"{EMOJI}{index}" * 20: f"{index}" * 900 for index in range(2000)}
    parts = [annotation(*it) for it in annotations.items()]
    assert taken(storage, post(app, *parts)) == (annotations, [])
    assert taken(storage, post(app, extra(annotations))) == (annotations, [])


_TEXT = st.text(st.characters(codec=None, exclude_categories=[]), max_size=30)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT
    | _TEXT.map(lambda text: text * 100),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=10,
)


def read_large(body: bytes, size: int, folder: Path) -> bytes:
    """Read JSON as a large part that comes in pieces; return it as it is stored."""
    file = SpoolFile([folder], None)
    spill, memory = Spill(file), Memory()
    # Nothing is small enough for memory.
    while memory.left:
        memory.take(memory.left)
    file.write(b"of another part")
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    reader = JsonReader(Notes(), max_depth=20, max_digits=400)
    try:
        loaded = reader.read_large(pieces, spill, memory)
        spilled = {name: value for name, value in loaded.items() if isinstance(value, Spilled)}
        assert spilled == loaded
        return b"".join(json_pieces(loaded, spilled, spill))
    finally:
        file.close()


@given(
    values=st.dictionaries(_TEXT, _VALUES, max_size=6),
    size=st.integers(4, 500),
    ascii_only=st.booleans(),
    indent=st.none() | st.integers(0, 3),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-32-le"]),
)
def test_large_json_is_read_as_the_standard_library_reads_it(
    tmp_path_factory: pytest.TempPathFactory,
    values: dict[str, Any],
    size: int,
    ascii_only: bool,
    indent: int | None,
    encoding: str,
) -> None:
    text = json.dumps(values, ensure_ascii=ascii_only, indent=indent)
    body = text.encode(encoding, "surrogatepass")
    stored = read_large(body, size, tmp_path_factory.getbasetemp())
    assert stored.isascii()
    # Halves of a pair that lie side by side become one character, whoever decodes them.
    assert json.loads(stored) == json.loads(json.dumps(json.loads(text)))


@given(
    values=st.dictionaries(_TEXT, _VALUES, max_size=3),
    where=st.floats(0, 1),
    junk=st.sampled_from([*'"\\{}[],: \x00\n1eN', "\\u", "é", ""]),
    replaced=st.integers(0, 2),
)
def test_damaged_json_is_refused_if_and_only_if_the_standard_library_refuses_it(
    tmp_path_factory: pytest.TempPathFactory,
    values: dict[str, Any],
    where: float,
    junk: str,
    replaced: int,
) -> None:
    text = json.dumps(values)
    cut = int(where * len(text))
    damaged = text[:cut] + junk + text[cut + replaced :]
    reader = JsonReader(Notes(), max_depth=20, max_digits=400)
    try:
        expected: Any = reader.read(damaged.encode())
    except Refused:
        expected = None
    try:
        found = json.loads(read_large(damaged.encode(), 100, tmp_path_factory.getbasetemp()))
    except Refused:
        found = None
    assert found == expected


def test_a_file_that_does_not_fit_goes_on_in_the_next_folder(tmp_path: Path) -> None:
    free = tmp_path / "free"
    free.mkdir()
    file = SpoolFile([tmp_path / "missing", tmp_path / "gone", free], ".dump")
    file.write(b"abc")
    file.write(b"def")
    path = file.finish()
    assert path.parent == free
    assert path.read_bytes() == b"abcdef"


def test_what_was_written_is_copied_when_a_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.mkdir()
    large.mkdir()
    write = os.pwrite

    def pwrite(descriptor: int, data: Any, position: int) -> int:
        folder = Path(f"/proc/self/fd/{descriptor}").readlink().parent
        if folder == small and position >= 150_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data, position)

    monkeypatch.setattr(os, "pwrite", pwrite)
    file = SpoolFile([small, large], ".dump")
    pieces = [bytes([index]) * 50_000 for index in range(9)]
    for piece in pieces:
        file.write(piece)
    path = file.finish()
    assert path.parent == large
    assert path.read_bytes() == b"".join(pieces)
    assert list(small.iterdir()) == []


def test_without_a_folder_that_takes_it_there_is_no_storage(tmp_path: Path) -> None:
    file = SpoolFile([tmp_path / "a", tmp_path / "b"], ".dump")
    with pytest.raises(StorageUnavailable, match="spool"):
        file.write(b"abc")
    file.remove()
    assert list(tmp_path.iterdir()) == []
