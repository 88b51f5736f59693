# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The MODULE line, which becomes folder names."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socorro.symbols import InvalidSymbols, Module
from socorro.symbols.module import parse_module_line

ID = "896B179A7FFF862257C61DA8779089BA"


@pytest.mark.parametrize(
    ("line", "module", "file_name"),
    [
        (
            f"MODULE Linux x86_64 {ID}0 nested_null\n",
            Module("Linux", "x86_64", f"{ID}0", "nested_null"),
            "nested_null.sym",
        ),
        (
            f"MODULE windows x86 {ID}1 test app.pdb\r\n",
            Module("windows", "x86", f"{ID}1", "test app.pdb"),
            "test app.sym",
        ),
        (
            f"MODULE windows x86 {ID}1 UPPER.PDB",
            Module("windows", "x86", f"{ID}1", "UPPER.PDB"),
            "UPPER.sym",
        ),
        (
            f"MODULE mac arm64 {ID}0 libsystem_c.dylib\n",
            Module("mac", "arm64", f"{ID}0", "libsystem_c.dylib"),
            "libsystem_c.dylib.sym",
        ),
    ],
)
def test_the_line_names_the_module(line: str, module: Module, file_name: str) -> None:
    parsed = parse_module_line(line.encode())
    assert parsed == module
    assert parsed.file_name == file_name


@pytest.mark.parametrize(
    ("written", "looked_up"),
    [
        (f"{ID.lower()}1", f"{ID}1"),
        (f"{ID}A", f"{ID}a"),
        (f"{ID}0000001F", f"{ID}1f"),
        ("4F4A5B6C2", "4F4A5B6C2"),
    ],
)
def test_the_debug_id_gets_the_form_that_the_stackwalker_looks_up(
    written: str, looked_up: str
) -> None:
    assert parse_module_line(f"MODULE Linux x86 {written} a".encode()).debug_id == looked_up


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "does not start"),
        (b"<html>404</html>", "does not start"),
        (b"\xff\xfe\x00", "not text"),
        (b"MODULE Linux x86\n", "is not `MODULE"),
        (f"MODULE Linux ../x {ID}0 a".encode(), "is not `MODULE"),
        (b"MODULE Linux x86 1234 a", "not a debug id"),
        (b"MODULE Linux x86 " + b"0" * 33 + b" a", "all zeros"),
        (f"MODULE Linux x86 {ID}0 ..".encode(), "bare file name"),
        (f"MODULE Linux x86 {ID}0 ../../etc/passwd".encode(), "bare file name"),
        (f"MODULE Linux x86 {ID}0 C:\\a.pdb".encode(), "bare file name"),
        (f"MODULE Linux x86 {ID}0 a\0b".encode(), "control characters"),
        (f"MODULE Linux x86 {ID}0 ".encode() + b"a" * 300, "over 240 bytes"),
    ],
)
def test_a_line_that_could_lead_elsewhere_is_refused(line: bytes, reason: str) -> None:
    with pytest.raises(InvalidSymbols, match=reason):
        parse_module_line(line)


@given(
    st.binary(max_size=200)
    | st.text(max_size=60).map(
        lambda name: f"MODULE Linux x86_64 {ID}0 {name}".encode(errors="replace")
    )
)
def test_whatever_the_line_the_symbols_stay_in_the_store(line: bytes) -> None:
    try:
        module = parse_module_line(line)
    except InvalidSymbols:
        return
    path = PurePosixPath(module.debug_file, module.debug_id, module.file_name)
    assert len(path.parts) == 3
    assert not {"..", ".", "/"} & set(path.parts)
    assert "\0" not in str(path)
