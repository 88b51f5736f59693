# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Where processed crashes come from by their ids."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from socorro.signature.draft import Rule


class NoCrash(ValueError):
    """One crash cannot be had; the message says why."""


class SourceError(ValueError):
    """The source is of no use for any crash; the message says why."""


class Source(Protocol):
    """Processed crashes by id.

    `remark` is said once if signatures differ: what about this source may be the reason.
    """

    @property
    def remark(self) -> str: ...

    def processed_crash(self, crash_id: str) -> Mapping[str, Any]:
        """Raises NoCrash and SourceError; may be called by several threads."""
        ...


class Installation(Source, Protocol):
    """What an installation knows besides: its lists (None: those shipped), rules and crashes."""

    @property
    def siglists(self) -> Path | None: ...

    @property
    def rules(self) -> Sequence[Rule]: ...

    def latest(self, count: int, *, product: str | None, signature: str | None) -> Iterator[str]:
        """The ids of the latest crashes."""
        ...
