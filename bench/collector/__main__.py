# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a report costs the collector, beside servers that do only what cannot be left out.

``python -m bench.collector`` runs three servers, with the same numbers of processes and threads,
and sends them the same reports in turn, each on a connection of its own:

- *collector*, with default settings, on storage and queue in folders of this machine;
- *necessary work*: reads a report, inflates it, hashes it, makes three files durable as crash
  storage promises, and commits a row to a queue (`bench.collector.baseline`);
- *read and write*: writes the body to a file as it comes.

It prints reports per second and processor time per report (of the server's processes, in user mode
and in the kernel), and its ratio to the necessary work, each the median of some rounds. Then
it sends the collector 100 reports of 25 MB at once and prints the memory of its processes. Exits
with 1 unless

- a report costs the collector at most 1.5 times the processor time of the necessary work;
- its processes never take 300 MB together.

Everything is below /var/tmp: what a durable file costs is measured on a disk.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping

from bench.collector.memory import UPLOADS, upload_at_once
from bench.collector.reports import Load, large_requests, loads
from bench.collector.servers import COLLECTOR, NECESSARY, Server, running_servers
from bench.collector.speed import CLIENTS, compare

MOST_CPU = 1.5
MOST_MEMORY = 300_000_000
ROUNDS = 7
REPORTS = 300


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.collector", description=__doc__)
    parser.add_argument("--only", choices=("speed", "memory"), help="one half of the benchmark")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of each server and load")
    parser.add_argument("--reports", type=int, default=REPORTS, help="reports of a round")
    options = parser.parse_args()
    claims: list[bool] = []
    if options.only != "memory":
        claims += _compare_speed(options.rounds, options.reports)
    if options.only != "speed":
        claims += _watch_memory()
    return 0 if all(claims) else 1


def _compare_speed(rounds: int, reports: int) -> list[bool]:
    print(f"Reports of 10 kB of annotations and a dump of 400 kB, {CLIENTS} clients")
    with _folder() as folder, running_servers(folder) as servers:
        return [_compare_load(servers, load, rounds, reports) for load in loads()]


def _compare_load(servers: Mapping[str, Server], load: Load, rounds: int, reports: int) -> bool:
    results = compare(servers, load, baseline=NECESSARY, rounds=rounds, reports=reports)
    print(f"\n{load.name:24}{'reports':>14}{'CPU a report':>16}{'ratio':>8}", flush=True)
    for name, result in results.items():
        numbers = f"{result.rate:>12,.0f}/s{result.cpu:>13.2f} ms{result.ratio:>8.2f}"
        print(f"  {name:22}{numbers}", flush=True)
    holds = results[COLLECTOR].ratio <= MOST_CPU
    return _claim(holds, f"at most {MOST_CPU:g} times the processor time of the necessary work")


def _watch_memory() -> list[bool]:
    print(f"\n{UPLOADS} uploads of 25 MB at once{'before':>28}{'peak':>12}", flush=True)
    claims = []
    for name, request in large_requests().items():
        # Each in a new collector: memory that was freed is not always given back.
        with _folder() as folder, running_servers(folder, (COLLECTOR,)) as servers:
            memory = upload_at_once(servers[COLLECTOR], request)
        print(f"  {name:40}{memory.before / 1e6:>9.0f} MB{memory.peak / 1e6:>9.0f} MB", flush=True)
        claims += [
            _claim(memory.peak < MOST_MEMORY, f"less than {MOST_MEMORY / 1e6:.0f} MB"),
            _claim(memory.accepted == UPLOADS, f"all accepted ({memory.accepted})"),
        ]
    return claims


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="socorro-bench-", dir="/var/tmp")


def _claim(holds: bool, what: str) -> bool:
    print(f"  {'holds' if holds else 'FAILS'}: {what}", flush=True)
    return holds


if __name__ == "__main__":
    sys.exit(main())
