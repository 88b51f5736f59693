# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Fields that are copied from annotations, and those computed from them alone."""

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


class EsrVersion(Rule):
    """``version`` of a release on the ``esr`` channel ends in ``esr``."""

    reads = frozenset({"release_channel", "version"})
    writes = frozenset({"version"})

    def applies(self, crash: Crash) -> bool:
        """Only for the esr channel."""
        return crash.processed.get("release_channel") == "esr"

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Append the suffix once."""
        version = crash.processed.get("version")
        if not version:
            crash.note("'Version' missing from esr release crash report")
            return {}
        return {"version": version if version.endswith("esr") else f"{version}esr"}


class MajorVersion(Rule):
    """``major_version``: the number before the first dot of the version, 0 without one."""

    writes = frozenset({"major_version"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Read the annotation: the field may carry a suffix by now."""
        major = (crash.text("Version") or "").partition(".")[0]
        usable = major.isascii() and major.isdigit() and len(major) < 10
        return {"major_version": int(major) if usable else 0}


class ProcessType(Rule):
    """``process_type``: the kind of process that crashed, ``parent`` for the main one."""

    writes = frozenset({"process_type"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Fold the older name ``main`` into ``parent``."""
        kind = crash.text("ProcessType") or "parent"
        return {"process_type": "parent" if kind == "main" else kind}
