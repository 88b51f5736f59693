# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Dumps and other files of a report: what they are called and where they end up."""

from pathlib import Path

import pytest

from collector.app import CollectorApp
from socorro.storage import FilesystemStorage
from tests.collector.made_requests import Answer, Part, annotation, dump, post

MAIN = "upload_file_minidump"


def contents(storage: FilesystemStorage, answer: Answer, folder: Path) -> dict[str, bytes]:
    """The content of each dump by its stored name; the raw crash must name the same ones."""
    crash_id = answer.crash_id
    names = storage.load_dump_names(crash_id)
    assert sorted(storage.load_raw_crash(crash_id)["metadata"]["dump_checksums"]) == names
    return {name: storage.fetch_dump(crash_id, name, folder).read_bytes() for name in names}


def notes(storage: FilesystemStorage, answer: Answer) -> list[str]:
    found: list[str] = storage.load_raw_crash(answer.crash_id)["metadata"]["collector_notes"]
    return found


def test_names_keep_letters_digits_and_underscores(
    app: CollectorApp, storage: FilesystemStorage, tmp_path: Path
) -> None:
    answer = post(
        app,
        annotation("a", "b"),
        dump("../../etc/pass-wd", b"1"),
        dump("att.txt", b"2"),
        dump("x" * 100, b"3"),
    )
    assert contents(storage, answer, tmp_path) == {
        "etcpasswd": b"1",
        "atttxt": b"2",
        "x" * 30: b"3",
    }


def test_dumps_whose_names_collide_are_all_kept(
    app: CollectorApp, storage: FilesystemStorage, tmp_path: Path
) -> None:
    answer = post(
        app,
        annotation("a", "b"),
        dump("a.b", b"1"),
        dump("ab", b"2"),
        dump("ab", b"3"),
        dump("y" * 30 + "1", b"4"),
        dump("y" * 30 + "2", b"5"),
    )
    assert contents(storage, answer, tmp_path) == {
        "ab": b"2",
        "ab_2": b"3",
        "ab_3": b"1",
        "y" * 30: b"4",
        "y" * 28 + "_2": b"5",
    }
    assert notes(storage, answer) == [
        "a second dump with the name ab was kept as ab_2",
        "a second dump with the name ab was kept as ab_3",
        f"a second dump with the name {'y' * 30} was kept as {'y' * 28}_2",
    ]


@pytest.mark.parametrize("main_first", [True, False])
def test_nothing_takes_the_place_of_the_main_minidump(
    app: CollectorApp, storage: FilesystemStorage, tmp_path: Path, main_first: bool
) -> None:
    others = [dump("dump", b"1"), dump("upload_file.minidump", b"2"), dump(f"{MAIN}!", b"3")]
    parts = [dump(MAIN, b"main"), *others] if main_first else [*others, dump(MAIN, b"main")]
    answer = post(app, annotation("a", "b"), *parts)
    assert contents(storage, answer, tmp_path) == {
        MAIN: b"main",
        "dump_2": b"1",
        "upload_fileminidump": b"2",
        f"{MAIN}_2": b"3",
    }


def test_a_main_minidump_sent_twice_is_kept_twice(
    app: CollectorApp, storage: FilesystemStorage, tmp_path: Path
) -> None:
    answer = post(app, annotation("a", "b"), dump(MAIN, b"1"), dump(MAIN, b"2"))
    assert contents(storage, answer, tmp_path) == {MAIN: b"1", f"{MAIN}_2": b"2"}


@pytest.mark.parametrize("name", ["", "...", "миндамп"])
def test_a_file_without_a_usable_name_is_kept(
    app: CollectorApp, storage: FilesystemStorage, tmp_path: Path, name: str
) -> None:
    answer = post(app, annotation("a", "b"), dump(name, b"1"), dump(MAIN, b"2"))
    assert contents(storage, answer, tmp_path) == {"unnamed": b"1", MAIN: b"2"}


@pytest.mark.parametrize(
    "name", ["raw_crash", "dump_names", "processed_crash", "crash_report", "test", "raw-_crash/"]
)
def test_names_that_storage_keeps_for_itself_are_refused(
    app: CollectorApp, storage: FilesystemStorage, name: str
) -> None:
    answer = post(app, annotation("a", "b"), dump(MAIN, b"1"), dump(name, b"2"))
    assert (answer.status, answer.body) == (400, "Discarded=malformed_invalid_dump_name")
    assert list(storage.spool.iterdir()) == []


@pytest.mark.parametrize(
    ("headers", "note"),
    [
        ([b'Content-Disposition: form-data; name="f"; filename="x"'], None),
        ([b"Content-Disposition: form-data; name=\"f\"; filename*=UTF-8''x"], None),
        ([b'Content-Disposition: form-data; name="f"; filename="C:\\d\\x.dmp"'], None),
        ([b'Content-Disposition: form-data; name="f"; filename="\xff"'], None),
        (
            [
                b'Content-Disposition: form-data; name="f"',
                b"Content-Type: application/octet-stream",
            ],
            None,
        ),
        ([b'Content-Disposition: form-data; name="f"', b"content-type:application/gzip"], None),
        (
            [
                b'Content-Disposition: form-data; name="f"; filename="x"',
                b"Content-Type: text/plain",
            ],
            "unknown content type: f text/plain",
        ),
        (
            [b'Content-Disposition: form-data; name="f"', b"Content-Type: text/html; charset=x"],
            "unknown content type: f text/html",
        ),
        (
            [b'Content-Disposition: form-data; name="f"', b"Content-Type: \xff\xfe"],
            "unknown content type: f ÿþ",
        ),
    ],
)
def test_what_is_neither_text_nor_json_is_a_file(
    app: CollectorApp,
    storage: FilesystemStorage,
    tmp_path: Path,
    headers: list[bytes],
    note: str | None,
) -> None:
    answer = post(app, annotation("a", "b"), Part(headers, b"content"))
    assert contents(storage, answer, tmp_path) == {"f": b"content"}
    assert notes(storage, answer) == ([note] if note else [])


def test_an_empty_file_is_kept(
    app: CollectorApp, storage: FilesystemStorage, tmp_path: Path
) -> None:
    answer = post(app, annotation("a", "b"), dump(MAIN, b""))
    assert contents(storage, answer, tmp_path) == {MAIN: b""}
