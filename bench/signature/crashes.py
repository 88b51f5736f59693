# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Native crashes to sign, the same ones in every run."""

from collections.abc import Callable, Iterator
from itertools import accumulate
from random import Random
from typing import Any

from tests.socorro.signature.corpus import CrashMaker

_SEED = 5
_FUNCTIONS = 20_000
_SHORTEST, _LONGEST = 20, 60


def fleet(count: int) -> Iterator[dict[str, Any]]:
    """Crashes of one product: the function of rank n is met 1/n times as often as the first."""
    random = Random(_SEED)
    maker = CrashMaker(_SEED)
    functions = [maker.function() for _ in range(_FUNCTIONS)]
    weights = list(accumulate(1 / rank for rank in range(1, _FUNCTIONS + 1)))
    for _ in range(count):
        stack = random.choices(functions, cum_weights=weights, k=_LONGEST)
        yield _crash(random, iter(stack).__next__)


def never_again(count: int) -> Iterator[dict[str, Any]]:
    """Crashes that have no function in common."""
    maker = CrashMaker(_SEED)
    random = Random(_SEED)
    number = iter(range(count * _LONGEST))
    for _ in range(count):
        yield _crash(random, lambda: f"f{next(number)}::{maker.function()}")


def _crash(random: Random, function: Callable[[], str]) -> dict[str, Any]:
    frames = [_frame(random, function()) for _ in range(random.randint(_SHORTEST, _LONGEST))]
    return {"crashing_thread": 0, "os": "Linux", "threads": [{"frames": frames}]}


def _frame(random: Random, function: str) -> dict[str, Any]:
    """A frame with symbols, or, one time in ten, without."""
    frame: dict[str, Any] = {"module": "libapp.so", "offset": f"0x{random.getrandbits(47):016x}"}
    if random.random() < 0.1:
        return frame
    suffix = random.choice(("cpp", "cpp", "cpp", "rs"))
    file = f"git:github.com/example/app:src/part.{suffix}:0123456789ab"
    return frame | {"function": function, "file": file, "line": random.randint(1, 5_000)}
