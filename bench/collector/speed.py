# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Reports per second and processor time per report, of several servers on the same loads."""

import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.collector.reports import Load
from bench.collector.servers import Server

CLIENTS = 8


@dataclass(frozen=True)
class Round:
    """One server under one load: reports a second, processor milliseconds a report."""

    rate: float
    cpu: float


@dataclass(frozen=True)
class Result:
    """The medians of some rounds; `ratio` is that of the processor time to the baseline's.

    Ratios are taken round by round, so that what else the machine does meanwhile matters less.
    """

    rate: float
    cpu: float
    ratio: float

    @classmethod
    def of(cls, rounds: Sequence[Round], baseline: Sequence[Round]) -> "Result":
        """Return the medians; rounds of the same number were next to each other in time."""
        return cls(
            statistics.median(one.rate for one in rounds),
            statistics.median(one.cpu for one in rounds),
            statistics.median(
                one.cpu / other.cpu for one, other in zip(rounds, baseline, strict=True)
            ),
        )


def compare(
    servers: Mapping[str, Server], load: Load, *, baseline: str, rounds: int, reports: int
) -> dict[str, Result]:
    """Send a load to each server in turn, again and again; return the medians by server.

    A first round that is not counted lets all of them import, connect and make folders.
    """
    taken: dict[str, list[Round]] = {name: [] for name in servers}
    for number in range(rounds + 1):
        for name, server in servers.items():
            one = _round(server, load, reports)
            if number:
                taken[name].append(one)
    return {name: Result.of(of_one, taken[baseline]) for name, of_one in taken.items()}


def _round(server: Server, load: Load, reports: int) -> Round:
    before = server.cpu_seconds()
    start = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        for _ in clients.map(lambda _: server.post(load.request()), range(reports)):
            pass
    seconds = time.perf_counter() - start
    return Round(reports / seconds, (server.cpu_seconds() - before) * 1000 / reports)
