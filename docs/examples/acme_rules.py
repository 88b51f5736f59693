# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""An example of own rules: versions of AcmePaint, which puts the number of the build in them."""

import re
from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import ProductRule

# As in "4.2 (build 1234)".
_VERSION = re.compile(r"([0-9.]{1,20}) \(build [0-9]{1,9}\)", re.ASCII)


class AcmeVersion(ProductRule):
    """``version`` without the build, so that crashes are grouped by what people know."""

    runs_before = "Signature"
    reads = frozenset({"product", "version"})
    writes = frozenset({"version"})

    def concerns(self, crash: Crash) -> bool:
        """Only for versions of that form."""
        return _VERSION.fullmatch(crash.processed.get("version", "")) is not None

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Keep the first part."""
        return {"version": crash.processed["version"].partition(" ")[0]}


RULES = [AcmeVersion(frozenset({"AcmePaint", "AcmeDraw"}))]
