# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What S3 and SQS cost beside the embedded engines, and what side by side and in batches saves.

``python -m bench.engines`` starts S3Proxy and ElasticMQ behind a proxy that answers 20 ms late, as
a service in the same region does, prints a table of ratios, and exits with 1 unless

- a report with four dumps is stored at least twice as fast as its objects one after the other;
- ids are published in batches at least four times as fast as one by one.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from socorro.aws import AwsUrl, make_client
from socorro.queue import CrashQueue, QueueName, Task, open_queue
from socorro.storage import CrashReport, CrashStorage, open_storage
from tests.contract.reports import new_id, spool
from tests.servers import CountingProxy, S3Server, SqsServer
from tests.servers.credentials import aws_environment

LATENCY = 0.02
DUMPS = ("upload_file_minidump", "upload_file_minidump_browser", "memory_report", "memory_report_2")
DUMP = b"MDMP" * 25_000
ANNOTATIONS = {f"Annotation{number}": "x" * 200 for number in range(100)}
RUNS = 20
IDS = 100
LEASE = 60.0


def main() -> int:
    os.environ.update(aws_environment())
    folder = Path(tempfile.mkdtemp(prefix="socorro-bench-", dir="/var/tmp"))
    try:
        with S3Server(folder / "s3") as s3, CountingProxy(s3.endpoint) as wire:
            stored = _compare_storage(folder, s3, wire)
        with SqsServer(folder / "sqs") as sqs, CountingProxy(sqs.endpoint) as wire:
            queued = _compare_queue(folder, sqs, wire)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if stored and queued else 1


def _compare_storage(folder: Path, s3: S3Server, wire: CountingProxy) -> bool:
    s3.create_bucket("bench")
    storage = open_storage(s3.url("bench").replace(s3.endpoint, wire.endpoint))
    local = open_storage(f"fs://{folder}/crashes")
    wire.delay(LATENCY)
    direct = _client_through(wire)

    def one_after_the_other() -> None:
        crash_id = new_id()
        for kind in (*DUMPS, "dump_names", "raw_crash"):
            direct.put_object(Bucket="bench", Key=f"serial/{kind}/{crash_id}", Body=DUMP)

    serial = _median(one_after_the_other)
    beside = _median(lambda: _save(storage))
    disk = _median(lambda: _save(local))
    print(f"\nA report with {len(DUMPS)} dumps of {len(DUMP) // 1000} kB", flush=True)
    _row("S3, one object after another", serial, serial)
    _row("S3, as it is saved", beside, serial)
    _row("file system", disk, serial)
    return _claim(serial / beside >= 2, "at least twice as fast as one after the other")


def _client_through(wire: CountingProxy) -> Any:
    return make_client("s3", AwsUrl.parse(f"s3://bench?endpoint={wire.endpoint}"))


def _save(storage: CrashStorage) -> None:
    dumps = {name: spool(storage, DUMP) for name in DUMPS}
    storage.save_raw_crash(CrashReport(new_id(), ANNOTATIONS, dumps))


def _compare_queue(folder: Path, sqs: SqsServer, wire: CountingProxy) -> bool:
    sqs.create_queues("bench")
    queue = open_queue(sqs.url("bench").replace(sqs.endpoint, wire.endpoint), lease_seconds=LEASE)
    local = open_queue(f"local://{folder}/queue", lease_seconds=LEASE)
    queue.verify()
    wire.delay(LATENCY)
    single = _timed(lambda: [queue.publish(QueueName.STANDARD, [task]) for task in _tasks()])
    batch = _timed(lambda: queue.publish(QueueName.STANDARD, _tasks()))
    turn = _timed(lambda: _take(queue)) / IDS
    local.verify()
    local.publish(QueueName.STANDARD, _tasks())
    local_turn = _timed(lambda: _take(local)) / IDS
    queue.close()
    local.close()
    print(f"\n{IDS} ids published", flush=True)
    _row("SQS, one by one", single, single)
    _row("SQS, in batches", batch, single)
    print("\nOne message received and acknowledged", flush=True)
    _row("SQS", turn, turn)
    _row("local queue", local_turn, turn)
    return _claim(single / batch >= 4, "batches at least four times as fast")


def _tasks() -> list[Task]:
    return [Task(new_id()) for _ in range(IDS)]


def _take(queue: CrashQueue) -> None:
    for _ in range(IDS):
        (message,) = queue.receive(1, wait=5)
        queue.acknowledge(message)


def _median(action: Callable[[], object]) -> float:
    return statistics.median(_timed(action) for _ in range(RUNS))


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _row(what: str, seconds: float, baseline: float) -> None:
    print(f"  {what:32}{seconds * 1000:>9.1f} ms{baseline / seconds:>9.1f}x", flush=True)


def _claim(holds: bool, what: str) -> bool:
    print(f"  {'holds' if holds else 'FAILS'}: {what}", flush=True)
    return holds


if __name__ == "__main__":
    sys.exit(main())
