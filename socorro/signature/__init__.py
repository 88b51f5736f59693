# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash signatures: the short name under which equal crashes are counted as one problem.

This package stands alone: it needs the standard library, google-re2 and the lists of `siglists/`;
its command line also requests and rich.

    >>> from socorro.signature import generate
    >>> generate({"threads": [{"frames": [{"function": "Foo<int>::bar(int)"}]}]}).signature
    'Foo<T>::bar'
"""

from socorro.signature.convert import from_processed_crash
from socorro.signature.draft import Draft, Rule
from socorro.signature.errors import CrashDataError, ListError, RuleError
from socorro.signature.lists import ListLine, SignatureLists
from socorro.signature.pipeline import PIPELINE, generate, with_own_rules
from socorro.signature.result import Action, Result, Step, TrailEntry
from socorro.signature.schema import schema

__all__ = [
    "PIPELINE",
    "Action",
    "CrashDataError",
    "Draft",
    "ListError",
    "ListLine",
    "Result",
    "Rule",
    "RuleError",
    "SignatureLists",
    "Step",
    "TrailEntry",
    "from_processed_crash",
    "generate",
    "schema",
    "with_own_rules",
]
