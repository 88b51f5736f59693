# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The process that crashed: its kind, and what ran in it."""

from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import Rule

_PLUGIN_FIELDS = {
    "plugin_filename": "PluginFilename",
    "plugin_name": "PluginName",
    "plugin_version": "PluginVersion",
}


class Plugin(Rule):
    """``plugin_*``: the plugin of a plugin process, empty texts for what is not known of it."""

    writes = frozenset(_PLUGIN_FIELDS)

    def applies(self, crash: Crash) -> bool:
        """Only for plugin processes: others have no such fields."""
        return crash.text("ProcessType") == "plugin"

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Copy the annotations."""
        return {field: crash.text(annotation) or "" for field, annotation in _PLUGIN_FIELDS.items()}


class ProcessType(Rule):
    """``process_type``: the kind of process that crashed, ``parent`` for the main one."""

    writes = frozenset({"process_type"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Fold the older name ``main`` into ``parent``."""
        kind = crash.text("ProcessType") or "parent"
        return {"process_type": "parent" if kind == "main" else kind}


class UtilityActorsName(Rule):
    """``utility_actors_name``: the actors that ran in a utility process."""

    writes = frozenset({"utility_actors_name"})

    def applies(self, crash: Crash) -> bool:
        """Only where the report names actors, be it none of them."""
        return crash.text("UtilityActorsName") is not None

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Split the list at its commas; empty names are none."""
        names = (name.strip() for name in (crash.text("UtilityActorsName") or "").split(","))
        return {"utility_actors_name": [name for name in names if name]}
