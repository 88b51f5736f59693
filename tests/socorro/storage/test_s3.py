# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash storage in S3: its keys, its requests, its patience."""

import multiprocessing
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from socorro.storage import (
    CrashNotFound,
    CrashReport,
    CrashStorage,
    S3Storage,
    StorageError,
    StorageUnavailable,
    bucket,
    open_storage,
    s3,
)
from tests.contract.processes import wait_until
from tests.contract.reports import DAY, check_complete, made_report, new_id, spool
from tests.servers import CountingProxy, S3Server

CRASH_ID = "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20261122"
BIG = {"frames": ["main"] * 50_000}
SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>"


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[CountingProxy]:
    with CountingProxy(s3_server.endpoint) as proxy:
        yield proxy


@pytest.fixture
def bucket_name(s3_server: S3Server) -> str:
    name = f"crashes-{new_id()}"
    s3_server.create_bucket(name)
    return name


@pytest.fixture
def storage(proxy: CountingProxy, bucket_name: str, tmp_path: Path) -> Iterator[S3Storage]:
    storage = S3Storage(
        f"s3://{bucket_name}?endpoint={proxy.endpoint}&region=us-east-1&spool={tmp_path}/spool"
    )
    yield storage
    storage.close()


def sent(proxy: CountingProxy) -> list[tuple[str, str]]:
    """Return method and key of each request; the key is empty if it is for the bucket."""
    return [
        (request.method, request.path.removeprefix("/").partition("/")[2])
        for request in proxy.requests
    ]


def objects(server: S3Server, name: str) -> dict[str, bytes]:
    client = server.client()
    listed = client.list_objects_v2(Bucket=name).get("Contents", [])
    return {
        entry["Key"]: client.get_object(Bucket=name, Key=entry["Key"])["Body"].read()
        for entry in listed
    }


def test_objects_have_the_keys_and_bodies_that_other_tools_know(
    storage: S3Storage, s3_server: S3Server, bucket_name: str
) -> None:
    dumps = {"upload_file_minidump": spool(storage, b"1"), "memory_report": spool(storage, b"2")}
    storage.save_raw_crash(CrashReport(CRASH_ID, {"b": "ä", "a": "1"}, dumps))
    storage.save_processed_crash(CRASH_ID, {"signature": "x"})
    storage.save_telemetry_crash(CRASH_ID, {"crash_id": CRASH_ID})
    assert objects(s3_server, bucket_name) == {
        f"v1/raw_crash/20261122/{CRASH_ID}": '{"a":"1","b":"ä"}'.encode(),
        f"v1/dump_names/{CRASH_ID}": b'["memory_report", "upload_file_minidump"]',
        f"v1/dump/{CRASH_ID}": b"1",
        f"v1/memory_report/{CRASH_ID}": b"2",
        f"v1/processed_crash/{CRASH_ID}": b'{"signature":"x"}',
        f"v1/crash_report/20261122/{CRASH_ID}": f'{{"crash_id":"{CRASH_ID}"}}'.encode(),
    }
    stored = s3_server.client().head_object(Bucket=bucket_name, Key=f"v1/dump/{CRASH_ID}")
    assert stored["ContentType"] == "binary/octet-stream"
    assert stored["Metadata"] == {}


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 3_000_000])
def test_a_dump_of_any_size_comes_back_as_it_was(
    storage: S3Storage, tmp_path: Path, size: int
) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    dumps = {"upload_file_minidump": spool(storage, content[:size])}
    storage.save_raw_crash(CrashReport(CRASH_ID, {}, dumps))
    fetched = storage.fetch_dump(CRASH_ID, "upload_file_minidump", tmp_path)
    assert fetched.read_bytes() == content[:size]


