# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""How the signature of a crash comes about, worked out anew with the lists in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from socorro.signature import CrashDataError, ListLine, Result, Step, TrailEntry
from socorro.signing import Signer
from webapp.crashstats.values import integer, mapping, text

_MOST_CHARS = 1_000
_MOST_NOTES = 50


@dataclass(frozen=True)
class Considered:
    """A frame that was considered.

    `given` is the function as the crash has it, empty if it is the same as `name`.
    """

    number: int
    name: str
    given: str
    kept: bool
    action: str
    lines: tuple[ListLine, ...]


@dataclass(frozen=True)
class Explanation:
    """A signature explained. `problem` says why it cannot be, and then nothing else is there.

    `stored` is the signature that the crash has, `signature` the one that it would get today.
    """

    stored: str
    signature: str = ""
    source: str = ""
    frames: tuple[Considered, ...] = ()
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""

    @property
    def would_change(self) -> bool:
        """Say whether processing the crash again renames it."""
        return not self.problem and self.signature != self.stored


def explain(processed: Mapping[str, Any], signer: Signer) -> Explanation:
    """Work out the signature of a processed crash.

    Of a crash without its protected data, nothing protected can be in the explanation: it is made
    of what is given here alone.
    """
    stored = text(processed.get("signature"))
    try:
        result = signer.sign(processed)
    except CrashDataError as error:
        return Explanation(stored, problem=f"{error.key} is not {error.expected}")
    return Explanation(
        stored=stored,
        signature=text(result.signature),
        source=_source(processed, result),
        frames=tuple(_considered(entry) for entry in result.trail),
        steps=tuple(_step(step) for step in result.steps),
        notes=tuple(_short(note) for note in result.notes[:_MOST_NOTES]),
    )


def _source(processed: Mapping[str, Any], result: Result) -> str:
    if processed.get("java_stack_trace"):
        return "the Java stack trace"
    if processed.get("java_exception"):
        return "the Java exception"
    if any(step.rule == "Shutdown hang" for step in result.steps):
        return "the stack of the main thread, 0, since shutting down took too long"
    crash_info = mapping(mapping(processed.get("json_dump")).get("crash_info"))
    number = integer(crash_info.get("crashing_thread"))
    if number is None:
        return "the stack of thread 0, since the minidump does not say which one crashed"
    return f"the stack of the crashing thread, {number}"


def _considered(entry: TrailEntry) -> Considered:
    did, _, why = str(entry.action).partition(": ")
    name, given = _short(entry.name), _short(entry.given)
    return Considered(
        number=entry.frame,
        name=name,
        given=given if given != name else "",
        kept=did == "kept",
        action=why,
        lines=tuple(
            ListLine(text(line.file), line.line, _short(line.text)) for line in entry.matches
        ),
    )


def _step(step: Step) -> Step:
    return Step(_short(step.rule), _short(step.before), _short(step.after))


def _short(value: str) -> str:
    shown = text(value)
    return shown if len(shown) <= _MOST_CHARS else f"{shown[:_MOST_CHARS]}…"
