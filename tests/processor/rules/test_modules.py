# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Modules on the stack, and modules without symbols."""

from typing import Any

from processor.rules.modules import MissingSymbols, ModulesInStack
from tests.processor.conftest import MakeCrash

DUMP: dict[str, Any] = {
    "threads": [{"frames": [{"module": "app"}, {"module": None}, {"module": "lib.so"}]}],
    "modules": [
        {"filename": "lib.so", "debug_id": "BB0", "missing_symbols": True, "version": "1/2;3",
         "code_id": "c0de"},
        {"filename": "app", "debug_id": "AA0", "missing_symbols": False},
        {"filename": "other.so", "debug_id": None, "missing_symbols": True, "version": None},
    ],
}  # fmt: skip


def test_modules_on_the_crashing_stack_are_named_with_their_debug_ids(
    make_crash: MakeCrash,
) -> None:
    crash = make_crash({"json_dump": DUMP, "crashing_thread": 0})
    assert ModulesInStack().act(crash) == {"modules_in_stack": "app/AA0;lib.so/BB0"}


def test_modules_without_symbols_are_named_so_that_they_can_be_found(make_crash: MakeCrash) -> None:
    crash = make_crash({"json_dump": DUMP})
    assert MissingSymbols().act(crash) == {
        "missing_symbols": f"lib.so/1\\/23/BB0/c0de;other.so/None/{'0' * 33}"
    }


def test_hostile_module_names_cannot_forge_an_entry(make_crash: MakeCrash) -> None:
    module = {"filename": "a;b/../c", "debug_id": "xyz;A1", "missing_symbols": True}
    crash = make_crash({"json_dump": {"modules": [module]}})
    assert MissingSymbols().act(crash) == {"missing_symbols": "ab..c/None/A1"}
