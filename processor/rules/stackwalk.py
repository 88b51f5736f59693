# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The stack walk of each minidump, by the configured stackwalker."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule
from processor.stackwalk import Walkers, WalkResult
from processor.stackwalk.result import UNAVAILABLE
from socorro.metrics import METRICS
from socorro.storage.base import MAIN_DUMP

_MAX_STDERR_LINES = 10
# What marks crashes that are processed again once a stackwalker is there.
NO_STACKWALKER = "NoStackwalker"


class StackWalk(Rule):
    """``json_dump`` and what says how the walk went.

    The main minidump's fields stand at the top level; those of a further one
    (``upload_file_minidump_browser``) under its own name, listed in ``additional_minidumps``.
    """

    writes = frozenset(
        {
            "additional_minidumps",
            "json_dump",
            "mdsw_return_code",
            "mdsw_status_string",
            "mdsw_stderr",
            "stackwalk_version",
            "upload_file_minidump_browser",
        }
    )

    def __init__(self, walkers: Walkers) -> None:
        self._walkers = walkers

    def applies(self, crash: Crash) -> bool:
        """Only for crashes with a minidump."""
        return any(name.startswith(MAIN_DUMP) for name in crash.dumps)

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Walk the main minidump, then the others. Raises StackwalkerNotReadyError."""
        annotations = crash.workdir / "annotations.json"
        annotations.write_text(json.dumps(_for_the_stackwalker(crash.annotations)))
        fields: dict[str, Any] = {}
        additional = []
        for name in sorted(crash.dumps):
            if name == MAIN_DUMP:
                fields |= self._walk(crash, name, annotations)
            elif name.startswith(MAIN_DUMP):
                additional.append(name)
                walked = self._walk(crash, name, annotations)
                if name in self.writes:
                    fields[name] = walked
        return fields | ({"additional_minidumps": additional} if additional else {})

    def _walk(self, crash: Crash, name: str, annotations: Path) -> dict[str, Any]:
        walker = self._walkers.get()
        if walker is None:
            return self._without_walker(crash)
        with METRICS.timer("processor.minidumpstackwalk.time"):
            result = walker.walk(crash.dumps[name], annotations)
        if result.status == UNAVAILABLE:
            return self._without_walker(crash)
        outcome = "success" if result.success else "fail"
        METRICS.incr("processor.minidumpstackwalk.run", tags=[f"outcome:{outcome}"])
        if not result.success:
            crash.note(f"stackwalker failed on {name}: {result.return_code}: {result.status}")
        return _fields_of(result)

    def _without_walker(self, crash: Crash) -> dict[str, Any]:
        crash.note(
            "The stack was not walked, since there is no stackwalker; "
            "this crash is processed again when there is one."
        )
        return {"mdsw_status_string": NO_STACKWALKER, "mdsw_return_code": -1}


def _for_the_stackwalker(annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return annotations as the stackwalker reads them: the certificates are a text of JSON."""
    certificates = annotations.get("ModuleSignatureInfo")
    if certificates is None or isinstance(certificates, str):
        return dict(annotations)
    return {**annotations, "ModuleSignatureInfo": json.dumps(certificates)}


def _fields_of(result: WalkResult) -> dict[str, Any]:
    lines = result.stderr.strip().splitlines()
    cut = ["...", *lines[-_MAX_STDERR_LINES:]] if len(lines) > _MAX_STDERR_LINES else lines
    return {
        "json_dump": result.output or {},
        "mdsw_return_code": result.return_code,
        "mdsw_status_string": result.status,
        "mdsw_stderr": "\n".join(cut),
        "stackwalk_version": result.version,
    }
