# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Signing crashes, and the signatures they had beside those that they get."""

import argparse
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socorro.signature.cli.options import SHIPPED
from socorro.signature.cli.reading import Given, Reading
from socorro.signature.cli.source import Installation
from socorro.signature.draft import Rule
from socorro.signature.errors import CrashDataError
from socorro.signature.lists import SignatureLists, default_lists
from socorro.signature.pipeline import generate, with_own_rules
from socorro.signature.result import Result


@dataclass(frozen=True, slots=True)
class Signed:
    """A crash with the signature it had (None if nobody knows), and the result of signing it."""

    label: str
    old: str | None
    result: Result

    @property
    def same(self) -> bool:
        return self.old == self.result.signature


@dataclass(slots=True)
class Signing:
    """The lists and rules to sign with, and those to compare with, if any.

    `differing` says whether a crash has got another signature than it had.
    """

    lists: SignatureLists
    rules: Sequence[Rule]
    against: SignatureLists | None = None
    differing: bool = False

    @classmethod
    def of(cls, options: argparse.Namespace, installation: Installation | None) -> "Signing":
        """What the options ask for. Raises ListError and RuleError."""
        folder = options.siglists or (installation.siglists if installation else None)
        rules = installation.rules if installation else with_own_rules([])
        return cls(
            lists=SignatureLists.load(folder) if folder else default_lists(),
            rules=with_own_rules(options.rule) if options.rule else rules,
            against=_lists(options.against) if options.against else None,
        )

    def sign(self, data: Mapping[str, Any]) -> Result:
        """Raises CrashDataError."""
        return generate(data, self.lists, self.rules)

    def signed(self, reading: Reading) -> Generator[Signed, None, None]:
        """The crashes with their signatures; the reading counts those that cannot be signed."""
        for crash in reading.crashes():
            try:
                signed = Signed(crash.label, self._old(crash), self.sign(crash.data))
            except CrashDataError as error:
                reading.fail(crash.label, error)
                continue
            self.differing = self.differing or not signed.same
            yield signed

    def _old(self, crash: Given) -> str | None:
        if self.against is None:
            return crash.old
        return generate(crash.data, self.against, self.rules).signature


def _lists(folder: str) -> SignatureLists:
    return default_lists() if folder == SHIPPED else SignatureLists.load(Path(folder))
