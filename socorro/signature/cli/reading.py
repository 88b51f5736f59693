# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crashes as they are given: in files, by ids, on the standard input."""

import argparse
import json
import re
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import Console
from rich.progress import Progress

from socorro.signature.cli.source import Installation, NoCrash, Source
from socorro.signature.convert import from_processed_crash

_CRASH_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_STDIN = "-"


class BadDocument(ValueError):
    """A text that holds no crash; the message says why."""


@dataclass(frozen=True, slots=True)
class Given:
    """A crash to sign: what it is called, its crash data, and the signature it has, if known."""

    label: str
    data: Mapping[str, Any]
    old: str | None


class Reading:
    """Reads what the options ask for; `failed` has the crashes that could not be had."""

    def __init__(
        self, options: argparse.Namespace, source: Source | None, installation: Installation | None
    ) -> None:
        self.failed: list[str] = []
        self._options = options
        self._source = source
        self._installation = installation

    def crashes(self) -> Iterator[Given]:
        """The crashes, in the order in which they were given. Raises SourceError."""
        jobs = self._options.jobs if self._source else 1
        console = Console(stderr=True, quiet=not self._shows_progress())
        pool = ThreadPoolExecutor(jobs)
        try:
            with Progress(console=console, transient=True) as progress:
                task = progress.add_task("Signing", total=self._total())
                for attempt in self._attempts(pool, ahead=jobs):
                    given = attempt.result()
                    progress.advance(task)
                    if given:
                        yield given
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def fail(self, label: str, error: Exception) -> None:
        """Say on standard error why there is no signature."""
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        sys.stderr.write(f"{printable(label[:300])}: {reason}\n")
        self.failed.append(label)

    def _attempts(self, pool: Executor, ahead: int) -> Iterator[Future[Given | None]]:
        """The readings in their order, some of them at work already."""
        waiting: deque[Future[Given | None]] = deque()
        for item in self._items():
            waiting.append(pool.submit(self._attempt, item))
            if len(waiting) > ahead:
                yield waiting.popleft()
        yield from waiting

    def _items(self) -> Iterator[str | bytes]:
        """Files and ids as text; documents, which are on the standard input, as bytes."""
        options = self._options
        if options.last and self._installation:
            yield from self._installation.latest(
                options.last, product=options.product, signature=options.signature
            )
        for text in options.crashes or ([] if options.last else [_STDIN]):
            if text == _STDIN:
                yield from _document_or_ids(sys.stdin.buffer)
            else:
                yield text

    def _total(self) -> int | None:
        crashes = self._options.crashes
        unknown = self._options.last or not crashes or _STDIN in crashes
        return None if unknown else len(crashes)

    def _shows_progress(self) -> bool:
        """Whether somebody waits, and sees nothing else meanwhile."""
        silent = self._options.changes or not sys.stdout.isatty()
        return sys.stderr.isatty() and silent and self._total() != 1

    def _attempt(self, item: str | bytes) -> Given | None:
        label = item if isinstance(item, str) else _STDIN
        try:
            return self._read(item)
        except (BadDocument, NoCrash, OSError) as error:
            self.fail(label, error)
            return None

    def _read(self, item: str | bytes) -> Given:
        if isinstance(item, bytes):
            return _given(_STDIN, parse_object(item))
        crash_id = crash_id_in(item)
        if not crash_id or Path(item).is_file():
            return _given(item, parse_object(Path(item).read_bytes()))
        if not self._source:
            raise NoCrash("a crash id needs a server: give --server URL, or set SOCORRO_SERVER")
        processed = self._source.processed_crash(crash_id)
        return Given(crash_id, from_processed_crash(processed), _text(processed, "signature"))


def _document_or_ids(stream: BinaryIO) -> Iterator[str | bytes]:
    """The one document that starts with "{", or the lines that are neither blank nor comments."""
    for line in stream:
        if line.lstrip().startswith(b"{"):
            yield line + stream.read()
            return
        text = line.decode("utf-8", "replace").strip()
        if text and not text.startswith("#"):
            yield text


def _given(label: str, document: Mapping[str, Any]) -> Given:
    if "json_dump" in document:
        return Given(label, from_processed_crash(document), _text(document, "signature") or None)
    if "crash_info" in document:
        return Given(label, from_processed_crash({"json_dump": document}), None)
    return Given(label, document, _text(document, "original_signature") or None)


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def crash_id_in(text: str) -> str | None:
    """The id in an id, a bp- id or the address of a report; None if it holds none."""
    last = text.strip().partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2].lower()
    crash_id = last.removeprefix("bp-")
    return crash_id if _CRASH_ID.fullmatch(crash_id) else None


def printable(text: str) -> str:
    """The text without what a terminal would act on."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def parse_object(text: bytes) -> Mapping[str, Any]:
    """The JSON object in a text; raises BadDocument if there is none."""
    try:
        document = json.loads(text)
    except RecursionError:
        raise BadDocument("it is nested too deeply") from None
    except ValueError as error:
        raise BadDocument(f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise BadDocument("it is not a JSON object")
    return document
