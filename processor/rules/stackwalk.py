# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The stack walk of each minidump, by the configured stackwalker."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule
from processor.stackwalk import Walkers, WalkResult
from processor.stackwalk.result import EMPTY_MINIDUMP, OK, TIMEOUT, UNAVAILABLE, UNKNOWN_ERROR
from socorro.metrics import METRICS
from socorro.storage.base import MAIN_DUMP

_MAX_STDERR_LINES = 10
# "ERROR MissingThreadList - ...": the name of an error, which is no private matter.
_LOGGED_ERROR = re.compile(r"ERROR ([A-Za-z0-9_]{1,64})\b")
# What marks crashes that are processed again once a stackwalker is there.
NO_STACKWALKER = "NoStackwalker"


class StackWalk(Rule):
    """``json_dump`` and what says how the walk went.

    The main minidump's fields stand at the top level; those of a further one
    (``upload_file_minidump_browser``) under its own name. ``additional_minidumps`` lists all of
    them; one that has no field is not walked, or a report of many would keep a processor for hours.
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

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Walk the main minidump and the others. Raises StackwalkerNotReadyError."""
        names = sorted(name for name in crash.dumps if name.startswith(MAIN_DUMP))
        fields: dict[str, Any] = {
            "additional_minidumps": [name for name in names if name != MAIN_DUMP]
        }
        names = [name for name in names if name == MAIN_DUMP or name in self.writes]
        if not names:
            return fields
        annotations = crash.workdir / "annotations.json"
        annotations.write_text(json.dumps(_for_the_stackwalker(crash.annotations)))
        for name in names:
            walked = self._walk(crash, name, annotations)
            if name == MAIN_DUMP:
                # Of a crash as a whole, the pipeline says whether it was a success.
                fields |= {key: value for key, value in walked.items() if key != "success"}
            else:
                fields[name] = walked
        return fields

    def _walk(self, crash: Crash, name: str, annotations: Path) -> dict[str, Any]:
        walker = self._walkers.get()
        if walker is None:
            return self._without_walker(crash)
        with METRICS.timer("processor.minidumpstackwalk.time"):
            result = walker.walk(crash.dumps[name], annotations)
        if result.status == UNAVAILABLE:
            return self._without_walker(crash)
        if result.status == EMPTY_MINIDUMP:
            crash.note(f"MinidumpStackwalkRule: {name} is empty--skipping minidump processing")
            return {"mdsw_status_string": result.status, "mdsw_stderr": result.stderr}
        outcome = "success" if result.success else "fail"
        tags = [f"outcome:{outcome}", f"exitcode:{result.return_code}"]
        METRICS.incr("processor.minidumpstackwalk.run", tags=tags)
        if not result.success:
            crash.note(f"MinidumpStackwalkRule: minidump-stackwalk: {_failure(result)}")
        return _fields_of(result) | {"mdsw_status_string": _status(crash, name, result)}

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


def _failure(result: WalkResult) -> str:
    if result.status == TIMEOUT:
        return "timeout (SIGKILL)"
    return f"failed: {result.return_code}: {result.status}"


def _status(crash: Crash, name: str, result: WalkResult) -> str:
    """Return the status, or the error that the log begins with where that says more."""
    error = _LOGGED_ERROR.match(result.stderr)
    if error is None or result.status not in (OK, UNKNOWN_ERROR):
        return result.status
    crash.note(f"MinidumpStackwalkRule: processing {name} had error; stomped on mdsw_status_string")
    return error[1]


def _fields_of(result: WalkResult) -> dict[str, Any]:
    return {
        "json_dump": result.output or {},
        "mdsw_return_code": result.return_code,
        "mdsw_stderr": _last_lines(result.stderr),
        "stackwalk_version": result.version,
        "success": result.success,
    }


def _last_lines(log: str) -> str:
    if log.count("\n") <= _MAX_STDERR_LINES:
        return log
    return "\n".join(["...", *log.splitlines()[-_MAX_STDERR_LINES:]])
