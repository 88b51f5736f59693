# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Runs a ruleset over a crash: every rule once, in order, none able to spoil the others."""

import logging
import os
import socket
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from processor.crash import Crash
from socorro import __version__
from socorro.fields import FIELDS
from socorro.metrics import METRICS
from socorro.sentry import report_error

logger = logging.getLogger(__name__)

_MAX_HISTORY = 50
FAILED_SIGNATURE = "EMPTY: crash failed to process"
# What the pipeline itself writes, before and after the rules.
PIPELINE_FIELDS = frozenset(
    {
        "completed_datetime",
        "processor_history",
        "processor_notes",
        "signature",
        "started_datetime",
        "success",
    }
)


_CLASSES: Mapping[str, frozenset[type]] = {
    name: field.shape.classes | ({type(None)} if field.nullable else frozenset())
    for name, field in FIELDS.items()
}


class RulesetError(Exception):
    """A ruleset cannot work: a rule reads or writes a field that does not exist."""


class StackwalkerNotReadyError(Exception):
    """The stackwalker is still being built: this crash must wait."""


class Rule(Protocol):
    """One subject of a processed crash.

    `reads` and `writes` are fields of the processed crash. `act` returns the fields that it found,
    a part of `writes`; it sees what earlier rules wrote in `crash.processed` and changes nothing
    itself, so that a rule that raises leaves no trace but a note.
    """

    reads: frozenset[str]
    writes: frozenset[str]

    def applies(self, crash: Crash) -> bool:
        """Say whether the rule has something to do for this crash."""
        ...

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Return the fields to set."""
        ...


def check_ruleset(rules: Sequence[Rule], given: frozenset[str] = frozenset()) -> None:
    """Check the declarations of rules against the field registry and each other.

    `given` are fields of the stored crash that a partial ruleset starts from. Raises RulesetError
    for a field that the registry does not have, and for one read before any rule wrote it.
    """
    known = frozenset(FIELDS)
    written = PIPELINE_FIELDS | given
    for rule in rules:
        name = type(rule).__name__
        if unknown := (rule.reads | rule.writes) - known:
            raise RulesetError(f"{name}: not in the field registry: {', '.join(sorted(unknown))}")
        if unwritten := rule.reads - written:
            raise RulesetError(f"{name}: nothing writes {', '.join(sorted(unwritten))}")
        written |= rule.writes


class Pipeline:
    """A ruleset, ready to run. Made once for a process; `run` keeps nothing between crashes."""

    def __init__(self, name: str, rules: Sequence[Rule], *, from_stored: bool = False) -> None:
        """Check the rules. With `from_stored` they work on the stored processed crash.

        Raises RulesetError.
        """
        check_ruleset(rules, given=frozenset(FIELDS) if from_stored else frozenset())
        self.name = name
        self.from_stored = from_stored
        self._rules = tuple(rules)

    def run(self, crash: Crash, stored: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the processed crash.

        `stored` is the result of an earlier run: its notes become history, and a partial ruleset
        works on a copy of it. Raises StackwalkerNotReadyError and nothing else that a rule raises.
        """
        processed = crash.processed
        if self.from_stored and stored:
            processed.update(stored)
        else:
            processed["signature"] = FAILED_SIGNATURE
        started = processed["started_datetime"] = _now()
        who = f"{socket.gethostname()}:{os.getpid()}, socorro {__version__}"
        crash.notes.append(f">>> Start processing: {started} ({who})")
        failures = sum(not self._run_rule(rule, crash) for rule in self._rules)
        processed["success"] = failures == 0
        processed["processor_history"] = _history(stored)
        processed["processor_notes"] = "\n".join(crash.notes)
        processed["completed_datetime"] = _now()
        return processed

    def _run_rule(self, rule: Rule, crash: Crash) -> bool:
        name = type(rule).__name__
        noted = len(crash.notes)
        started = time.perf_counter()
        try:
            changes = rule.act(crash) if rule.applies(crash) else {}
            # Without METRICS.timer, whose context manager costs as much as a usual rule.
            milliseconds = (time.perf_counter() - started) * 1000
            METRICS.timing("processor.rule.act.timing", milliseconds, tags=[f"rule:{name}"])
            if undeclared := changes.keys() - rule.writes:
                raise RulesetError(f"{name} wrote undeclared {', '.join(sorted(undeclared))}")
        except StackwalkerNotReadyError:
            raise
        except Exception as error:
            del crash.notes[noted:]
            # The class alone: notes are public, and a text may quote an annotation.
            crash.note(f"ruleset {self.name!r} rule {name!r} failed: {type(error).__name__}")
            logger.error("rule %s failed: %s", name, type(error).__name__, exc_info=error)
            METRICS.incr("processor.rule.failed", tags=[f"rule:{name}"])
            report_error(error, rule=name, ruleset=self.name, crash_id=crash.crash_id)
            return False
        crash.processed.update(_of_their_types(changes, name, crash))
        return True


def _of_their_types(changes: Mapping[str, Any], rule: str, crash: Crash) -> Mapping[str, Any]:
    """Return the fields whose values are of the registered types; the others are noted.

    The last line of defence: nothing of a wrong type gets into storage, index and export.
    """
    wrong = [name for name, value in changes.items() if value.__class__ not in _CLASSES[name]]
    for name in wrong:
        crash.note(f"rule {rule!r}: {name} is not {FIELDS[name].type}")
    return {name: changes[name] for name in changes if name not in wrong} if wrong else changes


def _history(stored: Mapping[str, Any] | None) -> list[str]:
    """Return the notes of earlier runs, the newest first: the latest ones, and the first of all."""
    if not stored:
        return []
    history = stored.get("processor_history")
    notes = stored.get("processor_notes")
    older = [note for note in history if isinstance(note, str)] if isinstance(history, list) else []
    whole = [notes, *older] if isinstance(notes, str) else older
    if len(whole) <= _MAX_HISTORY:
        return whole
    return [*whole[: _MAX_HISTORY - 1], whole[-1]]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
