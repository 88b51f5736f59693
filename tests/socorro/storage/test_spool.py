# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The spool among everybody's temporary files."""

import os
import stat
import tempfile
import time
from pathlib import Path

import pytest

from socorro.storage import StorageUnavailable
from socorro.storage.spool import private_spool, sweep


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def name(temporary: Path) -> Path:
    """Where the spool is to be."""
    return temporary / f"socorro-spool-{os.geteuid()}"


def test_the_spool_is_made_for_this_user_alone(name: Path) -> None:
    assert private_spool() == name
    assert stat.S_IMODE(name.stat().st_mode) == 0o700
    assert private_spool() == name


def test_a_folder_that_others_can_open_is_refused(name: Path) -> None:
    for mode in (0o755, 0o770, 0o701, 0o1777):
        name.mkdir()
        name.chmod(mode)
        with pytest.raises(StorageUnavailable, match="only this user can open"):
            private_spool()
        name.rmdir()


def test_a_link_to_a_folder_is_refused(name: Path, temporary: Path) -> None:
    (temporary / "elsewhere").mkdir(mode=0o700)
    name.symlink_to(temporary / "elsewhere")
    with pytest.raises(StorageUnavailable, match=r"\?spool=FOLDER"):
        private_spool()


def test_a_dangling_link_is_refused_and_nothing_made_behind_it(name: Path, temporary: Path) -> None:
    name.symlink_to(temporary / "elsewhere")
    with pytest.raises(StorageUnavailable):
        private_spool()
    assert not (temporary / "elsewhere").exists()


def test_a_file_in_its_place_is_refused(name: Path) -> None:
    name.write_text("")
    with pytest.raises(StorageUnavailable):
        private_spool()


def test_the_folder_of_somebody_else_is_refused(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody = os.geteuid() + 1
    (temporary / f"socorro-spool-{somebody}").mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: somebody)
    with pytest.raises(StorageUnavailable):
        private_spool()


def test_old_files_are_swept_and_young_ones_kept() -> None:
    spool = private_spool()
    (spool / "old").write_bytes(b"x")
    (spool / "young").write_bytes(b"x")
    two_days_ago = time.time() - 2 * 86400
    os.utime(spool / "old", (two_days_ago, two_days_ago))
    sweep(spool)
    assert [path.name for path in spool.iterdir()] == ["young"]


def test_what_cannot_be_removed_does_not_stop_the_sweep() -> None:
    spool = private_spool()
    (spool / "a folder").mkdir()
    (spool / "old").write_bytes(b"x")
    two_days_ago = time.time() - 2 * 86400
    for name in ("a folder", "old"):
        os.utime(spool / name, (two_days_ago, two_days_ago))
    sweep(spool)
    assert [path.name for path in spool.iterdir()] == ["a folder"]
