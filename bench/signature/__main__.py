# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crashes per second, beside those of siggen, the earlier implementation, on the same crashes.

``python -m bench.signature`` makes two corpora, has both implementations sign them with the lists
that siggen brings, and prints a table of ratios:

- *a fleet's crashes*: stacks of 20 to 60 frames over 20,000 functions, some much more frequent
  than others, as one product's crashes are;
- *nothing repeats*: every function of every stack is a new one, so that nothing is remembered.

Each round starts with nothing remembered. Processor time is measured, not the time on the clock.
Exits with 1 unless ours is at least five times as fast on the first corpus, and twice on the other.
"""

import copy
import logging
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from siggen.generator import SignatureGenerator

from bench.signature.crashes import fleet, never_again
from socorro.signature import SignatureLists, generate

LISTS = Path(str(files("siggen") / "siglists"))
CRASHES = 2_000
ROUNDS = 5

CORPORA = (
    ("a fleet's crashes", fleet, 5.0),
    ("nothing repeats", never_again, 2.0),
)

Crash = dict[str, Any]


def main() -> int:
    logging.disable()  # siggen logs what it could not use
    print(f"{'':22}{'siggen':>16}{'ours':>16}{'ratio':>8}{'p99 of ours':>16}")
    reached = [_compare(name, list(make(CRASHES)), least) for name, make, least in CORPORA]
    return 0 if all(reached) else 1


def _compare(name: str, crashes: Sequence[Crash], least: float) -> bool:
    rounds = [(_seconds_of_siggen(crashes), _seconds_of_ours(crashes)) for _ in range(ROUNDS)]
    theirs = statistics.median(sum(seconds) for seconds, _ in rounds)
    ours = statistics.median(sum(seconds) for _, seconds in rounds)
    slowest = statistics.quantiles(rounds[-1][1], n=100)[-1]
    ratio = theirs / ours
    print(
        f"{name:22}{len(crashes) / theirs:>12,.0f} / s{len(crashes) / ours:>12,.0f} / s"
        f"{ratio:>8.1f}{slowest * 1e6:>13,.0f} µs",
        flush=True,
    )
    print(f"  {'ok' if ratio >= least else 'MISSED'}: at least {least:g} times as fast")
    return ratio >= least


def _seconds_of_siggen(crashes: Sequence[Crash]) -> list[float]:
    # It writes into what it is given.
    return list(_timed(SignatureGenerator().generate, copy.deepcopy(crashes)))


def _seconds_of_ours(crashes: Sequence[Crash]) -> list[float]:
    # Names are remembered with the lists, so new lists remember nothing.
    lists = SignatureLists.load(LISTS)
    return list(_timed(lambda crash: generate(crash, lists), crashes))


def _timed(sign: Callable[[Crash], Any], crashes: Sequence[Crash]) -> Iterator[float]:
    for crash in crashes:
        started = time.process_time()
        sign(crash)
        yield time.process_time() - started


if __name__ == "__main__":
    sys.exit(main())
