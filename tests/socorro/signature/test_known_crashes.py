# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crashes that engineers know, and the signature that our lists give them.

They are in `known/`, a file for each platform or kind of application, each with the reason for
its signature. See known_crashes.py for how a crash is written.
"""

import pytest

from socorro.signature import generate
from tests.socorro.signature.known_crashes import KnownCrash, known_crashes

CRASHES = known_crashes()


@pytest.mark.parametrize("known", CRASHES, ids=str)
def test_a_known_crash_gets_the_signature_that_an_engineer_would_choose(known: KnownCrash) -> None:
    assert generate(known.crash).signature == known.signature


def test_every_known_crash_has_a_reason_of_its_own() -> None:
    assert len({str(known) for known in CRASHES}) == len(CRASHES)