@pytest.mark.parametrize("count", [0, 1, 5, 60])
def test_a_report_costs_one_put_for_each_object_and_the_raw_crash_is_the_last(
    storage: S3Storage, proxy: CountingProxy, count: int
) -> None:
    names = [f"dump_{number}" for number in range(count)]
    dumps = {name: spool(storage, name.encode()) for name in names}
    storage.save_raw_crash(CrashReport(CRASH_ID, {}, dumps))
    *first, last = sent(proxy)
    assert last == ("PUT", f"v1/raw_crash/20261122/{CRASH_ID}")
    assert sorted(first) == sorted(
        ("PUT", f"v1/{kind}/{CRASH_ID}") for kind in [*names, "dump_names"]
    )


def test_everything_else_on_the_way_costs_one_request(
    storage: S3Storage, proxy: CountingProxy, tmp_path: Path
) -> None:
    storage.save_raw_crash(made_report(storage, CRASH_ID))
    expected: list[tuple[Callable[[], object], str, str]] = [
        (lambda: storage.save_processed_crash(CRASH_ID, BIG), "PUT", "processed_crash"),
        (lambda: storage.save_telemetry_crash(CRASH_ID, {}), "PUT", "crash_report/20261122"),
        (lambda: storage.load_raw_crash(CRASH_ID), "GET", "raw_crash/20261122"),
        (lambda: storage.load_dump_names(CRASH_ID), "GET", "dump_names"),
        (lambda: storage.fetch_dump(CRASH_ID, "dump", tmp_path), "GET", "dump"),
        (lambda: storage.load_processed_crash(CRASH_ID), "GET", "processed_crash"),
        (lambda: storage.load_telemetry_crash(CRASH_ID), "GET", "crash_report/20261122"),
        (lambda: storage.has_raw_crash(CRASH_ID), "GET", "raw_crash/20261122"),
        (lambda: storage.has_processed_crash(CRASH_ID), "GET", "processed_crash"),
        (lambda: storage.has_raw_crash(new_id()), "GET", "raw_crash/20261122"),
    ]
    for call, method, kind in expected:
        proxy.clear()
        call()
        ((sent_method, key),) = sent(proxy)
        assert (sent_method, key.rpartition("/")[0]) == (method, f"v1/{kind}")


def test_a_deleted_crash_costs_four_requests_and_its_raw_crash_goes_first(
    storage: S3Storage, proxy: CountingProxy
) -> None:
    storage.save_raw_crash(made_report(storage, CRASH_ID))
    proxy.clear()
    storage.delete_crash(CRASH_ID)
    assert sent(proxy) == [
        ("GET", f"v1/dump_names/{CRASH_ID}"),
        ("DELETE", f"v1/raw_crash/20261122/{CRASH_ID}"),
        ("POST", ""),
        ("DELETE", f"v1/dump_names/{CRASH_ID}"),
    ]


def test_a_check_costs_four_requests_and_leaves_nothing(
    storage: S3Storage, proxy: CountingProxy, s3_server: S3Server, bucket_name: str
) -> None:
    storage.verify()
    methods, keys = zip(*sent(proxy), strict=True)
    assert methods == ("PUT", "GET", "DELETE", "GET")
    (key,) = set(keys)
    assert re.fullmatch(r"test/testfile-[0-9a-f-]{36}\.txt", key)
    assert objects(s3_server, bucket_name) == {}


def test_the_raw_crash_is_not_sent_unless_all_else_is_kept_and_nothing_is_deleted(
    storage: S3Storage, proxy: CountingProxy
) -> None:
    report = made_report(storage, CRASH_ID)
    # Four objects, each sent twice.
    proxy.fail_next(8, 503, SLOW_DOWN)
    with pytest.raises(StorageUnavailable, match="SlowDown"):
        storage.save_raw_crash(report)
    assert {method for method, _ in sent(proxy)} == {"PUT"}
    assert not any("raw_crash" in key for _, key in sent(proxy))
    # Whoever spooled them may try again.
    assert all(path.exists() for path in report.dumps.values())


def test_a_lost_answer_is_asked_for_again(
    storage: S3Storage, proxy: CountingProxy, tmp_path: Path
) -> None:
    report = made_report(storage, CRASH_ID)
    proxy.cut_next(2, delivered=True)
    storage.save_raw_crash(report)
    check_complete(storage, CRASH_ID, tmp_path)


