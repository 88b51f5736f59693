# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What is known about this build of the program."""

import json
from pathlib import Path
from typing import Any

from socorro import __version__

# Beside the packages; whoever builds an image writes it.
VERSION_FILE = Path(__file__).resolve().parents[1] / "version.json"


def build_facts(file: Path = VERSION_FILE) -> dict[str, Any]:
    """Return the version, and what the file of a build adds (commit, source, build) or replaces."""
    try:
        facts = json.loads(file.read_bytes())
    except (OSError, ValueError):
        facts = {}
    return {"version": __version__, **(facts if isinstance(facts, dict) else {})}
