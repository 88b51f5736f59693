# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""How far a long command has come: a bar on a terminal, a line now and then elsewhere."""

import time
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINE_SECONDS = 15.0


class Counter:
    """Counts what is done of `total`, which may be unknown, and shows it on standard error."""

    def __init__(self, verb: str, total: int | None = None) -> None:
        """`verb` is what happens: "Queueing"."""
        self._verb = verb
        self._total = total
        self.done = 0
        console = Console(stderr=True)
        self._interactive = console.is_terminal
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not self._interactive,
        )
        self._task = self._bar.add_task(verb, total=total)
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def add(self, number: int, place: str = "") -> None:
        """Count `number` more; `place` says where the work is: "2026-11-20"."""
        self.done += number
        description = f"{self._verb} {place}".rstrip()
        self._bar.update(self._task, completed=self.done, description=description)
        now = time.monotonic()
        if not self._interactive and now - self._last_line >= _LINE_SECONDS:
            self._last_line = now
            click.echo(f"{description}: {self.so_far}", err=True)

    @property
    def so_far(self) -> str:
        """Say how many of how many are done."""
        return f"{self.done:,}" if self._total is None else f"{self.done:,} of {self._total:,}"