def test_a_busy_storage_is_asked_twice_and_no_more(
    storage: S3Storage, proxy: CountingProxy
) -> None:
    storage.save_processed_crash(CRASH_ID, {"a": "1"})
    proxy.clear()
    proxy.fail_next(1, 503, SLOW_DOWN)
    assert storage.load_processed_crash(CRASH_ID) == {"a": "1"}
    assert len(proxy.requests) == 2
    proxy.clear()
    proxy.fail_next(2, 503, SLOW_DOWN)
    with pytest.raises(StorageUnavailable, match=r"GetObject was answered with SlowDown \(status "):
        storage.load_processed_crash(CRASH_ID)
    assert len(proxy.requests) == 2


def test_an_answer_that_breaks_off_is_asked_for_once_more(
    storage: S3Storage, proxy: CountingProxy, tmp_path: Path
) -> None:
    content = b"MDMP" * 200_000
    storage.save_raw_crash(CrashReport(CRASH_ID, {}, {"dump": spool(storage, content)}))
    storage.save_processed_crash(CRASH_ID, BIG)
    proxy.truncate_next(1)
    assert storage.load_processed_crash(CRASH_ID) == BIG
    proxy.truncate_next(1)
    assert storage.fetch_dump(CRASH_ID, "dump", tmp_path).read_bytes() == content


def test_an_answer_that_breaks_off_twice_is_no_answer(
    storage: S3Storage, proxy: CountingProxy, tmp_path: Path
) -> None:
    storage.save_raw_crash(CrashReport(CRASH_ID, {}, {"dump": spool(storage, b"MDMP" * 50_000)}))
    storage.save_processed_crash(CRASH_ID, BIG)
    folder = tmp_path / "fetched"
    folder.mkdir()
    for call in (
        lambda: storage.load_processed_crash(CRASH_ID),
        lambda: storage.fetch_dump(CRASH_ID, "dump", folder),
    ):
        proxy.clear()
        proxy.truncate_next(2)
        with pytest.raises(StorageUnavailable, match="broke off in the middle of an answer"):
            call()
        assert len(proxy.requests) == 2
    assert list(folder.iterdir()) == []


def test_an_answer_that_is_not_s3_is_an_error(storage: S3Storage, proxy: CountingProxy) -> None:
    proxy.fail_next(2, 200, "<html><body>Please log in<br></body>")
    with pytest.raises(StorageUnavailable, match="ListObjectsV2 was answered with 500"):
        list(storage.list_raw_crashes(DAY.date()))
    proxy.fail_next(1, 200, "<html>")
    with pytest.raises(StorageError, match="raw crash is not JSON"):
        storage.load_raw_crash(CRASH_ID)


