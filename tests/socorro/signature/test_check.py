# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Checking a folder of lists, as its editor wants it: all problems, each with its place."""

from pathlib import Path

import pytest

from socorro.signature.check import Severity, check
from socorro.signature.lists import IRRELEVANT, LINE_NUMBERS, PREFIX, SENTINELS, TRIM_DLL

AS_A_FUNCTION = "as a function it would be"


def write(folder: Path, **lists: str) -> None:
    names = {"irrelevant": IRRELEVANT, "prefix": PREFIX, "sentinels": SENTINELS}
    for kind, text in lists.items():
        (folder / names.get(kind, kind)).write_text(text)


def problems(folder: Path) -> list[str]:
    """Without the folder: "file:line: severity: reason"."""
    return [str(problem).removeprefix(f"{folder}/") for problem in check(folder)]


def test_good_lists_have_no_problems(tmp_path: Path) -> None:
    write(
        tmp_path,
        irrelevant="# C: ending\n#+ abort | _abort\n#- aborted\n_?abort$\nexit$\n\n#+ kill\nkill\n",
        prefix="# C: memory\n#+ memcpy | __memcpy_avx\n#- memo\n_*mem(cpy|set)\n",
        sentinels="# C: heap\n#+ memset\nmemset\n",
    )
    assert problems(tmp_path) == []


def test_every_bad_line_is_named_with_the_reason(tmp_path: Path) -> None:
    write(tmp_path, irrelevant="(bad\nfine\nx[\n", prefix="foo(?!bar)\n")
    assert problems(tmp_path) == [
        f"{IRRELEVANT}:1: error: '(bad' is no regular expression: missing ): (bad",
        f"{IRRELEVANT}:3: error: 'x[' is no regular expression: missing ]: [",
        (
            f"{PREFIX}:1: error: 'foo(?!bar)' is no regular expression: invalid perl operator: (?!"
            " (look-around is not supported: it cannot be matched in linear time)"
        ),
    ]


@pytest.mark.parametrize("name", [IRRELEVANT, PREFIX, TRIM_DLL, LINE_NUMBERS])
def test_a_bad_line_is_found_in_each_list_of_patterns(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("fine\nwell)\n")
    [problem] = check(tmp_path)
    assert (problem.path, problem.line, problem.severity) == (tmp_path / name, 2, Severity.ERROR)


def test_a_line_that_is_not_utf_8_is_an_error(tmp_path: Path) -> None:
    (tmp_path / SENTINELS).write_bytes(b"fine\n\xff\n")
    assert problems(tmp_path) == [f"{SENTINELS}:2: error: it is not UTF-8"]


def test_a_duplicate_names_the_first_line(tmp_path: Path) -> None:
    write(tmp_path, irrelevant="# a\nabort$\n\n# b\nabort$\n", sentinels="heap\nheap\n")
    assert problems(tmp_path) == [
        f"{IRRELEVANT}:5: warning: the same as line 2",
        f"{SENTINELS}:2: warning: the same as line 1",
    ]


def test_lines_are_sorted_within_their_group(tmp_path: Path) -> None:
    write(tmp_path, prefix="# a\nb1\nb2\n\n# b\na2\na1\na0\n")
    assert problems(tmp_path) == [
        f"{PREFIX}:7: warning: not sorted: it belongs before line 6, a2",
    ]


def test_an_example_that_does_not_match_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, irrelevant="# a\n#+ abort | exit\nabort$\n\n# b\nexit$\n")
    assert problems(tmp_path) == [f"{IRRELEVANT}:2: error: no line of the group matches exit"]


def test_a_neighbour_that_matches_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, irrelevant="# a\n#- abort_game\nabort\n", sentinels="# b\n#- heap\nheap\n")
    assert problems(tmp_path) == [
        f"{IRRELEVANT}:2: error: line 3, abort, matches abort_game, and must not",
        f"{SENTINELS}:2: error: line 3, heap, matches heap, and must not",
    ]


def test_an_example_of_a_sentinel_is_a_line(tmp_path: Path) -> None:
    write(tmp_path, sentinels="# a\n#+ heap | heap_failure\nheap\n")
    assert problems(tmp_path) == [
        f"{SENTINELS}:2: error: no line of the group matches heap_failure"
    ]


def test_an_example_that_no_frame_is_called_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, prefix="# a\n#+ Foo<int>::bar(int)\nFoo\n")
    assert problems(tmp_path) == [
        (
            f"{PREFIX}:2: error: no frame is called Foo<int>::bar(int): as a function it would be"
            " 'Foo<T>::bar'"
        )
    ]


@pytest.mark.parametrize(
    "name",
    [
        "Foo<T>::operator()",
        "(anonymous namespace)::f",
        "-[NSException raise]",
        "<a::B as c::D>::f",
        "(unloaded foo.dll)",
        "Electron Framework",
        "@0x0",
    ],
)
def test_examples_may_be_all_that_frames_are_called(tmp_path: Path, name: str) -> None:
    write(tmp_path, prefix=f"# a\n#+ {name}\n[F(<E@-]\n")
    assert problems(tmp_path) == []


