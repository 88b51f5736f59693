# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crashes per second: real processors on a queue of crashes, and `minidump-stackwalk` alone.

Both work on the same minidump and the same symbols of more than 100 MB, two at a time.
"""

import gzip
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench.stackwalk.one_shot import one_shot_binary
from bench.stackwalk.symbols import Module, write_symbols
from processor.stackwalk import CommandStackwalker
from processor.stackwalk.build import build, default_cache
from socorro.crash_id import make_crash_id
from socorro.packaged import SAMPLES
from socorro.queue import CrashQueue, QueueName, Task, open_queue
from socorro.storage import CrashReport, CrashStorage, open_storage

MIB = 1024 * 1024
PROCESSORS = 2
SYMBOLS = 120 * MIB
DEADLINE = 300.0

ONE_SHOT_CRASHES = 6
WARM_UPS = 60
CRASHES = 600
MINIMUM_RATIO = 20.0

_CRASHES = SAMPLES / "crashes"
_DUMP = _CRASHES / "dumps" / "nested_null.dmp"
_DAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
_POLL = 0.02


@dataclass(frozen=True)
class Rate:
    """How fast crashes were done: `seconds` on the clock, `cpu` seconds of processor time."""

    crashes: int
    seconds: float
    cpu: float

    @property
    def per_second(self) -> float:
        """Crashes per second, by the clock."""
        return self.crashes / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of processor time for a crash."""
        return self.cpu / self.crashes * 1000


@dataclass(frozen=True)
class Throughput:
    """The result: the one-shot command, the whole pipeline, and whether each crash was walked."""

    one_shot: Rate
    pipeline: Rate
    walked: bool


def measure_throughput(folder: Path) -> Throughput:
    """Measure both, one after the other, below `folder`."""
    module = _sample_module()
    symbols = folder / "symbols"
    write_symbols(
        symbols / module.name / module.debug_id / f"{module.name}.sym",
        module,
        module.debug_id,
        SYMBOLS,
    )
    build(default_cache())
    one_shot = _measure_one_shot(symbols)
    pipeline, walked = _measure_pipeline(folder, symbols)
    return Throughput(one_shot, pipeline, walked)


def _sample_module() -> Module:
    (path,) = (_CRASHES / "symbols" / "nested_null").glob("*/nested_null.sym*")
    content = path.read_bytes()
    symbols = gzip.decompress(content) if path.suffix == ".gz" else content
    return Module("nested_null", path.parent.name, symbols)


def _measure_one_shot(symbols: Path) -> Rate:
    command = CommandStackwalker(one_shot_binary(), [symbols], deadline=DEADLINE)
    command.walk(_DUMP, None)  # files are in the page cache from here on
    before = os.times()
    with ThreadPoolExecutor(PROCESSORS) as pool:
        results = list(pool.map(lambda _: command.walk(_DUMP, None), range(ONE_SHOT_CRASHES)))
    after = os.times()
    if not all(result.success for result in results):
        raise RuntimeError("minidump-stackwalk failed on the sample")
    cpu = (
        after.children_user
        - before.children_user
        + (after.children_system - before.children_system)
    )
    return Rate(ONE_SHOT_CRASHES, after.elapsed - before.elapsed, cpu)


def _measure_pipeline(folder: Path, symbols: Path) -> tuple[Rate, bool]:
    data = folder / "data"
    storage = open_storage(f"fs://{data}/crashes")
    queue = open_queue(f"local://{data}/queue", lease_seconds=60)
    queue.provision()
    with _running_processors(data, symbols) as processors:
        _process(queue, storage, WARM_UPS)
        before = _cpu_seconds(processors)
        crash_ids, seconds = _process(queue, storage, CRASHES)
        cpu = _cpu_seconds(processors) - before
    walked = all(_is_walked(storage, crash_id) for crash_id in crash_ids)
    queue.close()
    return Rate(CRASHES, seconds, cpu), walked


def _process(queue: CrashQueue, storage: CrashStorage, count: int) -> tuple[list[str], float]:
    """Store crashes, then queue them; return their ids and how long the processors took."""
    crash_ids = [_store(storage) for _ in range(count)]
    started = time.perf_counter()
    queue.publish(QueueName.STANDARD, [Task(crash_id) for crash_id in crash_ids])
    _wait_until(lambda: _is_empty(queue), "the crashes were not processed")
    return crash_ids, time.perf_counter() - started


def _store(storage: CrashStorage) -> str:
    crash_id = make_crash_id(_DAY)
    spooled = storage.spool / f"{crash_id}.dump"
    spooled.write_bytes(_DUMP.read_bytes())
    annotations = {
        "uuid": crash_id,
        "submitted_timestamp": "2026-11-23T08:00:00.000000+00:00",
        "metadata": {"dump_checksums": {}, "payload": "multipart"},
        "ProductName": "DemoApp",
        "Version": "1.2.3",
        "ReleaseChannel": "release",
        "CrashTime": "1795420000",
    }
    storage.save_raw_crash(CrashReport(crash_id, annotations, {"upload_file_minidump": spooled}))
    return crash_id


def _is_walked(storage: CrashStorage, crash_id: str) -> bool:
    signature = storage.load_processed_crash(crash_id)["signature"]
    return bool(signature == "acme::storage::Cache<T>::Entry::Touch")


@contextmanager
def _running_processors(data: Path, symbols: Path) -> Iterator[list[psutil.Process]]:
    environ = {
        **os.environ,
        "SOCORRO_DATA": str(data),
        "SYMBOLS": str(symbols),
        "SYMBOL_BUDGET": str(1024 * MIB),
        "STACKWALKER_MEMORY": str(4096 * MIB),
        "STACKWALKER_DEADLINE": str(int(DEADLINE)),
    }
    with ExitStack() as stack:
        yield [
            stack.enter_context(_processor(environ, data / f"processor{number}.log"))
            for number in range(PROCESSORS)
        ]


@contextmanager
def _processor(environ: dict[str, str], log: Path) -> Iterator[psutil.Process]:
    with log.open("wb") as file:
        process = psutil.Popen(
            [sys.executable, "-m", "socorro", "processor"], env=environ, stdout=file, stderr=file
        )
    try:
        _wait_until(lambda: b"ready" in log.read_bytes(), "a processor did not start")
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def _cpu_seconds(processors: list[psutil.Process]) -> float:
    """Return the processor time so far of the processors and their stackwalkers."""
    everyone = [
        process for parent in processors for process in (parent, *parent.children(recursive=True))
    ]
    return sum(sum(process.cpu_times()[:2]) for process in everyone)


def _is_empty(queue: CrashQueue) -> bool:
    depth = queue.depth()[QueueName.STANDARD]
    return not (depth.ready or depth.leased or depth.delayed)


def _wait_until(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{otherwise} within {DEADLINE:g} s")
        time.sleep(_POLL)
