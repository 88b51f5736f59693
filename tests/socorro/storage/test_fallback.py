# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Reports go to the main storage, or else to the fallback, or else nowhere."""

import threading
from functools import partial
from pathlib import Path

import pytest
from markus.testing import MetricsMock

from socorro import breaker as breaker_module
from socorro.storage import CrashReport, FilesystemStorage, S3Storage, StorageUnavailable
from socorro.storage import fallback as fallback_module
from socorro.storage.fallback import StorageWithFallback, same_place
from tests.contract.processes import wait_until
from tests.contract.reports import DUMP_NAMES, check_complete, dump_of, made_report, new_id, spool


class Switched(FilesystemStorage):
    """A storage that can be switched off; counts how often it is asked to save."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.down = False
        self.tries = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def save_raw_crash(self, report: CrashReport) -> None:
        self.tries += 1
        self._check()
        super().save_raw_crash(report)

    def has_raw_crash(self, crash_id: str) -> bool:
        self._check()
        return super().has_raw_crash(crash_id)

    def verify(self) -> None:
        self._check()
        super().verify()

    def _check(self) -> None:
        assert self.may_answer.wait(60)
        if self.down:
            raise StorageUnavailable(f"{self.root.name} is switched off")


@pytest.fixture(autouse=True)
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker_module, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(breaker_module, "LONGEST_DELAY", 0.02)


@pytest.fixture
def main(tmp_path: Path) -> Switched:
    return Switched(tmp_path / "main")


@pytest.fixture
def fallback(tmp_path: Path) -> Switched:
    return Switched(tmp_path / "fallback")


@pytest.fixture
def store(main: Switched, fallback: Switched) -> StorageWithFallback:
    return StorageWithFallback(main, fallback)


def save(store: StorageWithFallback, spooled_for: FilesystemStorage) -> tuple[str, bool]:
    crash_id = new_id()
    return crash_id, store.save(made_report(spooled_for, crash_id), may_exist=False)


def test_a_report_goes_to_the_main_storage_alone(
    store: StorageWithFallback, main: Switched, fallback: Switched, tmp_path: Path
) -> None:
    crash_id, in_main = save(store, main)
    assert in_main
    check_complete(main, crash_id, tmp_path)
    assert fallback.list_days() == []


def test_the_fallback_takes_what_the_main_storage_does_not(
    store: StorageWithFallback, main: Switched, fallback: Switched, tmp_path: Path
) -> None:
    main.down = True
    with MetricsMock() as metrics:
        crash_id, in_main = save(store, main)
    assert not in_main
    check_complete(fallback, crash_id, tmp_path)
    assert list(main.spool.iterdir()) == []
    metrics.assert_incr(
        "socorro.collector.crashmover.retry_count", tags=["count:save_crash_exception.count"]
    )


def test_a_save_that_fails_half_way_goes_to_the_fallback_with_all_its_dumps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, fallback = FilesystemStorage(tmp_path / "main"), FilesystemStorage(tmp_path / "fallback")
    store = StorageWithFallback(main, fallback)
    crash_id = new_id()
    report = made_report(main, crash_id)
    # A file in the way of the raw crash's folder: dumps and names are stored by then.
    (tmp_path / "main/v1").mkdir()
    (tmp_path / "main/v1/raw_crash").write_text("")
    assert not store.save(report, may_exist=False)
    check_complete(fallback, crash_id, tmp_path)
    assert [path.name for path in (tmp_path / "main/v1").rglob(crash_id)] == []


def test_while_the_main_storage_is_down_it_is_not_asked(
    store: StorageWithFallback, main: Switched, fallback: Switched
) -> None:
    main.down = True
    for _ in range(10):
        assert not save(store, fallback)[1]
    assert main.tries < 10
    assert store.spools == [fallback.spool]
    tries = main.tries
    main.down = False
    wait_until(lambda: save(store, main)[1], "reports go to the main storage again")
    assert main.tries == tries + 1
    assert store.spools == [main.spool, fallback.spool]


def test_a_failing_fallback_is_no_reason_not_to_try_the_main_storage_again(
    store: StorageWithFallback, main: Switched, fallback: Switched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker_module, "FIRST_DELAY", 3600)
    main.down = fallback.down = True
    with pytest.raises(StorageUnavailable):
        save(store, main)
    main.down = False
    assert save(store, main)[1]


def test_when_both_are_down_everybody_is_told_at_once(
    store: StorageWithFallback, main: Switched, fallback: Switched
) -> None:
    store.check()
    main.down = fallback.down = True
    with pytest.raises(StorageUnavailable, match="switched off"):
        save(store, main)
    wait_until(lambda: _is_refused(store), "refused unread")
    fallback.down = False
    wait_until(lambda: not _is_refused(store), "taken again")
    assert not save(store, fallback)[1]


def _is_refused(store: StorageWithFallback) -> bool:
    try:
        store.check()
    except StorageUnavailable:
        return True
    return False


def test_one_report_that_is_refused_does_not_shut_the_door(tmp_path: Path, main: Switched) -> None:
    store = StorageWithFallback(main)
    crash_id = new_id()
    report = made_report(main, crash_id)
    report.dumps[DUMP_NAMES[0]].unlink()
    with pytest.raises(StorageUnavailable):
        store.save(report, may_exist=False)
    store.check()
    assert save(store, main)[1]


def test_a_report_that_is_kept_anywhere_is_not_stored_again(
    store: StorageWithFallback, main: Switched, fallback: Switched, tmp_path: Path
) -> None:
    crash_id = new_id()
    fallback.save_raw_crash(made_report(fallback, crash_id))
    again = CrashReport(crash_id, {"other": "1"}, {"dump": spool(main, b"other")})
    assert not store.save(again, may_exist=True)
    assert not main.has_raw_crash(crash_id)
    check_complete(fallback, crash_id, tmp_path)


def test_a_report_of_the_main_storage_is_known_to_be_there(
    store: StorageWithFallback, main: Switched, tmp_path: Path
) -> None:
    crash_id = new_id()
    main.save_raw_crash(made_report(main, crash_id))
    assert store.save(CrashReport(crash_id, {}), may_exist=True)
    check_complete(main, crash_id, tmp_path)


def test_a_chosen_id_is_stored_in_the_fallback_when_the_main_storage_cannot_be_asked(
    store: StorageWithFallback, main: Switched, fallback: Switched, tmp_path: Path
) -> None:
    main.down = True
    crash_id = new_id()
    assert not store.save(made_report(main, crash_id), may_exist=True)
    check_complete(fallback, crash_id, tmp_path)


def test_a_chosen_id_never_replaces_a_report_in_a_storage_that_came_back(
    store: StorageWithFallback, main: Switched, fallback: Switched, tmp_path: Path
) -> None:
    crash_id = new_id()
    main.save_raw_crash(made_report(main, crash_id))
    main.down = fallback.down = True
    with pytest.raises(StorageUnavailable):
        store.save(CrashReport(crash_id, {}), may_exist=True)
    main.down = False
    assert store.save(CrashReport(crash_id, {}), may_exist=True)
    check_complete(main, crash_id, tmp_path)


def test_a_spool_of_a_storage_that_is_down_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    fallback = FilesystemStorage(tmp_path / "fallback")
    store = StorageWithFallback(FilesystemStorage(tmp_path / "file/main"), fallback)
    assert store.spools == [fallback.spool]
    with pytest.raises(StorageUnavailable):
        _ = StorageWithFallback(FilesystemStorage(tmp_path / "file/main")).spools


def test_many_threads_save_through_an_outage_and_every_report_is_somewhere(
    store: StorageWithFallback, main: Switched, fallback: Switched, tmp_path: Path
) -> None:
    saved: list[tuple[str, bool]] = []
    enough = threading.Event()

    def work() -> None:
        while not enough.is_set():
            saved.append(save(store, fallback))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for in_main in (True, False, True):
        main.down = not in_main
        places = partial(_places, saved, len(saved))
        wait_until(lambda: in_main in places(), f"some are stored, in main: {in_main}")  # noqa: B023
    enough.set()
    for thread in threads:
        thread.join()
    for crash_id, in_main in saved:
        check_complete(main if in_main else fallback, crash_id, tmp_path)


def _places(saved: list[tuple[str, bool]], start: int) -> set[bool]:
    return {in_main for _, in_main in saved[start:]}


def test_reports_go_to_the_fallback_while_the_main_storage_hangs(
    store: StorageWithFallback, main: Switched, fallback: Switched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback_module, "HANG_SECONDS", 0.05)
    main.may_answer.clear()
    stuck = threading.Thread(target=save, args=(store, main))
    stuck.start()
    wait_until(lambda: store.spools == [fallback.spool], "the main storage is given up")
    assert not save(store, fallback)[1]
    main.may_answer.set()
    stuck.join()
    wait_until(lambda: save(store, main)[1], "reports go to the main storage again")


def test_one_place_is_recognized_by_whatever_way(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    one = FilesystemStorage(tmp_path / "one")
    assert same_place(one, FilesystemStorage(tmp_path / "two/../one/"))
    assert same_place(one, FilesystemStorage(tmp_path / "link"))
    assert not same_place(one, FilesystemStorage(tmp_path / "two"))
    assert same_place(S3Storage("s3://crashes"), S3Storage("s3://crashes?spool=/tmp/x"))
    assert not same_place(S3Storage("s3://crashes"), S3Storage("s3://crashes-fallback"))
    assert not same_place(one, S3Storage("s3://crashes"))
    with pytest.raises(ValueError, match="another place"):
        StorageWithFallback(one, FilesystemStorage(tmp_path / "link"))


def test_a_dump_keeps_its_content_on_its_way_through_both(
    store: StorageWithFallback, main: Switched, fallback: Switched, tmp_path: Path
) -> None:
    main.down = True
    crash_id, _ = save(store, main)
    for name in DUMP_NAMES:
        stored = fallback.fetch_dump(crash_id, name, tmp_path)
        assert stored.read_bytes() == dump_of(crash_id, name)
