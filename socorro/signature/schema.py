# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The JSON Schema of crash data, for people and for other programs."""

import json
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("crash_data.schema.json")


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `generate` takes.

    `generate` checks by itself, and only what it reads: it also takes crash data that the schema
    refuses in a place that no signature depends on, such as the 41st frame.
    """
    document: dict[str, Any] = json.loads(_FILE.read_text("utf-8"))
    return document
