# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What every crash storage promises."""

import multiprocessing
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socorro.crash_id import InvalidCrashId
from socorro.storage import (
    CrashNotFound,
    CrashReport,
    CrashStorage,
    InvalidDumpName,
    StorageUnavailable,
    open_storage,
)
from socorro.storage.encoding import encode_raw_crash
from tests.contract.processes import lines, running, wait_until
from tests.contract.reports import (
    DAY,
    DUMP_NAMES,
    annotations_of,
    check_complete,
    made_report,
    new_id,
    spool,
)

HOSTILE_IDS = [
    "",
    "x",
    "..",
    "../../../../../../tmp/x-261122",
    "0b5e0b5e-0b5e-4b5e-8b5e-0b5e00261122\n",
    "bp-0b5e0b5e-0b5e-4b5e-8b5e-0b5e00261122",
    "0B5E0B5E-0b5e-4b5e-8b5e-0b5e00261122",
    "0b5e0b5e-0b5e-4b5e-8b5e-0b5e00261322",
    "0b5e0b5e-0b5e-4b5e-8b5e-0b5e0026112\x00",
    "\u0660b5e0b5e-0b5e-4b5e-8b5e-0b5e00261122",
]
HOSTILE_NAMES = [
    "..",
    "a/b",
    "a\x00b",
    "x" * 31,
    "raw_crash",
    "dump_names",
    "processed_crash",
    "crash_report",
    "test",
    "ä",
    "a\n",
]

# Any JSON that a raw crash can hold; integers of any size and lone surrogates included.
_TEXT = st.text(st.characters(codec=None, exclude_categories=[]))
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner),
    max_leaves=20,
)


def test_a_report_is_loaded_as_it_was_saved(storage: CrashStorage, tmp_path: Path) -> None:
    crash_id = new_id()
    storage.save_raw_crash(made_report(storage, crash_id))
    check_complete(storage, crash_id, tmp_path)
    assert storage.has_raw_crash(crash_id)
    assert not storage.has_processed_crash(crash_id)


def test_another_process_loads_what_one_saved(
    storage: CrashStorage, storage_url: str, tmp_path: Path
) -> None:
    crash_id = new_id()
    storage.save_raw_crash(made_report(storage, crash_id))
    check_complete(open_storage(storage_url), crash_id, tmp_path)


def test_saving_takes_the_spooled_files_over(storage: CrashStorage) -> None:
    report = made_report(storage, new_id())
    storage.save_raw_crash(report)
    assert not any(path.exists() for path in report.dumps.values())
    assert list(storage.spool.iterdir()) == []


def test_a_dump_from_outside_of_the_spool_is_taken_over_too(
    storage: CrashStorage, tmp_path: Path
) -> None:
    dump = tmp_path / "elsewhere.dmp"
    dump.write_bytes(b"MDMP")
    crash_id = new_id()
    storage.save_raw_crash(CrashReport(crash_id, {}, {"upload_file_minidump": dump}))
    fetched = storage.fetch_dump(crash_id, "upload_file_minidump", tmp_path)
    assert fetched.read_bytes() == b"MDMP"
    assert not dump.exists()


def test_a_report_without_dumps_has_an_empty_list_of_names(storage: CrashStorage) -> None:
    crash_id = new_id()
    storage.save_raw_crash(CrashReport(crash_id, {"a": "b"}))
    assert storage.load_dump_names(crash_id) == []


@given(annotations=st.dictionaries(_TEXT, _JSON))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_annotations_come_back_unchanged(
    storage: CrashStorage, annotations: dict[str, Any]
) -> None:
    crash_id = new_id()
    storage.save_raw_crash(CrashReport(crash_id, annotations))
    assert _same(storage.load_raw_crash(crash_id), annotations)


