# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A real stackwalker, built into the user's cache the first time."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from processor.stackwalk import LongLivedStackwalker
from processor.stackwalk.build import build, default_cache
from socorro.packaged import SAMPLES

MIB = 1024 * 1024

SYMBOLS = (
    SAMPLES / "crashes" / "symbols",
    SAMPLES / "minidumps" / "symbols",
    SAMPLES / "minidumps" / "synthetic" / "symbols",
)

MakeWalker = Callable[..., LongLivedStackwalker]


@pytest.fixture(scope="session")
def binary() -> Path:
    """The stackwalker built from these sources: minutes the first time, then at once."""
    return build(default_cache())


@pytest.fixture
def make_walker(binary: Path) -> Iterator[MakeWalker]:
    """Make stackwalkers, with the limits of a test; they are closed at its end."""
    made = []

    def make(
        *symbol_paths: Path,
        deadline: float = 60,
        memory_limit: int = 1024 * MIB,
        symbol_budget: int = 128 * MIB,
        program: Path = binary,
    ) -> LongLivedStackwalker:
        walker = LongLivedStackwalker(
            program,
            symbol_paths,
            deadline=deadline,
            memory_limit=memory_limit,
            symbol_budget=symbol_budget,
        )
        made.append(walker)
        return walker

    yield make
    for walker in made:
        walker.close()
