# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the program said about why it ended."""

import pytest

from processor.rules.reasons import MozCrashReason
from tests.processor.conftest import MakeCrash


def test_a_reason_of_the_program_is_public(make_crash: MakeCrash) -> None:
    crash = make_crash(MozCrashReason="MOZ_CRASH(OOM)")
    assert MozCrashReason().applies(crash)
    assert MozCrashReason().act(crash) == {
        "moz_crash_reason": "MOZ_CRASH(OOM)",
        "moz_crash_reason_raw": "MOZ_CRASH(OOM)",
    }


@pytest.mark.parametrize(
    "reason",
    [
        "Failed to load module: resource://gre/private.jsm",
        "byte index 7 is not a char boundary; it is inside 'private'",
        "do not use eval with system privileges: private",
    ],
)
def test_a_reason_that_quotes_data_is_kept_back(make_crash: MakeCrash, reason: str) -> None:
    fields = MozCrashReason().act(make_crash(MozCrashReason=reason))
    assert fields["moz_crash_reason"] == "sanitized--see moz_crash_reason_raw"
    assert fields["moz_crash_reason_raw"] == reason


@pytest.mark.parametrize("annotations", [{}, {"MozCrashReason": ""}, {"MozCrashReason": {}}])
def test_without_a_reason_there_is_no_field(
    make_crash: MakeCrash, annotations: dict[str, object]
) -> None:
    assert not MozCrashReason().applies(make_crash(**annotations))