@pytest.mark.parametrize("pattern", [".*", ".", "(a|)", "[a-zA-Z_]", r"\w+", "^", "x?"])
def test_a_pattern_that_matches_every_name_is_an_error(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, irrelevant=f"abort$\n{pattern}\n")
    [problem] = [found for found in check(tmp_path) if found.severity is Severity.ERROR]
    assert problem.line == 2
    assert problem.reason == f"{pattern!r} matches every name"


def test_a_line_whose_names_another_one_matches_is_of_no_use(tmp_path: Path) -> None:
    write(tmp_path, prefix="# a\nmem\nmemcpy$\nstrlen\nstrlen_fast\n")
    assert problems(tmp_path) == [
        f"{PREFIX}:3: warning: it changes nothing: line 2, mem, matches the same names",
        f"{PREFIX}:5: warning: it changes nothing: line 4, strlen, matches the same names",
    ]


def test_a_longer_line_is_of_use_beside_an_exact_one(tmp_path: Path) -> None:
    write(tmp_path, prefix="# a\nmem\\$\nmemcpy\nmemcpyx$\n", irrelevant="free$\n")
    assert problems(tmp_path) == [
        f"{PREFIX}:4: warning: it changes nothing: line 3, memcpy, matches the same names",
    ]


def test_a_prefix_that_is_irrelevant_never_matters(tmp_path: Path) -> None:
    write(tmp_path, irrelevant="mem\n", prefix="# a\n#+ memcpy\nmemc(py|mp)\nmemset\nstrlen\n")
    assert problems(tmp_path) == [
        f"{PREFIX}:2: error: memcpy is no prefix: the frame is skipped by {IRRELEVANT}:1, mem",
        f"{PREFIX}:4: warning: it never matters: the frame is skipped by {IRRELEVANT}:1, mem",
    ]


def test_a_line_of_both_lists_never_matters_as_a_prefix(tmp_path: Path) -> None:
    write(tmp_path, irrelevant="free$\n", prefix="free$\n")
    assert problems(tmp_path) == [
        f"{PREFIX}:1: warning: it never matters: the frame is skipped by {IRRELEVANT}:1, free$"
    ]


def test_a_prefix_of_which_some_names_are_irrelevant_matters(tmp_path: Path) -> None:
    write(tmp_path, irrelevant="std::terminate$\n", prefix="std::\n")
    assert problems(tmp_path) == []


def test_a_sentinel_that_is_irrelevant_is_worth_a_warning(tmp_path: Path) -> None:
    write(tmp_path, irrelevant="heap_\n", sentinels="heap_failure\n")
    assert problems(tmp_path) == [
        (
            f"{SENTINELS}:1: warning: the signature starts behind it: the frame is skipped by"
            f" {IRRELEVANT}:1, heap_"
        )
    ]


def test_a_sentinel_that_no_frame_is_called_is_worth_a_warning(tmp_path: Path) -> None:
    write(tmp_path, sentinels="-[A(B) fail:]\nfail(int)\n")
    assert problems(tmp_path) == [
        f"{SENTINELS}:1: warning: no frame is called -[A(B) fail:]: {AS_A_FUNCTION} '-[A fail:]'",
        f"{SENTINELS}:2: warning: no frame is called fail(int): {AS_A_FUNCTION} 'fail'",
    ]


def test_a_file_whose_name_is_mistyped_is_worth_a_warning(tmp_path: Path) -> None:
    write(tmp_path, prefix="mem\n")
    for name in ("prefix_signature_re.text", "notes.txt", "README.md", ".swp"):
        (tmp_path / name).write_text("(\n")
    assert problems(tmp_path) == [
        "notes.txt: warning: no list has this name",
        f"prefix_signature_re.text: warning: no list has this name; is {PREFIX} meant?",
    ]


def test_a_folder_without_lists_is_worth_a_warning(tmp_path: Path) -> None:
    assert [str(problem) for problem in check(tmp_path)] == [
        f"{tmp_path}: warning: there is no list in this folder"
    ]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    [problem] = check(tmp_path / "gone")
    assert str(problem) == f"{tmp_path / 'gone'}: error: there is no such folder"


def test_a_list_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / PREFIX).mkdir()
    write(tmp_path, irrelevant="(\n")
    assert [problem.split(": ", 2)[:2] for problem in problems(tmp_path)] == [
        [f"{IRRELEVANT}:1", "error"],
        [PREFIX, "error"],
    ]


def test_lists_in_the_older_format_have_no_errors(tmp_path: Path) -> None:
    write(
        tmp_path,
        irrelevant="\ufeff# no groups, no order\r\n#-\\[gone\r\nraise\r\nabort\r\n@0x[0-9a-f]\r\n",
        prefix="strlen\nmemcpy\nmemcpy\n  std::  \nraise\n",
        sentinels="zzz\naaa\n",
    )
    assert [problem for problem in check(tmp_path) if problem.severity is Severity.ERROR] == []


def test_problems_come_by_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, prefix="b\na\n(\n", irrelevant="[\nx\nx\n")
    places = [(problem.path.name, problem.line) for problem in check(tmp_path)]
    assert places == [(IRRELEVANT, 1), (IRRELEVANT, 3), (PREFIX, 2), (PREFIX, 3)]
