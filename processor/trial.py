# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Runs the default ruleset over crashes that no server knows: for trying a rule, and for tests.

Nothing is stored, queued or indexed.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from processor.crash import Crash, clean_annotations
from processor.pipeline import Pipeline
from processor.stackwalk import Stackwalker, WalkResult
from processor.stackwalk.result import OK, UNKNOWN_ERROR, failed
from socorro.fields import FIELDS
from socorro.fields.fitting import fitted
from socorro.storage.base import MAIN_DUMP

BROWSER_DUMP = "upload_file_minidump_browser"
# What a line may hold beside the raw crash: walks that are done, by the dumps they are of.
GIVEN_WALKS = {"stackwalk": MAIN_DUMP, "stackwalk_browser": BROWSER_DUMP}


class NotACrash(ValueError):
    """What was given cannot be processed; the text says why."""


class GivenWalks:
    """A stackwalker that knows the results already: those of the crash that is next in line."""

    version = "unknown"

    def __init__(self) -> None:
        self._outputs: Mapping[str, dict[str, Any]] = {}

    def get(self) -> Stackwalker:
        """Return the stackwalker, as `processor.walker.WalkerSource` does."""
        return self

    def take(self, outputs: Mapping[str, dict[str, Any]]) -> dict[str, Path]:
        """Have the walks of the next crash, by dump name; return the dumps for it.

        What a stackwalker would not write is taken out of them: nothing of a wrong type may be in
        a processed crash.
        """
        shape = FIELDS["json_dump"].shape
        self._outputs = {name: fitted(shape, output) for name, output in outputs.items()}
        return {name: Path(name) for name in outputs}

    def walk(self, minidump: Path, annotations: Path | None) -> WalkResult:  # noqa: ARG002
        """Return what was given for a dump."""
        output = self._outputs.get(minidump.name)
        if output is None:
            return failed(UNKNOWN_ERROR, "", self.version)
        status = output.get("status")
        status = status if isinstance(status, str) else UNKNOWN_ERROR
        return WalkResult(output, 0, status, "", self.version, success=status == OK)

    def close(self) -> None:
        """Nothing runs."""


def process_given(line: Any, pipeline: Pipeline, walks: GivenWalks) -> dict[str, Any]:
    """Return the processed crash of a line of `socorro process --jsonl`, decoded.

    The line is an object with ``raw_crash``, the annotations, and with ``stackwalk`` and
    ``stackwalk_browser``, rust-minidump's JSON of the two dumps; null or no such key where there is
    no dump. `pipeline` must have `walks` as its source of stackwalkers. Raises NotACrash.
    """
    if not isinstance(line, dict):
        raise NotACrash("the line is not a JSON object")
    if unknown := sorted(line.keys() - {"raw_crash", *GIVEN_WALKS}):
        raise NotACrash(f"unknown key {unknown[0][:80]!r}: use raw_crash, stackwalk, ...")
    raw_crash = line.get("raw_crash")
    if not isinstance(raw_crash, dict):
        raise NotACrash("raw_crash must be a JSON object, the annotations")
    outputs = {}
    for key, name in GIVEN_WALKS.items():
        output = line.get(key)
        if isinstance(output, dict):
            outputs[name] = output
        elif output is not None:
            raise NotACrash(f"{key} must be a JSON object or null")
    return process_report(raw_crash, walks.take(outputs), pipeline)


def process_report(
    raw_crash: Mapping[str, Any], dumps: Mapping[str, Path], pipeline: Pipeline
) -> dict[str, Any]:
    """Return the processed crash of a report: its annotations, and its dumps by their names.

    Raises StackwalkerNotReadyError.
    """
    annotations = clean_annotations(raw_crash)
    crash_id = annotations.get("uuid")
    with tempfile.TemporaryDirectory(prefix="socorro-process-") as folder:
        crash = Crash(
            crash_id if isinstance(crash_id, str) else "", annotations, dumps, Path(folder)
        )
        return pipeline.run(crash, None)
