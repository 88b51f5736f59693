# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Answers what the stackwalker asks during a walk: where are the symbols of these modules?"""

import json
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

from processor.stackwalk.child import Child, ChildDied, ChildTimedOut
from socorro.symbols.outcome import Missing, Outcome, Why
from socorro.symbols.servers import SymbolServers

# Files that one walk may ask servers for. Real crashes need some dozens; a hostile minidump could
# name any number of modules, and have the servers asked for each.
_MAX_QUESTIONS = 200


@dataclass(frozen=True)
class _Question:
    """`number` names it within the walk; `symbols` is the path below a server's address."""

    number: int
    symbols: str


class Questions:
    """The questions of one walk. Servers may be None, for a child that asks nothing.

    The walk waits for symbols as long as the servers' limits say, from its first question on, but
    not beyond half of the time that it has.
    """

    def __init__(self, child: Child, servers: SymbolServers | None, deadline: float) -> None:
        self._child = child
        self._servers = servers
        self._deadline = deadline
        self._lock = threading.Lock()
        self._open: set[int] = set()
        self._asked = 0
        self._wait_until: float | None = None

    def read_answer(self) -> bytes:
        """Answer questions until the line comes that is none, and return that.

        Raises what reading from a child raises, and ValueError for a line that makes no sense.
        """
        try:
            while True:
                line = self._read_line()
                question = _parsed(line) if self._servers else None
                if question is None:
                    return line
                self._take(question)
        finally:
            # What comes too late must not be taken for an answer to the next walk.
            with self._lock:
                self._open.clear()

    def _read_line(self) -> bytes:
        if self._wait_until is not None and self._open:
            try:
                return self._child.read_line(self._wait_until)
            except ChildTimedOut:
                self._give_up()
        return self._child.read_line(self._deadline)

    def _take(self, question: _Question) -> None:
        now = time.monotonic()
        if self._wait_until is None:
            wait = self._servers.limits.wait if self._servers else 0.0
            self._wait_until = now + min(wait, (self._deadline - now) / 2)
        with self._lock:
            self._open.add(question.number)
        self._asked += 1
        if self._servers is None or self._asked > _MAX_QUESTIONS:
            self._reply(question.number, Missing(Why.TOO_SLOW))
            return
        future = self._servers.get(question.symbols)
        if now > self._wait_until and not future.done():
            self._reply(question.number, Missing(Why.TOO_SLOW))
            return
        future.add_done_callback(lambda done: self._reply_with(question.number, done))

    def _reply_with(self, number: int, future: "Future[Outcome]") -> None:
        self._reply(number, future.result())

    def _reply(self, number: int, outcome: Outcome) -> None:
        """Answer a question that is still open, from whatever thread."""
        answer: dict[str, int | str] = {"want": number}
        if isinstance(outcome, Missing):
            answer["status"] = outcome.why.value
        else:
            answer["file"] = str(outcome)
        with self._lock:
            if number not in self._open:
                return
            self._open.discard(number)
            # Whoever reads from a child that died finds that out.
            with suppress(ChildDied):
                self._child.send(json.dumps(answer, ensure_ascii=False).encode() + b"\n")

    def _give_up(self) -> None:
        """Let the walk go on without what it waits for."""
        with self._lock:
            left = sorted(self._open)
        for number in left:
            self._reply(number, Missing(Why.TOO_SLOW))


def _parsed(line: bytes) -> _Question | None:
    """Return the question of a line, None for an answer. Raises ValueError."""
    fields = json.loads(line)
    if not isinstance(fields, dict) or "want" not in fields:
        return None
    number, symbols = fields["want"], fields.get("symbols")
    if not isinstance(number, int) or not isinstance(symbols, str):
        raise ValueError
    return _Question(number, symbols)
