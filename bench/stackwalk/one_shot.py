# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Mozilla's `minidump-stackwalk`, which walks one minidump and ends: what we compare with."""

import subprocess
import sys
from pathlib import Path

from processor.stackwalk.build import default_cache
from processor.stackwalk.toolchain import find_toolchain

VERSION = "0.27.0"


def one_shot_binary() -> Path:
    """Its path; compiled into the cache the first time, which takes minutes.

    Raises ToolchainMissing, or CalledProcessError if it cannot be compiled.
    """
    root = default_cache() / f"minidump-stackwalk-{VERSION}"
    binary = root / "bin" / "minidump-stackwalk"
    if not binary.exists():
        toolchain = find_toolchain((1, 88), sys.stderr.buffer)
        wanted = ["minidump-stackwalk", "--version", VERSION, "--root", str(root)]
        subprocess.run(
            [toolchain.cargo, "install", "--quiet", "--locked", *wanted],
            env=toolchain.environment,
            check=True,
        )
    return binary
