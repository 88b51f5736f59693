# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Signature generation as the settings want it: their lists and a deployment's own rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from socorro.settings import SettingError, Settings
from socorro.signature import (
    PIPELINE,
    ListError,
    Result,
    Rule,
    RuleError,
    SignatureLists,
    from_processed_crash,
    generate,
    with_own_rules,
)


@dataclass(frozen=True)
class Signer:
    """Lists and rules, read once for a process."""

    lists: SignatureLists
    rules: Sequence[Rule] = PIPELINE

    def sign(self, processed: Mapping[str, Any]) -> Result:
        """Return the signature of a processed crash and how it comes about.

        Raises CrashDataError for a crash that holds what it may not.
        """
        return generate(from_processed_crash(processed), self.lists, self.rules)


def load_signer(settings: Settings) -> Signer:
    """Return what SIGLISTS and SIGNATURE_RULES select. Raises SettingError."""
    try:
        lists = SignatureLists.load(settings.siglists)
    except ListError as error:
        raise SettingError(f"SIGLISTS: {error}") from error
    return Signer(lists, load_rules(settings))


def load_rules(settings: Settings) -> Sequence[Rule]:
    """Return the pipeline with the rules of SIGNATURE_RULES. Raises SettingError."""
    try:
        return with_own_rules(settings.signature_rules)
    except RuleError as error:
        raise SettingError(f"SIGNATURE_RULES: {error}") from error
