# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro throttle`: checks throttle rules, and shows what they would do."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Column, Table

from collector.throttling import (
    MOZILLA_RULES,
    Chance,
    Outcome,
    RuleFileError,
    RuleThrottler,
    load_throttler,
    read_rules,
)
from socorro.cli.latest import latest_crash_ids
from socorro.crash_id import InvalidCrashId, Throttle, pasted_crash_id
from socorro.settings import SettingError, Settings
from socorro.storage import CrashNotFound, CrashStorage, StorageError, open_storage

_SOME_BAD = 1
_BAD_RULES = 2
_MAX_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Choice:
    """Which reports are tried: crash ids or files, and the `last` crashes, perhaps of a product."""

    reports: Sequence[str]
    last: int | None
    product: str | None

    def __bool__(self) -> bool:
        return bool(self.reports) or self.last is not None


@dataclass(frozen=True)
class _Tried:
    name: str
    chances: Sequence[Chance] = ()
    error: str = ""

    def for_machines(self) -> dict[str, Any]:
        if self.error:
            return {"report": self.name, "error": self.error}
        verdicts = [
            {
                "rule": chance.verdict.rule,
                "result": chance.verdict.result.name.lower(),
                "probability": round(chance.probability, 6),
            }
            for chance in self.chances
        ]
        return {"report": self.name, "verdicts": verdicts}


class _NotReadable(Exception):
    """A report cannot be tried; the text is a sentence."""


def check(settings: Settings, file: Path | None) -> int:
    """Check a file of rules and list them; return 0, or 2 when they are wrong."""
    throttler = _load(settings, file)
    if throttler is None:
        return _BAD_RULES
    table = Table("#", _folded("Rule"), "What it decides", box=None)
    for number, rule in enumerate(throttler.rules, start=1):
        table.add_row(str(number), rule.name, _in_words(rule.outcome))
    Console(highlight=False, markup=False).print(table)
    if file is None and settings.throttle_rules is None:
        click.echo("THROTTLE_RULES names no file: every report is accepted.")
    return 0


def print_mozilla_rules() -> None:
    """Print the file of Mozilla's rules, to be used or changed."""
    click.echo(MOZILLA_RULES.read_text(), nl=False)


def try_rules(settings: Settings, choice: Choice, rules: Path | None, *, as_json: bool) -> int:
    """Show what rules do with reports; nothing is stored.

    Return 0; 1 if a report could not be read; 2 when the rules are wrong. Raises SearchUnavailable
    and StorageUnavailable.
    """
    throttler = _load(settings, rules)
    if throttler is None:
        return _BAD_RULES
    storage = open_storage(settings.crash_storage)
    tried = [_try(throttler, storage, name) for name in _names(settings, choice, as_json=as_json)]
    if as_json:
        for one in tried:
            click.echo(json.dumps(one.for_machines()))
    else:
        _show(tried)
    return _SOME_BAD if any(one.error for one in tried) else 0


def _load(settings: Settings, file: Path | None) -> RuleThrottler | None:
    try:
        return RuleThrottler(read_rules(file)) if file else load_throttler(settings)
    except RuleFileError as error:
        click.echo(f"{error}.", err=True)
    except SettingError as error:
        click.echo(str(error), err=True)
    return None


def _names(settings: Settings, choice: Choice, *, as_json: bool) -> Iterator[str]:
    yield from choice.reports
    if choice.last is None:
        return
    latest = list(latest_crash_ids(settings, choice.last, product=choice.product))
    quiet = as_json or not sys.stderr.isatty()
    console = Console(stderr=True)
    yield from track(latest, "Trying", console=console, disable=quiet)


def _try(throttler: RuleThrottler, storage: CrashStorage, name: str) -> _Tried:
    try:
        return _Tried(name, throttler.chances(_annotations(storage, name)))
    except _NotReadable as error:
        return _Tried(name, error=str(error))


def _annotations(storage: CrashStorage, name: str) -> Mapping[str, Any]:
    """Return the annotations of a stored crash or of a file. Raises _NotReadable."""
    try:
        crash_id = pasted_crash_id(name)
    except InvalidCrashId:
        return _in_file(Path(name))
    try:
        return storage.load_raw_crash(crash_id)
    except CrashNotFound:
        raise _NotReadable("there is no such crash in CRASH_STORAGE") from None
    except StorageError as error:
        raise _NotReadable(str(error)) from error


def _in_file(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _NotReadable(f"is larger than {_MAX_BYTES:,} bytes")
        annotations = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise _NotReadable("is neither a crash id nor a file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise _NotReadable(f"is no JSON that can be read: {error}") from error
    if not isinstance(annotations, dict):
        raise _NotReadable("must hold an object of annotations")
    return annotations


def _show(tried: Sequence[_Tried]) -> None:
    if not tried:
        click.echo("There are no crashes to try the rules on.")
        return
    console = Console(highlight=False, markup=False)
    table = Table(_folded("Report"), _folded("Rule"), "Result", "Probability", box=None)
    for one in tried:
        name = one.name
        for chance in one.chances:
            verdict = chance.verdict
            table.add_row(name, verdict.rule, _word(verdict.result), f"{chance.probability:.1%}")
            name = ""
    if table.row_count:
        console.print(table)
    for one in tried:
        if one.error:
            click.echo(f"{one.name}: {one.error}", err=True)
    _show_sum(tried)


def _show_sum(tried: Sequence[_Tried]) -> None:
    """Say how many of the reports would be accepted and so on, as far as probability tells."""
    expected: Counter[Throttle] = Counter()
    for one in tried:
        for chance in one.chances:
            expected[chance.verdict.result] += chance.probability  # type: ignore[assignment]
    reports = sum(not one.error for one in tried)
    if reports > 1:
        parts = [f"{count:,.1f} {_word(result)}" for result, count in sorted(expected.items())]
        click.echo(f"Of {reports:,} reports, expected: {', '.join(parts)}.")


def _folded(header: str) -> Column:
    """Return a column whose texts are never cut off, however narrow the terminal."""
    return Column(header, overflow="fold")


def _in_words(outcome: Outcome) -> str:
    return ", ".join(
        f"{_word(result)} {share:.3g} %" if share < 100 else _word(result)
        for result, share in ((result, 100 * share) for result, share in outcome.chances())
    )


def _word(result: Throttle | None) -> str:
    return "continue" if result is None else result.name.lower().replace("_", "-")
