# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The probabilistic heap checker."""

import pytest

from processor.rules.phc import Phc
from tests.processor.conftest import MakeCrash


def test_all_that_the_checker_says_is_there(make_crash: MakeCrash) -> None:
    crash = make_crash(
        PHCKind="FreedPage",
        PHCBaseAddress="8000",
        PHCUsableSize="8",
        PHCAllocStack="100,200",
        PHCFreeStack="300,400",
    )
    assert Phc().applies(crash)
    assert Phc().act(crash) == {
        "phc_kind": "FreedPage",
        "phc_base_address": "0x1f40",
        "phc_usable_size": 8,
        "phc_alloc_stack": "100,200",
        "phc_free_stack": "300,400",
    }


def test_without_a_kind_there_is_nothing(make_crash: MakeCrash) -> None:
    assert not Phc().applies(make_crash(PHCBaseAddress="8000", PHCUsableSize="8"))


@pytest.mark.parametrize("bad", ["", "x", "0x10", "-1", "1.5", "9" * 30, "٣", ["8"]])
def test_a_number_that_is_none_is_left_out(make_crash: MakeCrash, bad: object) -> None:
    crash = make_crash(PHCKind="", PHCBaseAddress=bad, PHCUsableSize=bad)
    assert Phc().act(crash) == {"phc_kind": ""}
    assert crash.notes == []


def test_numbers_of_json_are_as_good_as_texts(make_crash: MakeCrash) -> None:
    fields = Phc().act(make_crash(PHCKind="Unknown", PHCBaseAddress=8000, PHCUsableSize=2**63))
    assert fields == {"phc_kind": "Unknown", "phc_base_address": "0x1f40"}
