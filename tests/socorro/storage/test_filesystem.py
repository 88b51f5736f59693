# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash storage in a folder: its layout, its faults, its leftovers."""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from socorro.storage import (
    CrashNotFound,
    CrashReport,
    FilesystemStorage,
    StorageError,
    StorageUnavailable,
    filesystem,
    open_storage,
)
from socorro.storage.encoding import encode_raw_crash
from tests.contract.reports import (
    DAY,
    annotations_of,
    check_complete,
    dump_of,
    made_report,
    spool,
)

CRASH_ID = "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20261122"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "crashes"


@pytest.fixture
def storage(root: Path) -> FilesystemStorage:
    return FilesystemStorage(root)


def files_below(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_files_have_the_names_of_s3_with_day_and_digits_between(
    storage: FilesystemStorage, root: Path
) -> None:
    dumps = {"upload_file_minidump": spool(storage, b"1"), "memory_report": spool(storage, b"2")}
    storage.save_raw_crash(CrashReport(CRASH_ID, {"b": "ä", "a": "1"}, dumps))
    storage.save_processed_crash(CRASH_ID, {"signature": "x"})
    fan = f"20261122/0b5/{CRASH_ID}"
    assert files_below(root) == [
        f"v1/dump/{fan}",
        f"v1/dump_names/{fan}",
        f"v1/memory_report/{fan}",
        f"v1/processed_crash/{fan}",
        f"v1/raw_crash/{fan}",
    ]
    assert (root / f"v1/raw_crash/{fan}").read_bytes() == '{"a":"1","b":"ä"}'.encode()
    assert (root / f"v1/dump_names/{fan}").read_bytes() == (
        b'["memory_report", "upload_file_minidump"]'
    )


class Faults:
    """Lets the n-th of the calls that make a file durable fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail_at: int, error: int) -> None:
        self.calls = 0
        self._fail_at = fail_at
        self._error = error
        for name in ("open", "fsync", "replace", "mkdir", "close"):
            monkeypatch.setattr(os, name, self._wrapped(getattr(os, name)))

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            self.calls += 1
            if self.calls == self._fail_at:
                # The call took effect, and then the disk reported an error: the worse case.
                if function.__name__ == "open":
                    os.close(result)
                raise OSError(self._error, os.strerror(self._error))
            return result

        return wrapper


@pytest.mark.parametrize(("error", "as_file"), [(errno.EIO, False), (errno.ENOSPC, True)])
def test_a_fault_at_any_step_of_a_save_leaves_nothing_to_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, as_file: bool
) -> None:
    survived = 0
    for fail_at in range(1, 200):
        storage = FilesystemStorage(tmp_path / str(fail_at))
        report = made_report(storage, CRASH_ID)
        annotations = encode_raw_crash(annotations_of(CRASH_ID))
        if as_file:
            report = replace(report, annotations=spool(storage, annotations))
        with monkeypatch.context() as patch:
            faults = Faults(patch, fail_at, error)
            try:
                storage.save_raw_crash(report)
            except StorageUnavailable:
                saved = False
            else:
                saved = True
        seen = list(storage.list_raw_crashes(DAY.date()))
        assert seen == ([CRASH_ID] if saved else [])
        if not saved:
            # What is left in the spool belongs to whoever spooled it.
            left = [name for name in files_below(tmp_path / str(fail_at)) if "spool" not in name]
            assert left == []
            # All dumps are where they were, for another storage to take.
            for name, path in report.dumps.items():
                assert path.read_bytes() == dump_of(CRASH_ID, name)
            if isinstance(report.annotations, Path):
                assert report.annotations.read_bytes() == annotations
        elif faults.calls < fail_at:
            check_complete(storage, CRASH_ID, tmp_path)
            survived = fail_at
            break
    assert survived > 20


def test_an_old_file_in_the_spool_is_swept_and_a_young_one_kept(
    storage: FilesystemStorage,
) -> None:
    old, young = spool(storage, b"old"), spool(storage, b"young")
    two_days_ago = time.time() - 2 * 86400
    os.utime(old, (two_days_ago, two_days_ago))
    storage.verify()
    assert not old.exists()
    assert young.exists()


def test_files_that_are_no_crashes_are_not_listed(storage: FilesystemStorage, root: Path) -> None:
    storage.save_raw_crash(CrashReport(CRASH_ID, {}))
    folder = root / "v1/raw_crash/20261122"
    (folder / "0b5" / ".hidden").write_text("x")
    (folder / "0b5" / f"{CRASH_ID}.tmp").write_text("x")
    (folder / "a file").write_text("x")
    assert list(storage.list_raw_crashes(DAY.date())) == [CRASH_ID]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"null", b"[" * 100_000])
def test_a_damaged_file_is_an_error_that_names_it_and_does_not_quote_it(
    storage: FilesystemStorage, root: Path, content: bytes
) -> None:
    storage.save_raw_crash(CrashReport(CRASH_ID, {}))
    storage.save_processed_crash(CRASH_ID, {})
    for kind in ("raw_crash", "processed_crash"):
        (root / "v1" / kind / "20261122/0b5" / CRASH_ID).write_bytes(content)
    for load in (storage.load_raw_crash, storage.load_processed_crash):
        with pytest.raises(StorageError, match=f"^{CRASH_ID}: (raw|processed) crash is not"):
            load(CRASH_ID)


def test_damaged_dump_names_are_an_error(storage: FilesystemStorage, root: Path) -> None:
    storage.save_raw_crash(CrashReport(CRASH_ID, {}))
    (root / "v1/dump_names/20261122/0b5" / CRASH_ID).write_bytes(b"[1]")
    with pytest.raises(StorageError, match="dump names"):
        storage.load_dump_names(CRASH_ID)


def test_a_folder_that_somebody_removed_is_made_again(
    storage: FilesystemStorage, root: Path
) -> None:
    storage.save_raw_crash(CrashReport(CRASH_ID, {}))
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    storage.save_raw_crash(CrashReport(CRASH_ID, {"again": "1"}))
    assert storage.load_raw_crash(CRASH_ID) == {"again": "1"}


def test_a_dump_outside_of_the_spool_stays_when_it_could_not_be_stored(
    storage: FilesystemStorage, root: Path, tmp_path: Path
) -> None:
    dump = tmp_path / "some.dmp"
    dump.write_bytes(b"MDMP")
    (root / "v1").mkdir(parents=True)
    (root / "v1/dump").write_text("a file where a folder should be")
    with pytest.raises(StorageUnavailable):
        storage.save_raw_crash(CrashReport(CRASH_ID, {}, {"dump": dump}))
    assert dump.read_bytes() == b"MDMP"
    assert list(storage.spool.iterdir()) == []


def test_numbers_that_are_none_are_null_in_a_processed_crash(storage: FilesystemStorage) -> None:
    storage.save_processed_crash(CRASH_ID, {"a": float("nan"), "b": float("inf")})
    assert storage.load_processed_crash(CRASH_ID) == {"a": None, "b": None}


def test_opening_a_storage_makes_nothing(root: Path) -> None:
    storage = open_storage(f"fs://{root}")
    with pytest.raises(CrashNotFound):
        storage.load_raw_crash(CRASH_ID)
    assert not root.exists()


@pytest.mark.parametrize("url", ["", "fs://", "nfs://x", "/tmp/x", "s3:/x"])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be fs://"):
        open_storage(url)


def test_a_save_that_takes_too_long_is_given_up_and_gives_the_dumps_back(
    storage: FilesystemStorage, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = made_report(storage, CRASH_ID)
    with monkeypatch.context() as patch:
        patch.setattr(filesystem, "SAVE_SECONDS", -1)
        with pytest.raises(StorageUnavailable, match="was not stored within"):
            storage.save_raw_crash(report)
    assert not any((root / "v1").rglob(CRASH_ID))
    storage.save_raw_crash(report)
    check_complete(storage, CRASH_ID, root)
