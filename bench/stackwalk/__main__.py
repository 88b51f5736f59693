# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The one-shot `minidump-stackwalk` against the long-lived stackwalker, and the latter's memory.

``python -m bench.stackwalk`` prints a table of ratios and exits with 1 unless

- the long-lived one is at least 50 times faster from the second crash on, on a crash whose symbols
  are over 100 MB, with the same JSON;
- its memory stays within the symbol budget plus a stated overhead over 200 crashes with 40 symbol
  files, one of them larger than the budget.
"""

import argparse
import gzip
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bench.stackwalk.one_shot import one_shot_binary
from bench.stackwalk.symbols import Module, debug_id_of, write_symbols
from processor.stackwalk import CommandStackwalker, LongLivedStackwalker, WalkResult
from processor.stackwalk.build import build, default_cache
from socorro.packaged import SAMPLES

T = TypeVar("T")

MIB = 1024 * 1024
CRASHES = SAMPLES / "crashes"
SAMPLE = CRASHES / "dumps" / "nested_null.dmp"
DEADLINE = 300.0

LARGE_SYMBOLS = 120 * MIB
MINIMUM_SPEEDUP = 50
ONE_SHOT_RUNS = 3
LONG_LIVED_RUNS = 30

BUDGET = 192 * MIB
# The address space: reading the file that is larger than the budget takes more than keeping it.
MEMORY_LIMIT = 2048 * MIB
# Memory besides the budget: the program itself, and what reading one file takes besides keeping it.
OVERHEAD = 64 * MIB
MEMORY_CRASHES = 200
SYMBOL_FILES = 40


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.stackwalk", description=__doc__)
    parser.add_argument(
        "--keep", type=Path, help="folder for the generated files, kept for the next run"
    )
    options = parser.parse_args()
    one_shot = one_shot_binary()
    long_lived = build(default_cache())
    with _folder(options.keep) as folder:
        module = _sample_module()
        claims = [
            _compare_speed(folder / "large", module, one_shot, long_lived),
            _watch_memory(folder / "many", module, long_lived),
        ]
    return 0 if all(claims) else 1


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="socorro-bench-", dir="/var/tmp") as folder:
        yield Path(folder)


def _sample_module() -> Module:
    (path,) = (CRASHES / "symbols" / "nested_null").glob("*/nested_null.sym*")
    content = path.read_bytes()
    symbols = gzip.decompress(content) if path.suffix == ".gz" else content
    return Module("nested_null", path.parent.name, symbols)


def _compare_speed(folder: Path, module: Module, one_shot: Path, long_lived: Path) -> bool:
    path = _symbol_path(folder, module, module.debug_id)
    if not path.exists():
        write_symbols(path, module, module.debug_id, LARGE_SYMBOLS)
    command = CommandStackwalker(one_shot, [folder], deadline=DEADLINE)
    runs = [_timed(lambda: command.walk(SAMPLE, None)) for _ in range(ONE_SHOT_RUNS)]
    child = _long_lived(long_lived, folder, budget=1024 * MIB, memory_limit=4096 * MIB)
    first = _timed(lambda: child.walk(SAMPLE, None))
    later = [_timed(lambda: child.walk(SAMPLE, None)) for _ in range(LONG_LIVED_RUNS)]
    child.close()

    slowest = max(seconds for seconds, _ in later)
    typical = statistics.median(seconds for seconds, _ in later)
    shot = min(seconds for seconds, _ in runs)
    same = all(result.success and result == later[0][1] for _, result in later)
    same = same and runs[0][1].output == first[1].output == later[0][1].output
    _say(f"One crash, symbols of {path.stat().st_size / MIB:.0f} MiB")
    _row("one-shot, best of 3", f"{shot * 1000:.0f} ms", "1x")
    _row("long-lived, first crash", f"{first[0] * 1000:.0f} ms", f"{shot / first[0]:.1f}x")
    _row("long-lived, later (median)", f"{typical * 1000:.2f} ms", f"{shot / typical:.0f}x")
    _row("long-lived, later (slowest)", f"{slowest * 1000:.2f} ms", f"{shot / slowest:.0f}x")
    fast = _claim(shot / typical >= MINIMUM_SPEEDUP, f"at least {MINIMUM_SPEEDUP} times faster")
    return _claim(same, "the same JSON from both") and fast


def _watch_memory(folder: Path, module: Module, long_lived: Path) -> bool:
    """Walk crashes whose module has one of many symbol files, and look at the child's memory."""
    dumps = _make_variants(folder, module)
    choose = random.Random(1)
    # Some builds crash more than others.
    weights = [1 / (rank + 1) for rank in range(len(dumps))]
    order = choose.choices(dumps, weights, k=MEMORY_CRASHES - len(dumps)) + dumps
    choose.shuffle(order)
    child = _long_lived(long_lived, folder / "symbols", BUDGET, MEMORY_LIMIT)
    resident, pids, good = [], set(), True
    for dump in order:
        result = child.walk(dump, None)
        good = good and _has_symbols(result)
        pids.add(child.pid)
        resident.append(_status_bytes(child.pid, "VmRSS"))
    peak = _status_bytes(child.pid, "VmHWM")
    child.close()

    size = sum(path.stat().st_size for path in folder.glob("symbols/*/*/*.sym"))
    _say(f"{len(order)} crashes, {len(dumps)} symbol files, {size / MIB:.0f} MiB")
    _row("budget for symbols", f"{BUDGET / MIB:.0f} MiB", "1x")
    _row("memory, largest", f"{max(resident) / MIB:.0f} MiB", f"{max(resident) / BUDGET:.2f}x")
    _row("memory, last crash", f"{resident[-1] / MIB:.0f} MiB", f"{resident[-1] / BUDGET:.2f}x")
    _row("peak while reading", f"{peak / MIB:.0f} MiB", f"{peak / BUDGET:.2f}x")
    within = max(resident) <= BUDGET + OVERHEAD
    return all(
        (
            _claim(within, f"within the budget and {OVERHEAD / MIB:.0f} MiB after every crash"),
            _claim(len(pids) == 1, "by one child, never replaced"),
            _claim(good, "every crash with its symbols"),
        )
    )


