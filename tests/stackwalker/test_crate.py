# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The tests of the Rust program itself."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from processor.stackwalk.toolchain import find_toolchain
from socorro.packaged import STACKWALKER_SOURCE

TARGET = Path(__file__).resolve().parents[2] / ".cache" / "stackwalker-target"


# A first build of all crates on a busy machine with two cores.
@pytest.mark.timeout(2400)
def test_the_crates_own_tests_pass(tmp_path: Path, stackwalker_binary: Path) -> None:
    with (tmp_path / "toolchain.log").open("wb") as log:
        toolchain = find_toolchain((1, 87), log)
    manifest = STACKWALKER_SOURCE / "Cargo.toml"
    # One at a time, as the program walks: they measure the memory of the whole process.
    command = [toolchain.cargo, "test", "--locked", "--manifest-path", manifest]
    tested = subprocess.run(
        [*command, "--", "--test-threads=1"],
        env={**toolchain.environment, "CARGO_TARGET_DIR": str(TARGET), "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr[-3000:]
    passed = sum(int(count) for count in re.findall(r"(\d+) passed", tested.stdout))
    assert passed > 0
