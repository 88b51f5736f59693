# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Native crashes to sign, the same ones in every run.

Their functions are those of the known crashes of the tests, as compilers and symbols write them.
Copies that differ in their identifiers make as many as a product has.
"""

import re
from collections.abc import Callable, Iterator
from itertools import accumulate, count
from random import Random
from typing import Any

from tests.socorro.signature.known_crashes import known_crashes

_SEED = 5
_FUNCTIONS = 20_000
_SHORTEST, _LONGEST = 20, 60

# The places where an identifier may get a number: before arguments, types and the next name.
_END_OF_IDENTIFIER = re.compile(r"(?<=\w)(?=::|\(|<|$)")

Call = dict[str, Any]


def fleet(number: int) -> Iterator[dict[str, Any]]:
    """Crashes of one product: the function of rank n is met 1/n times as often as the first."""
    random = Random(_SEED)
    functions = _functions()
    calls = [next(functions) for _ in range(_FUNCTIONS)]
    random.shuffle(calls)
    weights = list(accumulate(1 / rank for rank in range(1, _FUNCTIONS + 1)))
    for _ in range(number):
        stack = random.choices(calls, cum_weights=weights, k=_LONGEST)
        yield _crash(random, iter(stack).__next__)


def never_again(number: int) -> Iterator[dict[str, Any]]:
    """Crashes that have no function in common."""
    random = Random(_SEED)
    functions = _functions()
    for _ in range(number):
        yield _crash(random, functions.__next__)


def _functions() -> Iterator[Call]:
    """Functions with their files and lines, without end; no name comes twice."""
    known = {
        call["function"]: {key: call.get(key) for key in ("function", "file", "line")}
        for crash in known_crashes()
        for thread in crash.crash["threads"]
        for frame in thread["frames"]
        for call in (*frame.get("inlines", ()), frame)
        if call.get("function")
    }
    for number in count():
        for function, call in known.items():
            other = _END_OF_IDENTIFIER.sub(str(number), function, count=1)
            yield call | {"function": other if other != function else f"{function}{number}"}


def _crash(random: Random, function: Callable[[], Call]) -> dict[str, Any]:
    frames = [_frame(random, function()) for _ in range(random.randint(_SHORTEST, _LONGEST))]
    return {"crashing_thread": 0, "os": "Linux", "threads": [{"frames": frames}]}


def _frame(random: Random, call: Call) -> dict[str, Any]:
    """A frame with symbols, or, one time in ten, without."""
    frame: dict[str, Any] = {"module": "libapp.so", "offset": f"0x{random.getrandbits(47):016x}"}
    return frame if random.random() < 0.1 else frame | call