def test_a_storage_that_hangs_is_given_up_in_time(
    storage: S3Storage, proxy: CountingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One request that hangs at each attempt fits into a save, so that another try gets its chance.
    assert bucket.ATTEMPTS * (bucket.CONNECT_SECONDS + bucket.READ_SECONDS) + 1 < s3.SAVE_SECONDS
    monkeypatch.setattr(bucket, "READ_SECONDS", 0.2)
    proxy.delay(60)
    with pytest.raises(StorageUnavailable, match="does not answer in time"):
        storage.save_raw_crash(CrashReport(CRASH_ID, {}))
    assert sent(proxy) == [("PUT", f"v1/dump_names/{CRASH_ID}")] * bucket.ATTEMPTS


def test_a_save_ends_in_time_though_every_request_succeeds(
    storage: S3Storage, proxy: CountingProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(s3, "SAVE_SECONDS", 0.2)
    report = made_report(storage, CRASH_ID)
    proxy.delay(1)
    with pytest.raises(StorageUnavailable, match=r"the report was not stored within 0\.2 s"):
        storage.save_raw_crash(report)
    proxy.calm()
    # The last of what was on its way arrives, and there is no raw crash after it.
    wait_until(lambda: len(proxy.requests) == 4, "four uploads")
    storage.close()
    assert not storage.has_raw_crash(CRASH_ID)
    monkeypatch.undo()
    storage.save_raw_crash(report)
    check_complete(storage, CRASH_ID, tmp_path)


def test_a_missing_bucket_is_not_a_missing_crash(s3_server: S3Server, tmp_path: Path) -> None:
    storage = open_storage(s3_server.url("no-such-bucket"))
    calls: list[Callable[[], object]] = [
        lambda: storage.has_raw_crash(CRASH_ID),
        lambda: storage.has_processed_crash(CRASH_ID),
        lambda: storage.fetch_dump(CRASH_ID, "dump", tmp_path),
        lambda: list(storage.list_raw_crashes(DAY.date())),
    ]
    expected = (
        rf"^crash storage s3://no-such-bucket \(at {s3_server.endpoint}\): there is no such bucket$"
    )
    for call in calls:
        with pytest.raises(StorageUnavailable, match=expected):
            call()
    assert list(tmp_path.iterdir()) == []


def test_a_fetched_dump_is_for_this_user_alone_and_a_missing_one_leaves_nothing(
    storage: S3Storage, tmp_path: Path
) -> None:
    folder = tmp_path / "fetched"
    folder.mkdir()
    with pytest.raises(CrashNotFound):
        storage.fetch_dump(CRASH_ID, "dump", folder)
    assert list(folder.iterdir()) == []
    storage.save_raw_crash(CrashReport(CRASH_ID, {}, {"dump": spool(storage, b"MDMP")}))
    path = storage.fetch_dump(CRASH_ID, "dump", folder)
    assert list(folder.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_an_error_of_storage(
    storage: S3Storage, tmp_path: Path
) -> None:
    with pytest.raises(StorageUnavailable, match="No such file"):
        storage.fetch_dump(CRASH_ID, "dump", tmp_path / "nowhere")


def test_an_empty_object_is_there(
    storage: S3Storage, s3_server: S3Server, bucket_name: str
) -> None:
    key = f"v1/processed_crash/{CRASH_ID}"
    s3_server.client().put_object(Bucket=bucket_name, Key=key, Body=b"")
    assert storage.has_processed_crash(CRASH_ID)


def test_what_is_no_crash_of_the_day_is_not_listed(
    storage: S3Storage, s3_server: S3Server, bucket_name: str
) -> None:
    storage.save_raw_crash(CrashReport(CRASH_ID, {}))
    other_day = new_id(DAY - timedelta(days=1))
    for name in ("x", f"{CRASH_ID}.json", f"0/{CRASH_ID}", other_day):
        s3_server.client().put_object(
            Bucket=bucket_name, Key=f"v1/raw_crash/20261122/{name}", Body=b"{}"
        )
    assert list(storage.list_raw_crashes(DAY.date())) == [CRASH_ID]


def page(ids: list[str], following: str) -> str:
    """Return a page of a list as S3 sends it."""
    contents = "".join(
        f"<Contents><Key>v1/raw_crash/20261122/{one}</Key></Contents>" for one in ids
    )
    more = f"<NextContinuationToken>{following}</NextContinuationToken>" if following else ""
    truncated = str(bool(following)).lower()
    return (
        f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{contents}{more}"
        "</ListBucketResult>"
    )


def test_a_long_list_comes_page_by_page_as_it_is_read(
    storage: S3Storage, proxy: CountingProxy
) -> None:
    ids = sorted(new_id() for _ in range(4))
    proxy.fail_next(1, 200, page(ids[:2], "further"))
    proxy.fail_next(1, 200, page(ids[2:], ""))
    listed = storage.list_raw_crashes(DAY.date(), "")
    assert proxy.requests == []
    assert [next(listed), next(listed)] == ids[:2]
    assert len(proxy.requests) == 1
    assert list(listed) == ids[2:]
    first, second = (request.query for request in proxy.requests)
    assert "prefix=v1%2Fraw_crash%2F20261122%2F" in first
    assert "continuation-token=further" in second


def test_a_list_that_breaks_off_is_an_error(storage: S3Storage, proxy: CountingProxy) -> None:
    proxy.fail_next(1, 200, page([CRASH_ID], "further"))
    proxy.cut_next(2)
    listed = storage.list_raw_crashes(DAY.date())
    assert next(listed) == CRASH_ID
    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        next(listed)


def test_half_a_page_of_a_list_is_asked_for_again(storage: S3Storage, proxy: CountingProxy) -> None:
    storage.save_raw_crash(CrashReport(CRASH_ID, {}))
    proxy.truncate_next(1)
    assert list(storage.list_raw_crashes(DAY.date())) == [CRASH_ID]
    proxy.truncate_next(2)
    with pytest.raises(StorageUnavailable, match="ListObjectsV2 was answered with 500"):
        list(storage.list_raw_crashes(DAY.date()))


def test_many_threads_share_the_connections(
    storage: S3Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [new_id() for _ in range(40)]
    with ThreadPoolExecutor(40) as threads:
        list(threads.map(lambda one: storage.save_raw_crash(made_report(storage, one)), ids))
        list(threads.map(storage.load_raw_crash, ids))
    for crash_id in ids:
        check_complete(storage, crash_id, tmp_path)
    assert "Connection pool is full" not in caplog.text


def _save_in_child(storage: CrashStorage, crash_id: str) -> None:
    storage.save_raw_crash(made_report(storage, crash_id))


def test_a_forked_process_has_connections_and_threads_of_its_own(
    storage: S3Storage, tmp_path: Path
) -> None:
    storage.save_raw_crash(made_report(storage, CRASH_ID))
    crash_id = new_id()
    child = multiprocessing.get_context("fork").Process(
        target=_save_in_child, args=(storage, crash_id)
    )
    child.start()
    child.join(60)
    assert child.exitcode == 0
    for saved in (CRASH_ID, crash_id):
        check_complete(storage, saved, tmp_path)


def test_a_closed_storage_opens_again(storage: S3Storage, tmp_path: Path) -> None:
    storage.save_raw_crash(made_report(storage, CRASH_ID))
    threads = threading.active_count()
    storage.close()
    wait_until(lambda: threading.active_count() < threads, "its threads end")
    check_complete(storage, CRASH_ID, tmp_path)
    storage.save_raw_crash(made_report(storage, CRASH_ID))


def test_a_named_spool_is_made(bucket_name: str, tmp_path: Path) -> None:
    storage = open_storage(f"s3://{bucket_name}?spool={tmp_path}/some/where")
    assert storage.spool == tmp_path / "some/where"
    assert stat.S_IMODE(storage.spool.stat().st_mode) == 0o700


def test_a_spool_that_cannot_be_made_is_an_error_of_storage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable, match=r"^crash storage s3://crashes"):
        _ = open_storage(f"s3://crashes?spool={tmp_path}/file/spool").spool


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("s3://", "must be s3://NAME"),
        ("s3://Crashes", "3 to 63 lower-case letters"),
        ("s3://ab", "3 to 63"),
        ("s3://" + "a" * 64, "3 to 63"),
        ("s3://crashes:80", "3 to 63"),
        ("s3://-crashes", "3 to 63"),
        ("s3://crashes/folder", "must be s3://NAME"),
        ("s3://key:secret@crashes", "must not hold credentials"),
        ("s3://crashes?speed=high", "use endpoint, region, spool"),
    ],
)
def test_a_wrong_url_is_refused(url: str, text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        open_storage(url)


def test_opening_a_storage_imports_no_client_and_connects_to_nothing() -> None:
    program = (
        "import sys; from socorro.storage import open_storage; "
        "open_storage('s3://crashes?endpoint=http://127.0.0.1:1').engine; "
        "sys.exit(sum(name in sys.modules for name in ('boto3', 'botocore', 'urllib3')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