def _make_variants(folder: Path, module: Module) -> list[Path]:
    """Copies of the sample under other build ids, each with symbols of its own; their minidumps."""
    original = SAMPLE.read_bytes()
    sizes = random.Random(2)
    dumps = []
    for number in range(SYMBOL_FILES):
        build_id = number.to_bytes(4, "big") * 4
        dump = folder / f"{number}.dmp"
        path = _symbol_path(folder / "symbols", module, debug_id_of(build_id))
        # The last one is larger than the budget once it is parsed.
        size = LARGE_SYMBOLS if number == SYMBOL_FILES - 1 else sizes.randrange(4, 30) * MIB
        if not path.exists():
            write_symbols(path, module, debug_id_of(build_id), size)
        dump.write_bytes(original.replace(module.build_id, build_id))
        dumps.append(dump)
    return dumps


def _symbol_path(folder: Path, module: Module, debug_id: str) -> Path:
    return folder / module.name / debug_id / f"{module.name}.sym"


def _long_lived(binary: Path, folder: Path, budget: int, memory_limit: int) -> LongLivedStackwalker:
    return LongLivedStackwalker(
        binary, [folder], deadline=DEADLINE, memory_limit=memory_limit, symbol_budget=budget
    )


def _has_symbols(result: WalkResult) -> bool:
    return result.output is not None and "Touch" in str(
        result.output["crashing_thread"]["frames"][0]["function"]
    )


def _timed(action: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def _status_bytes(pid: int | None, name: str) -> int:
    if pid is None:
        return 0
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def _say(text: str) -> None:
    print(f"\n{text}", flush=True)


def _row(what: str, value: str, ratio: str) -> None:
    print(f"  {what:32}{value:>12}{ratio:>10}", flush=True)


def _claim(holds: bool, what: str) -> bool:
    print(f"  {'ok  ' if holds else 'FAIL'}  {what}", flush=True)
    return holds


if __name__ == "__main__":
    sys.exit(main())
