# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro process`: the whole ruleset on files or lines of JSON, without a server."""

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import orjson

from processor.pipeline import Pipeline, StackwalkerNotReadyError
from processor.ruleset import load_rulesets
from processor.trial import GivenWalks, NotACrash, process_given, process_report
from processor.walker import WalkerSource
from socorro.cli.pairs import named_files, named_values
from socorro.crash_id import is_crash_id, make_crash_id
from socorro.settings import Settings
from socorro.signature.cli.lines import available_lines, too_long
from socorro.storage import CrashNotFound, CrashStorage, StorageError, open_storage
from socorro.storage.base import MAIN_DUMP

_NOT_READY_SECONDS = 3.0
_MINIDUMP = b"MDMP"


@dataclass(frozen=True)
class Extras:
    """What comes with each file: annotations, and further dumps by their names."""

    annotations: Mapping[str, str] = field(default_factory=dict)
    dumps: Mapping[str, Path] = field(default_factory=dict)


def extras_of(pairs: Sequence[str], files: Sequence[str]) -> Extras:
    """Return what options of the form NAME=VALUE say. Raises click.UsageError for wrong ones."""
    return Extras(named_values(pairs), named_files(files))


def process_lines(settings: Settings, source: BinaryIO, output: TextIO) -> int:
    """Answer each line with a processed crash, or with an error; return 0. Asks no network.

    All lines that are there are answered before the answers are sent. Raises SettingError.
    """
    walks = GivenWalks()
    pipeline = load_rulesets(settings, walks, online=False)["default"]
    for lines in available_lines(source):
        for line in lines:
            output.write(_encoded(_answer(line, pipeline, walks)))
            output.write("\n")
        output.flush()
    return 0


def process_files(settings: Settings, given: Sequence[str], extras: Extras, *, pretty: bool) -> int:
    """Print the processed crash of each report; return 1 if there is one that has none.

    A report is a minidump, a file with annotations as JSON with its minidump beside it
    (``crash.json``, ``crash.dmp``), or the id of a stored crash. Raises SettingError.
    """
    failures = 0
    with closing(WalkerSource(settings)) as walkers:
        pipeline = load_rulesets(settings, walkers)["default"]
        for name in given:
            with tempfile.TemporaryDirectory(prefix="socorro-process-") as folder:
                try:
                    raw_crash, dumps = _report(settings, name, Path(folder), extras)
                except NotACrash as error:
                    failures += 1
                    print(f"{name}: {error}", file=sys.stderr)
                    continue
                processed = _process(raw_crash, dumps, pipeline)
            print(json.dumps(processed, indent=2) if pretty else _encoded(processed))
    return 1 if failures else 0


def _answer(line: bytes | None, pipeline: Pipeline, walks: GivenWalks) -> dict[str, Any]:
    if line is None:
        return {"error": too_long()}
    try:
        return process_given(_decoded(line), pipeline, walks)
    except NotACrash as error:
        return {"error": str(error)}


def _decoded(text: bytes) -> Any:
    """Return the JSON value of a text, integers of any size as they are. Raises NotACrash."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise NotACrash(f"not JSON: {error.msg} at character {error.pos}") from None
    except ValueError:
        raise NotACrash("not JSON that can be read: no Unicode, or a number too long") from None
    except RecursionError:
        raise NotACrash("not JSON: too deep") from None


def _encoded(document: Mapping[str, Any]) -> str:
    try:
        return orjson.dumps(document).decode()
    except TypeError:
        # Lone surrogates, and integers beyond 64 bits.
        return json.dumps(document)


def _process(
    raw_crash: Mapping[str, Any], dumps: Mapping[str, Path], pipeline: Pipeline
) -> dict[str, Any]:
    told = False
    while True:
        try:
            return process_report(raw_crash, dumps, pipeline)
        except StackwalkerNotReadyError:
            if not told:
                told = True
                print("Waiting for the stackwalker, which is being built...", file=sys.stderr)
            time.sleep(_NOT_READY_SECONDS)


def _report(
    settings: Settings, given: str, folder: Path, extras: Extras
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Return annotations and dumps, the latter perhaps in `folder`. Raises NotACrash."""
    if is_crash_id(given):
        raw_crash, dumps = _stored_report(open_storage(settings.crash_storage), given, folder)
    else:
        raw_crash, dumps = _report_of_file(Path(given))
    now = datetime.now(UTC)
    collected = {"uuid": make_crash_id(now), "submitted_timestamp": now.isoformat()}
    return {**collected, **raw_crash, **extras.annotations}, {**dumps, **extras.dumps}


def _stored_report(
    storage: CrashStorage, crash_id: str, folder: Path
) -> tuple[dict[str, Any], dict[str, Path]]:
    try:
        names = storage.load_dump_names(crash_id)
        dumps = {name: storage.fetch_dump(crash_id, name, folder) for name in names}
        return storage.load_raw_crash(crash_id), dumps
    except CrashNotFound as error:
        raise NotACrash("there is no such crash in CRASH_STORAGE") from error
    except StorageError as error:
        raise NotACrash(str(error)) from error


def _report_of_file(path: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    """Return what a file holds: annotations, or a minidump whose annotations lie beside it."""
    try:
        with path.open("rb") as file:
            is_minidump = file.read(len(_MINIDUMP)) == _MINIDUMP
        if is_minidump:
            annotations = path.with_suffix(".json")
            return _annotations(annotations) if annotations.is_file() else {}, {MAIN_DUMP: path}
        minidump = path.with_suffix(".dmp")
        return _annotations(path), {MAIN_DUMP: minidump} if minidump.is_file() else {}
    except OSError as error:
        raise NotACrash(error.strerror or "cannot be read") from error


def _annotations(path: Path) -> dict[str, Any]:
    """Raises NotACrash and OSError."""
    annotations = _decoded(path.read_bytes())
    if not isinstance(annotations, dict):
        raise NotACrash(f"{path.name} is neither a minidump nor a JSON object of annotations")
    return annotations
