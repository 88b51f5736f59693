# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The file that remembers what is done."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socorro.reprocessing.done_file import DoneFile, WrongDoneFile, remembering


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "done"


def fill(path: Path, *lines: str, what: str = "work") -> None:
    with remembering(path, what) as done:
        done.add(lines)


def test_what_was_done_is_remembered_until_all_is(path: Path) -> None:
    fill(path, "a", "b")
    fill(path, "c")
    with remembering(path, "work") as done:
        assert list(done.lines) == ["a", "b", "c"]
        done.finish()
    assert not path.exists()


def test_without_a_file_nothing_is_remembered() -> None:
    with remembering(None, "work") as done:
        done.add(["a"])
        assert list(done.lines) == []
        done.finish()


@given(cut=st.integers(0, 11))
def test_a_file_that_ends_anywhere_has_the_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    """As a full disk, or a machine that went down, leaves it."""
    path = tmp_path_factory.mktemp("cut") / "done"
    fill(path, "first", "other")
    body = path.read_bytes()
    path.write_bytes(body[: len(body) - cut])
    fill(path, "new")
    with remembering(path, "work") as done:
        assert list(done.lines) == [*["first", "other"][: 2 - (cut + 5) // 6], "new"]


def test_the_file_of_other_work_is_refused_and_stays(path: Path) -> None:
    fill(path, "a")
    before = path.read_bytes()
    with pytest.raises(WrongDoneFile, match="belongs to a command with other options"):
        DoneFile(path, "other work")
    assert path.read_bytes() == before


@pytest.mark.parametrize("body", [b"id one\nid two\n", b"\x00\xff" * 9000, b"\n", b'{"a": 1}\n'])
def test_a_file_that_is_something_else_is_refused_and_stays(path: Path, body: bytes) -> None:
    path.write_bytes(body)
    with pytest.raises(WrongDoneFile, match="is another file"):
        DoneFile(path, "work")
    assert path.read_bytes() == body


def test_two_commands_cannot_use_one_file(path: Path) -> None:
    with remembering(path, "work"), pytest.raises(WrongDoneFile, match="in use"):
        DoneFile(path, "work")
    fill(path, "free again")


def test_a_file_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "done"):
        with pytest.raises(WrongDoneFile, match="cannot be used: "):
            DoneFile(path, "work")
