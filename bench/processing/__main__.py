# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What processing costs, as ratios of what was measured in the same run.

``python -m bench.processing`` prints tables and exits with 1 unless

- two processors with warm symbols of over 100 MB do at least 20 times as many crashes a second as
  two `minidump-stackwalk` at a time that do nothing but walk;
- a desktop crash of some 850 KiB takes at least five times less processor time from its parsed
  stack walk to its saved documents than the existing system's 60 ms, scaled to this machine;
- a crash costs about the same in a system of 100,000 crashes as in one of 1,000.

Names choose some of these: ``python -m bench.processing desktop``.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.processing import documents, growth, throughput
from socorro.settings import Settings, load


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.processing", description=__doc__)
    parser.add_argument("which", nargs="*", metavar="|".join(_PARTS))
    chosen = parser.parse_args().which or list(_PARTS)
    if unknown := set(chosen) - set(_PARTS):
        parser.error(f"there is no {min(unknown)}: choose from {', '.join(_PARTS)}")
    with tempfile.TemporaryDirectory(prefix="socorro-bench-", dir="/var/tmp") as folder:
        os.environ["SOCORRO_DATA"] = folder
        settings = load()
        claims = [_PARTS[name](settings, Path(folder) / name) for name in chosen]
    return 0 if all(claims) else 1


def _throughput(_settings: Settings, folder: Path) -> bool:
    result = throughput.measure_throughput(folder)
    one_shot, pipeline = result.one_shot, result.pipeline
    ratio = pipeline.per_second / one_shot.per_second
    _say(
        f"{throughput.PROCESSORS} at a time, symbols of {throughput.SYMBOLS // throughput.MIB} MiB"
    )
    _row("minidump-stackwalk alone", f"{one_shot.per_second:.2f} / s", "1x")
    _row("whole pipeline", f"{pipeline.per_second:.1f} / s", f"{ratio:.0f}x")
    _row("processor time, alone", f"{one_shot.cpu_ms:.0f} ms", "1x")
    cpu_ratio = one_shot.cpu_ms / pipeline.cpu_ms
    _row("processor time, pipeline", f"{pipeline.cpu_ms:.1f} ms", f"1/{cpu_ratio:.0f}")
    least = throughput.MINIMUM_RATIO
    fast = _claim(ratio >= least, f"at least {least:g} times as many crashes a second")
    return _claim(result.walked, "every crash walked with its symbols") and fast


def _desktop(settings: Settings, folder: Path) -> bool:
    cost = documents.measure_desktop(settings, folder)
    _say(f"A desktop crash, {cost.size / documents.KIB:.0f} KiB processed: processor time")
    _row("existing system, on this machine", f"{cost.existing:.1f} ms", "1x")
    for name in cost.stages.taken:
        _row(f"  {name}", f"{cost.stages.typical(name):.2f} ms", "")
    _row("ours, all of it", f"{cost.stages.whole():.1f} ms", f"1/{cost.ratio:.1f}")
    _row("the standard library's JSON", f"{cost.yardstick:.1f} ms", "")
    least = documents.MINIMUM_RATIO
    return _claim(cost.ratio >= least, f"at least {least:g} times less processor time")


def _growth(settings: Settings, folder: Path) -> bool:
    costs = growth.measure_growth(settings, folder)
    smallest = costs[0].milliseconds
    _say("A crash without minidump in a system that holds others: processor time")
    for cost in costs:
        _row(
            f"{cost.size:,} crashes",
            f"{cost.milliseconds:.2f} ms",
            f"{cost.milliseconds / smallest:.2f}x",
        )
    most = growth.MAXIMUM_GROWTH
    flat = costs[-1].milliseconds <= most * smallest
    return _claim(flat, f"at most {most:g} times as much in the largest as in the smallest")


def _say(text: str) -> None:
    print(f"\n{text}", flush=True)


def _row(what: str, value: str, ratio: str) -> None:
    print(f"  {what:38}{value:>12}{ratio:>10}", flush=True)


def _claim(holds: bool, what: str) -> bool:
    print(f"  {'ok  ' if holds else 'FAIL'}  {what}", flush=True)
    return holds


_PARTS: Mapping[str, Callable[[Settings, Path], bool]] = {
    "desktop": _desktop,
    "growth": _growth,
    "throughput": _throughput,
}


if __name__ == "__main__":
    sys.exit(main())
