# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A processor takes no crash while its disk is full."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from processor.room import Room


def test_with_enough_free_there_is_room(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert Room(tmp_path, 1).is_there()
    assert caplog.messages == []


def test_a_full_disk_is_told_once_and_its_end_as_well(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    free = [100, 100, 5000, 5000, 100]

    monkeypatch.setattr(
        "processor.room.shutil.disk_usage", lambda _: SimpleNamespace(free=free.pop(0))
    )
    room = Room(tmp_path, 1000)
    assert [room.is_there() for _ in range(5)] == [False, False, True, True, False]
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO", "ERROR"]
    assert "MIN_FREE_DISK=1000" in caplog.messages[0]
