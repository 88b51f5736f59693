# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Writes version.json, which /__version__ shows, beside the packages of the running Python.

From the environment: BUILD (address of the build), COMMIT, SOURCE (address of the repository) and
VERSION; one that is empty is left out.
"""

import json
import os
import sysconfig
from pathlib import Path

NAMES = ("BUILD", "COMMIT", "SOURCE", "VERSION")


def main() -> None:
    """Write the file."""
    facts = {name.lower(): os.environ[name] for name in NAMES if os.environ.get(name)}
    path = Path(sysconfig.get_path("purelib")) / "version.json"
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
