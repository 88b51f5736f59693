# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Makers of crashes for the tests of rules."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processor.crash import Crash

CRASH_ID = "0b5e3a1c-9c1e-4a6e-8f43-2b8d10261122"

MakeCrash = Callable[..., Crash]


@pytest.fixture
def make_crash(tmp_path: Path) -> MakeCrash:
    """Make a crash: keyword arguments are annotations; `processed` and `dumps` as they are."""

    def make(
        processed: dict[str, Any] | None = None,
        dumps: dict[str, Path] | None = None,
        **annotations: Any,
    ) -> Crash:
        return Crash(CRASH_ID, annotations, dumps or {}, tmp_path, processed or {})

    return make
