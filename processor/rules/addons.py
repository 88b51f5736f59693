# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The add-ons that the application had."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from processor.crash import Crash
from processor.rules.base import Rule

_NO_VERSION = "NO_VERSION"
_PRETTY_NAMES = {
    "{972ce4c6-7e08-4474-a285-3208198ce6fd}": (
        "{972ce4c6-7e08-4474-a285-3208198ce6fd} (default theme)"
    )
}


class Addons(Rule):
    """``addons`` as ``id:version``, and whether their compatibility had been checked."""

    writes = frozenset({"addons", "addons_checked"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Take the list apart, then decode each: a comma within an id is encoded."""
        addons = crash.text("Add-ons")
        return {
            "addons_checked": _checked(crash),
            "addons": [_addon(part) for part in addons.split(",")] if addons else [],
        }


class ThemePrettyName(Rule):
    """``addons``: the default theme, which is on top of every list, by a name besides its id."""

    reads = frozenset({"addons"})
    writes = frozenset({"addons"})

    def applies(self, crash: Crash) -> bool:
        """Only where that theme is among the add-ons."""
        return any(addon.partition(":")[0] in _PRETTY_NAMES for addon in _addons(crash))

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Put the name behind the id."""
        return {"addons": [_pretty(addon) for addon in _addons(crash)]}


def _checked(crash: Crash) -> bool | None:
    """Return what the report says; null where it says nothing."""
    said = crash.annotations.get("EMCheckCompatibility")
    if isinstance(said, bool):
        return said
    text = crash.text("EMCheckCompatibility")
    return None if text is None else text.lower() == "true"


def _addon(part: str) -> str:
    return unquote_plus(part if ":" in part else f"{part}:{_NO_VERSION}")


def _addons(crash: Crash) -> list[str]:
    addons: list[str] = crash.processed.get("addons", [])
    return addons


def _pretty(addon: str) -> str:
    name, colon, version = addon.partition(":")
    return f"{_PRETTY_NAMES.get(name, name)}{colon}{version}"
