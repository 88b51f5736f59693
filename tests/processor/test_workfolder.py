# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The folder of a processor's files goes with the processor, however that ends."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

from processor.workfolder import WorkFolder

_HOLD = """
import sys, time
from pathlib import Path
from processor.workfolder import WorkFolder
folder = WorkFolder(Path(sys.argv[1]))
(folder.path / "minidump").write_text("private")
print(folder.path, flush=True)
time.sleep(600)
"""


def test_nobody_else_can_look_into_it(tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_a_processor_that_ends_removes_its_folder(tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path)
    (folder.path / "minidump").write_text("private")
    folder.remove()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_the_next_processor_removes_the_folder_of_one_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        held = Path(process.stdout.readline().strip())
        first = WorkFolder(tmp_path)
        # A living one keeps its folder.
        assert (held / "minidump").exists()
        process.send_signal(signal.SIGKILL)
    second = WorkFolder(tmp_path)
    assert not held.exists()
    assert first.path.exists()
    assert second.path.exists()


def test_what_others_put_there_is_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    parent = tmp_path / "tmp"
    parent.mkdir()
    (parent / "socorro-processor-link").symlink_to(elsewhere)
    (parent / "socorro-processor-without-lock").mkdir()
    (parent / "socorro-processor-file").touch()
    WorkFolder(parent)
    assert (elsewhere / "lock").exists()
    assert len(list(parent.iterdir())) == 4