def _same(left: Any, right: Any) -> bool:
    """Equal, and of the same types: 1, 1.0 and True are equal to Python."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return type(left) is type(right) and left == right


@pytest.mark.parametrize("alias", ["upload_file_minidump", "dump"])
def test_the_main_minidump_is_found_by_both_of_its_names(
    storage: CrashStorage, tmp_path: Path, alias: str
) -> None:
    crash_id = new_id()
    storage.save_raw_crash(CrashReport(crash_id, {}, {alias: spool(storage, b"MDMP")}))
    for name in ("upload_file_minidump", "dump"):
        assert storage.fetch_dump(crash_id, name, tmp_path).read_bytes() == b"MDMP"
    assert storage.load_dump_names(crash_id) == [alias]


def test_two_dumps_that_mean_the_same_object_are_refused(storage: CrashStorage) -> None:
    crash_id = new_id()
    dumps = {name: spool(storage, name.encode()) for name in ("dump", "upload_file_minidump")}
    with pytest.raises(ValueError, match="same object"):
        storage.save_raw_crash(CrashReport(crash_id, {}, dumps))
    assert not storage.has_raw_crash(crash_id)


def test_what_is_not_there_is_not_found(storage: CrashStorage, tmp_path: Path) -> None:
    crash_id = new_id()
    loads: list[Callable[[str], object]] = [
        storage.load_raw_crash,
        storage.load_dump_names,
        storage.load_processed_crash,
        storage.load_telemetry_crash,
        lambda crash_id: storage.fetch_raw_crash(crash_id, tmp_path),
        lambda crash_id: storage.fetch_dump(crash_id, "upload_file_minidump", tmp_path),
    ]
    for load in loads:
        with pytest.raises(CrashNotFound):
            load(crash_id)
    assert not storage.has_raw_crash(crash_id)
    assert not storage.has_processed_crash(crash_id)


def test_a_dump_that_a_report_has_not_is_not_found(storage: CrashStorage, tmp_path: Path) -> None:
    crash_id = new_id()
    storage.save_raw_crash(made_report(storage, crash_id))
    with pytest.raises(CrashNotFound):
        storage.fetch_dump(crash_id, "another", tmp_path)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_dump_name_is_refused(storage: CrashStorage, tmp_path: Path, name: str) -> None:
    crash_id = new_id()
    report = CrashReport(crash_id, {"a": "b"}, {name: spool(storage, b"x")})
    with pytest.raises(InvalidDumpName):
        storage.save_raw_crash(report)
    with pytest.raises(InvalidDumpName):
        storage.fetch_dump(crash_id, name, tmp_path)
    assert not storage.has_raw_crash(crash_id)


@pytest.mark.parametrize("crash_id", HOSTILE_IDS)
def test_a_hostile_crash_id_reaches_nothing(
    storage: CrashStorage, tmp_path: Path, crash_id: str
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: storage.save_raw_crash(CrashReport(crash_id, {})),
        lambda: storage.load_raw_crash(crash_id),
        lambda: storage.fetch_raw_crash(crash_id, tmp_path),
        lambda: storage.load_dump_names(crash_id),
        lambda: storage.fetch_dump(crash_id, "upload_file_minidump", tmp_path),
        lambda: storage.save_processed_crash(crash_id, {}),
        lambda: storage.load_processed_crash(crash_id),
        lambda: storage.save_telemetry_crash(crash_id, {}),
        lambda: storage.load_telemetry_crash(crash_id),
        lambda: storage.has_raw_crash(crash_id),
        lambda: storage.has_processed_crash(crash_id),
        lambda: storage.delete_crash(crash_id),
    ]
    for call in calls:
        with pytest.raises(InvalidCrashId):
            call()


def test_a_save_that_fails_shows_nothing(storage: CrashStorage) -> None:
    crash_id = new_id()
    report = made_report(storage, crash_id)
    report.dumps[DUMP_NAMES[-1]].unlink()
    with pytest.raises(StorageUnavailable):
        storage.save_raw_crash(report)
    assert not storage.has_raw_crash(crash_id)
    assert list(storage.list_raw_crashes(DAY.date())) == []
    with pytest.raises(CrashNotFound):
        storage.load_dump_names(crash_id)


def test_annotations_that_are_not_json_are_refused(storage: CrashStorage) -> None:
    crash_id = new_id()
    with pytest.raises(ValueError, match="JSON"):
        storage.save_raw_crash(CrashReport(crash_id, {"a": float("nan")}))
    assert not storage.has_raw_crash(crash_id)


def test_a_report_of_the_same_id_is_replaced(storage: CrashStorage, tmp_path: Path) -> None:
    crash_id = new_id()
    storage.save_raw_crash(CrashReport(crash_id, {"old": "1"}, {"dump": spool(storage, b"old")}))
    storage.save_raw_crash(made_report(storage, crash_id))
    check_complete(storage, crash_id, tmp_path)
    assert list(storage.list_raw_crashes(DAY.date())) == [crash_id]


def test_a_processed_crash_is_loaded_and_replaced(storage: CrashStorage) -> None:
    crash_id = new_id()
    storage.save_processed_crash(crash_id, {"signature": "one", "only_here": 1})
    storage.save_processed_crash(crash_id, {"signature": "tw\ud800o", "json_dump": {"a": [1.5]}})
    assert storage.load_processed_crash(crash_id) == {
        "signature": "tw\ud800o",
        "json_dump": {"a": [1.5]},
    }
    assert storage.has_processed_crash(crash_id)
    assert not storage.has_raw_crash(crash_id)


def test_the_public_part_of_a_crash_is_loaded_and_replaced(storage: CrashStorage) -> None:
    crash_id = new_id()
    storage.save_telemetry_crash(crash_id, {"crash_id": crash_id, "only_here": 1})
    storage.save_telemetry_crash(crash_id, {"crash_id": crash_id, "json_dump": {"a": [1.5]}})
    expected = {"crash_id": crash_id, "json_dump": {"a": [1.5]}}
    assert storage.load_telemetry_crash(crash_id) == expected
    assert not storage.has_processed_crash(crash_id)
    assert not storage.has_raw_crash(crash_id)


def test_a_reader_sees_one_processed_crash_or_the_other(
    storage: CrashStorage, storage_url: str
) -> None:
    crash_id = new_id()
    storage.save_processed_crash(crash_id, _processed(0))
    writer = multiprocessing.get_context("spawn").Process(
        target=_replace_processed, args=(storage_url, crash_id, 100)
    )
    writer.start()
    seen = []
    while writer.is_alive():
        seen.append(storage.load_processed_crash(crash_id))
    writer.join()
    assert writer.exitcode == 0
    assert all(processed == _processed(processed["number"]) for processed in seen)
    assert storage.load_processed_crash(crash_id) == _processed(100)


def _processed(number: int) -> dict[str, Any]:
    return {"number": number, "frames": [number] * 20_000}


def _replace_processed(url: str, crash_id: str, count: int) -> None:
    storage = open_storage(url)
    for number in range(1, count + 1):
        storage.save_processed_crash(crash_id, _processed(number))


def test_the_reports_of_a_day_are_listed_in_order(storage: CrashStorage) -> None:
    today = sorted(new_id() for _ in range(40))
    yesterday = new_id(DAY - timedelta(days=1))
    for crash_id in [*today, yesterday]:
        storage.save_raw_crash(CrashReport(crash_id, {}))
    storage.save_processed_crash(new_id(), {})
    assert list(storage.list_raw_crashes(DAY.date())) == today
    assert list(storage.list_raw_crashes((DAY - timedelta(days=1)).date())) == [yesterday]
    assert list(storage.list_raw_crashes((DAY + timedelta(days=1)).date())) == []


def test_the_annotations_are_fetched_byte_for_byte_as_a_file(
    storage: CrashStorage, tmp_path: Path
) -> None:
    crash_id = new_id()
    storage.save_raw_crash(CrashReport(crash_id, {"b": "\u00e4\ud800", "a": 10**40, "c": 1e5}))
    path = storage.fetch_raw_crash(crash_id, tmp_path)
    expected = rb'{"a": 1' + b"0" * 40 + rb', "b": "\u00e4\ud800", "c": 100000.0}'
    assert path.read_bytes() == expected


def test_a_save_that_fails_leaves_the_spooled_files_to_another_storage(
    storage: CrashStorage, tmp_path: Path
) -> None:
    crash_id = new_id()
    report = made_report(storage, crash_id)
    lost = report.dumps[DUMP_NAMES[-1]]
    content = lost.read_bytes()
    lost.unlink()
    with pytest.raises(StorageUnavailable):
        storage.save_raw_crash(report)
    lost.write_bytes(content)
    other = open_storage(f"fs://{tmp_path}/another")
    other.save_raw_crash(report)
    check_complete(other, crash_id, tmp_path)
    assert not any(path.exists() for path in report.dumps.values())


def annotations_as_file(storage: CrashStorage, crash_id: str) -> CrashReport:
    """Return a made report whose annotations are a spooled file."""
    report = made_report(storage, crash_id)
    return replace(report, annotations=spool(storage, encode_raw_crash(annotations_of(crash_id))))


def test_annotations_may_come_as_a_file(storage: CrashStorage, tmp_path: Path) -> None:
    crash_id = new_id()
    report = annotations_as_file(storage, crash_id)
    storage.save_raw_crash(report)
    check_complete(storage, crash_id, tmp_path)
    assert list(storage.spool.iterdir()) == []


def test_a_large_file_of_annotations_is_stored_byte_for_byte(
    storage: CrashStorage, tmp_path: Path
) -> None:
    crash_id = new_id()
    content = b'{"a": "' + b"\\u00e4" * 2_000_000 + b'"}'
    storage.save_raw_crash(CrashReport(crash_id, spool(storage, content)))
    assert storage.fetch_raw_crash(crash_id, tmp_path).read_bytes() == content
    assert storage.load_raw_crash(crash_id) == {"a": "\u00e4" * 2_000_000}


def test_files_may_lie_in_the_spool_of_another_storage(
    storage: CrashStorage, tmp_path: Path
) -> None:
    crash_id = new_id()
    other = open_storage(f"fs://{tmp_path}/another")
    storage.save_raw_crash(annotations_as_file(other, crash_id))
    check_complete(storage, crash_id, tmp_path)
    assert list(other.spool.iterdir()) == []
    assert list(storage.spool.iterdir()) == []


def test_a_save_that_fails_leaves_annotations_in_a_file_to_another_storage(
    storage: CrashStorage, tmp_path: Path
) -> None:
    crash_id = new_id()
    report = annotations_as_file(storage, crash_id)
    missing = report.dumps[DUMP_NAMES[-1]]
    content = missing.read_bytes()
    missing.unlink()
    with pytest.raises(StorageUnavailable):
        storage.save_raw_crash(report)
    assert not storage.has_raw_crash(crash_id)
    missing.write_bytes(content)
    other = open_storage(f"fs://{tmp_path}/another")
    other.save_raw_crash(report)
    check_complete(other, crash_id, tmp_path)


def test_the_days_of_reports_are_listed_in_order(storage: CrashStorage) -> None:
    assert storage.list_days() == []
    for days in (400, 0, 1):
        storage.save_raw_crash(CrashReport(new_id(DAY - timedelta(days=days)), {}))
    storage.save_processed_crash(new_id(DAY - timedelta(days=2)), {})
    assert storage.list_days() == [(DAY - timedelta(days=days)).date() for days in (400, 1, 0)]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_prefix_narrows_the_list(storage: CrashStorage, length: int) -> None:
    ids = sorted(new_id() for _ in range(40))
    for crash_id in ids:
        storage.save_raw_crash(CrashReport(crash_id, {}))
    prefix = ids[7][:length]
    assert list(storage.list_raw_crashes(DAY.date(), prefix)) == [
        crash_id for crash_id in ids if crash_id.startswith(prefix)
    ]


@pytest.mark.parametrize("prefix", ["0b5e", "G", "..", "../", "A", "*", "0\n"])
def test_another_prefix_is_refused(storage: CrashStorage, prefix: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        list(storage.list_raw_crashes(DAY.date(), prefix))


def test_a_deleted_crash_is_gone_altogether(storage: CrashStorage, tmp_path: Path) -> None:
    gone, kept = new_id(), new_id()
    for crash_id in (gone, kept):
        storage.save_raw_crash(made_report(storage, crash_id))
        storage.save_processed_crash(crash_id, {"uuid": crash_id})
        storage.save_telemetry_crash(crash_id, {"crash_id": crash_id})
    storage.delete_crash(gone)
    assert not storage.has_raw_crash(gone)
    assert not storage.has_processed_crash(gone)
    assert list(storage.list_raw_crashes(DAY.date())) == [kept]
    for name in DUMP_NAMES:
        with pytest.raises(CrashNotFound):
            storage.fetch_dump(gone, name, tmp_path)
    for load in (storage.load_dump_names, storage.load_telemetry_crash):
        with pytest.raises(CrashNotFound):
            load(gone)
    check_complete(storage, kept, tmp_path)
    assert storage.load_telemetry_crash(kept) == {"crash_id": kept}


def test_deleting_nothing_does_nothing(storage: CrashStorage) -> None:
    storage.delete_crash(new_id())


def test_a_storage_that_works_passes_its_check_and_keeps_nothing_of_it(
    storage: CrashStorage,
) -> None:
    storage.verify()
    storage.verify()
    assert list(storage.list_raw_crashes(DAY.date())) == []
    assert list(storage.spool.iterdir()) == []


def test_a_dead_storage_says_so(dead_storage: CrashStorage, tmp_path: Path) -> None:
    crash_id = new_id()
    calls: list[Callable[[], object]] = [
        lambda: dead_storage.save_raw_crash(CrashReport(crash_id, {})),
        lambda: dead_storage.save_processed_crash(crash_id, {}),
        lambda: dead_storage.save_telemetry_crash(crash_id, {}),
        lambda: dead_storage.load_raw_crash(crash_id),
        lambda: dead_storage.fetch_raw_crash(crash_id, tmp_path),
        lambda: dead_storage.load_dump_names(crash_id),
        lambda: dead_storage.load_processed_crash(crash_id),
        lambda: dead_storage.load_telemetry_crash(crash_id),
        lambda: dead_storage.delete_crash(crash_id),
        dead_storage.verify,
    ]
    for call in calls:
        with pytest.raises(StorageUnavailable) as raised:
            call()
        text = str(raised.value)
        assert "\n" not in text
        assert not text.endswith(".")


def test_many_processes_save_at_once(
    storage: CrashStorage, storage_url: str, tmp_path: Path
) -> None:
    outputs = [tmp_path / f"saved-{number}" for number in range(4)]
    children = [running(output, "tests.contract.save_forever", storage_url) for output in outputs]
    for child in children:
        child.__enter__()
    try:
        wait_until(lambda: all(len(lines(path)) >= 20 for path in outputs), "20 reports each")
    finally:
        for child in children:
            child.__exit__(None, None, None)
    for crash_id in [crash_id for path in outputs for crash_id in lines(path)]:
        check_complete(storage, crash_id, tmp_path)


def test_killing_a_saving_process_loses_nothing_and_leaves_nothing_half(
    storage: CrashStorage, storage_url: str, tmp_path: Path, soaking: bool
) -> None:
    chance = random.Random(secrets.randbits(32))
    acknowledged: set[str] = set()
    for number in range(100 if soaking else 8):
        output = tmp_path / f"saved-{number}"
        with running(output, "tests.contract.save_forever", storage_url):
            wait_until(lambda output=output: bool(lines(output)), "a first report")
            time.sleep(chance.uniform(0, 0.03))
        acknowledged.update(lines(output))
    visible = set(storage.list_raw_crashes(DAY.date()))
    assert acknowledged <= visible
    for crash_id in visible:
        check_complete(storage, crash_id, tmp_path)


def test_a_report_is_not_seen_while_it_is_replaced(exact_storage: CrashStorage) -> None:
    crash_id = new_id()
    exact_storage.save_raw_crash(CrashReport(crash_id, annotations_of(crash_id)))
    report = made_report(exact_storage, crash_id)
    report.dumps[DUMP_NAMES[0]].unlink()
    with pytest.raises(StorageUnavailable):
        exact_storage.save_raw_crash(report)
    assert not exact_storage.has_raw_crash(crash_id)


def test_what_a_storage_needs_is_made_once_and_then_left_alone(
    storage: CrashStorage, tmp_path: Path
) -> None:
    storage.provision()
    crash_id = new_id()
    storage.save_raw_crash(made_report(storage, crash_id))
    storage.provision()
    check_complete(storage, crash_id, tmp_path)


def test_a_storage_says_in_one_line_which_engine_it_is(
    storage: CrashStorage, storage_url: str
) -> None:
    assert storage.engine
    assert "\n" not in storage.engine
    place = storage_url.partition("://")[2].partition("?")[0]
    assert place in storage.engine
