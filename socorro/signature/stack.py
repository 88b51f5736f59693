# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The signature of a native stack: C, C++ and Rust.

From the top of the stack, irrelevant frames are skipped, and a frame that says too little alone
(a "prefix") is kept together with the next one. The first frame that is neither ends it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from socorro.signature.draft import Draft
from socorro.signature.errors import CrashDataError
from socorro.signature.frames import Name, names
from socorro.signature.lists import ListLine, SignatureLists
from socorro.signature.result import Action, TrailEntry

SEPARATOR = " | "
NO_FRAMES = "EMPTY: no frame data available"

_LIBRARY_SUFFIXES = (".dll", ".so")


@dataclass(frozen=True, slots=True)
class Selection:
    """The frames that make the signature, and why."""

    signature: str
    trail: tuple[TrailEntry, ...]


def sign_thread(draft: Draft, index: int) -> None:
    """Sign the draft with the stack of a thread; raises CrashDataError for a malformed one."""
    thread = draft.crash.thread(index)
    try:
        stack = names(thread, windows=draft.crash.os == "Windows NT", lists=draft.lists)
    except CrashDataError as error:
        raise error.within(f"threads[{index}]") from None
    if not stack:
        draft.signature = NO_FRAMES
        draft.trail = ()
        draft.note(f"thread {index} has no frames")
        return
    selection = select(stack, draft.lists)
    draft.signature = selection.signature
    draft.trail = selection.trail
    draft.proto_signature = SEPARATOR.join([name.text for name in stack])
    if selection.trail[-1].action is Action.FALLBACK:
        draft.note(f"no frame of thread {index} is relevant, the first one is used")


def select(stack: Sequence[Name], lists: SignatureLists) -> Selection:
    """Choose the frames that name the crash; the stack has at least one."""
    trail: list[TrailEntry] = []
    start, sentinel = _sentinel(stack, lists)
    for number, name in enumerate(stack[:start]):
        trail.append(TrailEntry(number, name.text, Action.BEFORE_SENTINEL, (), name.given))
    parts: list[str] = []
    for number in range(start, len(stack)):
        first_match = sentinel if number == start else None
        entry = _consider(number, stack[number], parts, first_match, lists)
        trail.append(entry)
        if entry.action in (Action.PREFIX, Action.LAST):
            parts.append(entry.name)
        if entry.action is Action.LAST:
            break
    if not parts:
        first = stack[start]
        parts.append(first.text)
        trail.append(TrailEntry(start, first.text, Action.FALLBACK, (), first.given))
    return Selection(SEPARATOR.join(parts), tuple(trail))


def _sentinel(stack: Sequence[Name], lists: SignatureLists) -> tuple[int, ListLine | None]:
    """Where the signature starts: at the first sentinel, or at the top."""
    if lists.sentinels.keys().isdisjoint([name.text for name in stack]):
        return 0, None
    number = next(n for n, name in enumerate(stack) if name.text in lists.sentinels)
    return number, lists.sentinels[stack[number].text]


def _consider(
    number: int, name: Name, parts: list[str], sentinel: ListLine | None, lists: SignatureLists
) -> TrailEntry:
    text = name.text
    action, decisive = _decide(text, parts, lists)
    matches = tuple(line for line in (sentinel, name.line_numbers, decisive) if line)
    return TrailEntry(number, text, action, matches, name.given)


def _decide(text: str, parts: list[str], lists: SignatureLists) -> tuple[Action, ListLine | None]:
    if not text:
        return Action.EMPTY, None
    irrelevant = lists.irrelevant.match(text)
    if irrelevant:
        return Action.IRRELEVANT, irrelevant
    if parts and parts[-1] == text and _is_library(text):
        return Action.REPEATED, None
    prefix = lists.prefix.match(text)
    if prefix:
        return Action.PREFIX, prefix
    return Action.LAST, None


def _is_library(text: str) -> bool:
    return (
        text.lower().endswith(_LIBRARY_SUFFIXES)
        or text in ("XUL", "<name omitted>")
        or text.startswith("<unknown in")
    )
