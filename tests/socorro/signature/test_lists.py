# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Reading and checking signature lists, and what they do to a stack."""

from pathlib import Path

import pytest

from socorro.signature import Action, ListError, Result, SignatureLists, generate
from socorro.signature.lists import (
    IRRELEVANT,
    LINE_NUMBERS,
    PREFIX,
    SENTINELS,
    TRIM_DLL,
)


def lists_of(folder: Path, **lines: str) -> SignatureLists:
    for name, text in lines.items():
        (
            folder / {"sentinels": SENTINELS, "irrelevant": IRRELEVANT, "prefix": PREFIX}[name]
        ).write_text(text)
    return SignatureLists.load(folder)


def sign(lists: SignatureLists, *functions: str) -> Result:
    return generate({"threads": [{"frames": [{"function": name} for name in functions]}]}, lists)


def test_comments_and_blank_lines_are_no_patterns(tmp_path: Path) -> None:
    lists = lists_of(tmp_path, irrelevant="# abort\n\n   \n  raise  \n  # kill\n")
    assert [line.text for line in lists.irrelevant.lines] == ["raise"]
    assert lists.irrelevant.lines[0].line == 4


def test_missing_and_empty_lists_match_nothing(tmp_path: Path) -> None:
    (tmp_path / PREFIX).write_text("# nothing here\n")
    lists = SignatureLists.load(tmp_path)
    assert sign(lists, "a", "b").signature == "a"


def test_a_pattern_matches_at_the_start_of_a_name(tmp_path: Path) -> None:
    lists = lists_of(tmp_path, irrelevant="core::panicking::\nraise$\n")
    assert sign(lists, "core::panicking::panic", "raise", "raised").signature == "raised"
    assert sign(lists, "my_core::panicking::panic").signature == "my_core::panicking::panic"


def test_a_line_with_two_alternatives_is_anchored_in_both(tmp_path: Path) -> None:
    lists = lists_of(tmp_path, irrelevant="foo|bar\n")
    assert sign(lists, "foo1", "bar1", "xbar").signature == "xbar"


def test_spellings_of_python_s_regular_expressions_are_understood(tmp_path: Path) -> None:
    lists = lists_of(tmp_path, irrelevant="a\\_b\\Z\n\\\\_c\n")
    assert sign(lists, "a_b", "a_bc").signature == "a_bc"


def test_a_signature_starts_at_the_first_sentinel(tmp_path: Path) -> None:
    lists = lists_of(tmp_path, sentinels="panic_now\nlater\n", prefix="panic_now\n")
    result = sign(lists, "noise", "panic_now(int)", "culprit", "later")
    assert result.signature == "panic_now | culprit"
    assert [entry.action for entry in result.trail] == [
        Action.BEFORE_SENTINEL,
        Action.PREFIX,
        Action.LAST,
    ]
    assert [line.file for line in result.trail[1].matches] == [SENTINELS, PREFIX]


def test_the_trail_names_the_line_that_decided(tmp_path: Path) -> None:
    lists = lists_of(tmp_path, irrelevant="# why\nabort\n", prefix="memcpy\nmem\n")
    trail = sign(lists, "abort", "memcpy", "f", "g").trail
    assert [(entry.frame, entry.name, entry.action) for entry in trail] == [
        (0, "abort", Action.IRRELEVANT),
        (1, "memcpy", Action.PREFIX),
        (2, "f", Action.LAST),
    ]
    assert str(trail[0]) == f"  0 abort: skipped: irrelevant [{IRRELEVANT}:2 abort]"
    assert trail[1].matches[0].line == 1
    assert trail[2].matches == ()


def test_where_every_frame_is_irrelevant_the_first_one_names_the_crash(tmp_path: Path) -> None:
    result = sign(lists_of(tmp_path, irrelevant="abort\nraise\n"), "raise", "abort")
    assert result.signature == "raise"
    assert result.trail[-1].action is Action.FALLBACK
    assert result.notes == ("Stack: no frame of thread 0 is relevant, the first one is used",)


def test_a_library_that_repeats_is_named_once(tmp_path: Path) -> None:
    lists = lists_of(tmp_path, prefix="lib\nXUL\n")
    frames = [{"module": module} for module in ("libx.so", "libx.so", "XUL", "XUL", "libx.so")]
    result = generate({"threads": [{"frames": [*frames, {"function": "f"}]}]}, lists)
    assert result.signature == "libx.so | XUL | libx.so | f"
    assert result.trail[1].action is Action.REPEATED


def test_a_line_number_is_shown_where_a_list_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / LINE_NUMBERS).write_text("Interpret$\n")
    lists = SignatureLists.load(tmp_path)
    frames = [{"function": "Interpret(int)", "line": 7, "file": "/x/i.cpp"}]
    result = generate({"threads": [{"frames": frames}]}, lists)
    assert result.signature == "Interpret:7"
    assert result.trail[0].matches[0].file == LINE_NUMBERS


@pytest.mark.parametrize("name", [IRRELEVANT, PREFIX, TRIM_DLL, LINE_NUMBERS])
def test_a_bad_line_is_named_with_file_number_and_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("good\n\n(bad\n")
    with pytest.raises(ListError, match=r"missing \)") as caught:
        SignatureLists.load(tmp_path)
    assert caught.value.path.name == name
    assert caught.value.line == 3
    assert f"{name}:3: '(bad' is no regular expression" in str(caught.value)


def test_look_around_is_refused_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="look-around is not supported"):
        lists_of(tmp_path, prefix="foo(?!bar)\n")


def test_a_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / SENTINELS).write_bytes(b"fine\n\xff\n")
    with pytest.raises(ListError, match=rf"{SENTINELS}:2: it is not UTF-8"):
        SignatureLists.load(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="gone: there is no such folder"):
        SignatureLists.load(tmp_path / "gone")
