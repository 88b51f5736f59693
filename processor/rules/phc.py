# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the probabilistic heap checker of Gecko knew of the address that was used wrongly."""

import re
from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule

_NUMBER = re.compile(r"\s*([0-9]{1,20})\s*", re.ASCII)
_MAX_INTEGER = 2**63 - 1


class Phc(Rule):
    """``phc_*``: the kind of misuse, the allocation, and where it was allocated and freed."""

    writes = frozenset(
        {
            "phc_alloc_stack",
            "phc_base_address",
            "phc_free_stack",
            "phc_kind",
            "phc_usable_size",
        }
    )

    def applies(self, crash: Crash) -> bool:
        """Only where the checker says of which kind it is."""
        return crash.text("PHCKind") is not None

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Write the address in hexadecimal, as all others are; what is no number is left out."""
        base = _number(crash, "PHCBaseAddress")
        size = _number(crash, "PHCUsableSize")
        found = {
            "phc_kind": crash.text("PHCKind"),
            "phc_base_address": None if base is None else hex(base),
            "phc_usable_size": size if size is not None and size <= _MAX_INTEGER else None,
            "phc_alloc_stack": crash.text("PHCAllocStack"),
            "phc_free_stack": crash.text("PHCFreeStack"),
        }
        return {field: value for field, value in found.items() if value is not None}


def _number(crash: Crash, annotation: str) -> int | None:
    match = _NUMBER.fullmatch(crash.text(annotation) or "")
    return int(match[1]) if match else None
