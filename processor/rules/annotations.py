# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Fields that are copied from annotations as they are."""

from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule
from socorro.fields import FIELDS, copy_annotations

_COPIED = frozenset(name for name, field in FIELDS.items() if field.annotation)


class CopyAnnotations(Rule):
    """Every field whose registry entry names an annotation."""

    writes = _COPIED

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Copy and convert as the registry says; it notes the values that do not fit."""
        fields, notes = copy_annotations(crash.annotations)
        crash.notes.extend(notes)
        return fields
