# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Modules on the stack, and modules without symbols."""

from typing import Any

import pytest

from processor.rules.modules import MissingSymbols, ModulesInStack, SymbolUrls
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


@pytest.mark.parametrize(
    "processed",
    [
        {"json_dump": {}},
        {"json_dump": DUMP, "crashing_thread": None},
        {"json_dump": DUMP, "crashing_thread": 7},
        {"json_dump": {**DUMP, "modules": []}, "crashing_thread": 0},
        {"json_dump": {**DUMP, "threads": None}, "crashing_thread": 0},
    ],
)
def test_without_modules_on_the_stack_there_is_no_field(
    make_crash: MakeCrash, processed: dict[str, Any]
) -> None:
    crash = make_crash(processed)
    assert ModulesInStack().applies(crash)
    assert ModulesInStack().act(crash) == {}
    assert not ModulesInStack().applies(make_crash())


def test_of_modules_with_one_name_the_last_stands_for_all(make_crash: MakeCrash) -> None:
    modules = [{"filename": "app", "debug_id": "AA0"}, {"filename": "app", "debug_id": "BB0"}]
    crash = make_crash({"json_dump": {**DUMP, "modules": modules}, "crashing_thread": 0})
    assert ModulesInStack().act(crash) == {"modules_in_stack": "app/BB0"}


@pytest.mark.parametrize(
    ("module", "entry"),
    [
        ({"filename": "a", "version": "1.0", "debug_id": "A1"}, "a/1.0/A1"),
        ({"filename": "a", "version": "", "debug_id": "A1", "code_id": None}, "a/None/A1"),
        ({"filename": "a", "debug_id": "A1", "code_id": "zz"}, "a/None/A1"),
        ({"filename": "a"}, f"a/None/{'0' * 33}"),
    ],
)
def test_an_entry_has_what_is_known_of_the_module(
    make_crash: MakeCrash, module: dict[str, Any], entry: str
) -> None:
    crash = make_crash({"json_dump": {"modules": [{**module, "missing_symbols": True}] * 2}})
    assert MissingSymbols().act(crash) == {"missing_symbols": f"{entry};{entry}"}


@pytest.mark.parametrize(
    "module",
    [
        {"filename": "a", "missing_symbols": False},
        {"filename": "a", "missing_symbols": None},
        {"filename": "a"},
        {"filename": None, "missing_symbols": True},
        {"missing_symbols": True},
    ],
)
def test_modules_with_symbols_or_without_a_name_are_not_missing(
    make_crash: MakeCrash, module: dict[str, Any]
) -> None:
    assert MissingSymbols().act(make_crash({"json_dump": {"modules": [module]}})) == {}


@pytest.mark.parametrize(
    ("url", "public"),
    [
        (
            "https://symbols.mozilla.org/xul.pdb/A1/xul.sym?try",
            "https://symbols.mozilla.org/xul.pdb/A1/xul.sym",
        ),
        (
            "https://me:secret@symbols.example.com/xul/A1/xul.sym?X-Signature=secret#a",
            "https://symbols.example.com/xul/A1/xul.sym",
        ),
        ("https://symbols.example.com:8443/a", "https://symbols.example.com:8443/a"),
    ],
)
def test_addresses_of_symbols_hold_no_credentials(
    make_crash: MakeCrash, url: str, public: str
) -> None:
    crash = make_crash({"json_dump": {"modules": [{"filename": "xul", "symbol_url": url}]}})
    fields = SymbolUrls().act(crash)
    modules = fields.get("json_dump", crash.json_dump)["modules"]
    assert modules == [{"filename": "xul", "symbol_url": public}]
    assert crash.notes == []


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000/a?b",
        "http://u@LOCALHOST/a",
        "http://127.0.0.1/a",
        "http://u:p@127.1:8080/a",
        "http://[::1]/a",
        "http://[0:0:0:0:0:0:0:1]/a",
        "http://[::ffff:127.0.0.1]/a",
        "http://0.0.0.0/a",
        "http://2130706433/a",
        "http://ip6-loopback/a",
        "file:///home/me/symbols/a.sym",
        "/home/me/symbols/a.sym",
        "me:secret@symbols.example.com/a",
        "https:///me:secret@symbols.example.com/a",
        "http://[",
        3,
    ],
)
def test_addresses_of_this_machine_and_of_no_server_are_left_out_with_a_note(
    make_crash: MakeCrash, url: Any
) -> None:
    module = {"filename": "a b.so", "symbol_url": url}
    walk = {"modules": [module, {"filename": "b.so", "symbol_url": None}]}
    crash = make_crash({"json_dump": walk, "upload_file_minidump_browser": {"json_dump": walk}})
    fields = SymbolUrls().act(crash)
    assert fields["json_dump"]["modules"][0] == {"filename": "a b.so", "symbol_url": None}
    assert fields["upload_file_minidump_browser"]["json_dump"] == fields["json_dump"]
    assert crash.notes == ["Redacting symbol url for module ab.so"] * 2
    assert module["symbol_url"] == url


@pytest.mark.parametrize("walk", [None, {}, {"modules": None}, {"modules": [None, {}, 3]}])
def test_without_addresses_nothing_changes(make_crash: MakeCrash, walk: Any) -> None:
    crash = make_crash({"json_dump": walk})
    assert SymbolUrls().act(crash) == {}
