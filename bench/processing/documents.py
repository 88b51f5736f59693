# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a desktop crash costs from its parsed stack walk to its saved documents.

The yardstick is what the standard library takes to write and read the processed crash as JSON, in
the same run: where the existing system takes 60 ms for this crash, that takes 11.1 ms.
"""

import gc
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from bench.processing.desktop import desktop_annotations, desktop_walk
from processor.crash import Crash, clean_annotations
from processor.pipeline import Pipeline
from processor.ruleset import load_rulesets
from processor.stackwalk import Stackwalker, WalkResult
from socorro.crash_id import make_crash_id
from socorro.fields import public_processed_crash, search_document, telemetry_document
from socorro.search import SearchIndex, open_index
from socorro.settings import Settings
from socorro.storage import CrashStorage, open_storage
from socorro.storage.encoding import encode_processed_crash

KIB = 1024
WARM_UPS = 5
ROUNDS = 200

# On one and the same machine, in milliseconds of processor time.
EXISTING_MS = 60.0
EXISTING_YARDSTICK_MS = 6.7 + 4.4
MINIMUM_RATIO = 5.0

DAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
DUMP = "upload_file_minidump"


class ParsedWalks:
    """A stackwalker whose answer is there already."""

    version = "bench"

    def __init__(self) -> None:
        self._output: dict[str, Any] = {}

    def give(self, output: dict[str, Any]) -> None:
        """Set the answer to all further walks."""
        self._output = output

    def get(self) -> Stackwalker:
        """Return the stackwalker, as a rule asks for it."""
        return self

    def walk(self, minidump: Path, annotations: Path | None) -> WalkResult:  # noqa: ARG002
        """Return what was given."""
        return WalkResult(self._output, 0, "OK", "", self.version, success=True)

    def close(self) -> None:
        """Nothing runs."""


def undisturbed(times: Sequence[float]) -> float:
    """Return the least: what it takes when nobody else slows the machine's memory down.

    All that is compared is measured in the same rounds, and in enough of them for each to have some
    to itself. A median would measure the neighbours as well.
    """
    return min(times)


@dataclass
class Stages:
    """Milliseconds of processor time that each stage took, by its name, in all rounds."""

    taken: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what is done inside, in all threads of this process."""
        started = time.process_time()
        yield
        milliseconds = (time.process_time() - started) * 1000
        self.taken.setdefault(name, []).append(milliseconds)

    def typical(self, name: str) -> float:
        """Return what a stage takes when the machine's memory is not busy with others."""
        return undisturbed(self.taken[name])

    def whole(self) -> float:
        """Return what a whole round takes, as `typical`."""
        return undisturbed([sum(stages) for stages in zip(*self.taken.values(), strict=True)])


@dataclass(frozen=True)
class DesktopCost:
    """The result: all times in milliseconds of processor time; `size` in bytes of JSON."""

    size: int
    stages: Stages
    yardstick: float

    @property
    def existing(self) -> float:
        """What the existing system would take on this machine at this moment."""
        return EXISTING_MS * self.yardstick / EXISTING_YARDSTICK_MS

    @property
    def ratio(self) -> float:
        """How many times less than the existing system ours takes."""
        return self.existing / self.stages.whole()


class DesktopRun:
    """Processes the desktop crash again and again, into storage and index of its own."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._walks = ParsedWalks()
        self._pipeline: Pipeline = load_rulesets(settings, self._walks, online=False)["default"]
        self._processed: CrashStorage = open_storage(f"fs://{folder}/crashes")
        self._telemetry: CrashStorage = open_storage(f"fs://{folder}/telemetry")
        self._index: SearchIndex = open_index(f"embedded://{folder}/search")
        self._folder = folder
        folder.mkdir(exist_ok=True)
        self._walk = orjson.dumps(desktop_walk())

    def once(self, stages: Stages) -> dict[str, Any]:
        """Process and save one crash, everything of it new; return the processed crash."""
        crash_id = make_crash_id(DAY)
        self._walks.give(orjson.loads(self._walk))
        raw_crash = clean_annotations(desktop_annotations(crash_id))
        crash = Crash(crash_id, raw_crash, {DUMP: self._folder / "a.dmp"}, self._folder)
        with stages.stage("rules"):
            processed = self._pipeline.run(crash, None)
        if not processed["success"] or processed["crashing_thread"] != 0:
            raise RuntimeError(f"not processed as it should be: {processed['processor_notes']}")
        with stages.stage("processed crash: JSON, saved"):
            self._processed.save_processed_crash(crash_id, processed)
        with stages.stage("index document: made, JSON, accepted"):
            self._index.put(search_document(processed))
        with stages.stage("telemetry: made, JSON, saved"):
            self._telemetry.save_telemetry_crash(crash_id, telemetry_document(processed))
        with stages.stage("public document: made, JSON"):
            encode_processed_crash(public_processed_crash(processed))
        return processed

    def close(self) -> None:
        """Release the index."""
        self._index.close()


def measure_desktop(settings: Settings, folder: Path) -> DesktopCost:
    """Measure ours and the yardstick in turns."""
    run = DesktopRun(settings, folder)
    processed = [run.once(Stages()) for _ in range(WARM_UPS)][-1]
    # What was made at start is no garbage; a processor has it from its first crash on.
    gc.collect()
    stages, yardsticks = Stages(), []
    for _ in range(ROUNDS):
        run.once(stages)
        yardsticks.append(_milliseconds(lambda: json.loads(json.dumps(processed))))
    run.close()
    size = len(encode_processed_crash(processed))
    return DesktopCost(size, stages, undisturbed(yardsticks))


def _milliseconds(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return (time.process_time() - started) * 1000
