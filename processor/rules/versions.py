# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The version of the product, as people and searches expect it."""

import re
from collections.abc import Mapping
from typing import Any

from processor.crash import Crash
from processor.rules.base import ProductRule, Rule
from processor.versions import VersionLookup

_FENIX_NIGHTLY = "0.0a1"
_MAJOR = re.compile(r"\s*([+-]?[0-9]{1,9})\s*", re.ASCII)
_CHANNELS_WITHOUT_NUMBER = frozenset({"aurora", "beta"})
# The first builds of Developer Edition from mozilla-beta, which are listed under its own name.
_DEV_EDITION_BUILDS = "20170601"


class FenixVersion(ProductRule):
    """``version`` of a nightly that calls itself ``Nightly`` and a date, not a number."""

    reads = frozenset({"product", "version"})
    writes = frozenset({"version"})

    def concerns(self, crash: Crash) -> bool:
        """Only for versions of that form."""
        return str(crash.processed.get("version")).startswith("Nightly ")

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Give all nightlies one version, so that they are grouped."""
        crash.note(f"Changed version of a nightly to {_FENIX_NIGHTLY}")
        return {"version": _FENIX_NIGHTLY}


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
        if version is None:
            crash.note('"Version" missing from esr release raw_crash')
            return {}
        return {"version": version if version.endswith("esr") else f"{version}esr"}


class MajorVersion(Rule):
    """``major_version``: the number before the first dot of the version, 0 without one."""

    writes = frozenset({"major_version"})

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Read the annotation: the field may have been rewritten by now."""
        major = _MAJOR.fullmatch((crash.text("Version") or "").partition(".")[0])
        return {"major_version": int(major[1]) if major else 0}


class _LookedUpVersion(ProductRule):
    """``version`` of a channel whose builds do not know which number they will be released as."""

    reads = frozenset({"build", "product", "release_channel", "version"})
    writes = frozenset({"version"})

    def __init__(self, products: frozenset[str], versions: VersionLookup) -> None:
        """Take the products that want the rule, and what knows the versions of builds."""
        super().__init__(products)
        self._versions = versions

    def act(self, crash: Crash) -> Mapping[str, Any]:
        """Replace the version by the one of the build; without an answer it is a beta 0."""
        channel, build = _channel(crash), _build(crash)
        found = self._versions.find(self._product(crash), channel, build) if build else None
        if found is not None:
            return {"version": found}
        version = crash.processed.get("version")
        if version is None:
            crash.note(f"release channel is {channel} but there is no version")
            return {}
        crash.note(
            f'release channel is {channel} but no version data was found - added "b0" '
            "suffix to version number"
        )
        return {"version": f"{version}b0"}

    def _product(self, crash: Crash) -> str:
        return str(crash.processed["product"])


class DevEditionVersion(_LookedUpVersion):
    """``version`` of Developer Edition, whose reports carry the product's name and ``aurora``."""

    def concerns(self, crash: Crash) -> bool:
        """Only for the aurora channel since it is made from beta."""
        return _channel(crash) == "aurora" and _build(crash) > _DEV_EDITION_BUILDS

    def _product(self, crash: Crash) -> str:  # noqa: ARG002 - it has one name
        return "DevEdition"


class BetaVersion(_LookedUpVersion):
    """``version`` of a beta, which says ``128.0`` where people say ``128.0b4``."""

    def __init__(
        self, products: frozenset[str], versions: VersionLookup, dev_edition: DevEditionVersion
    ) -> None:
        """Take, besides, the rule that does the same for a part of the crashes."""
        super().__init__(products, versions)
        self._dev_edition = dev_edition

    def concerns(self, crash: Crash) -> bool:
        """Only for the beta and aurora channels."""
        if self._dev_edition.applies(crash):
            return False
        return _channel(crash) in _CHANNELS_WITHOUT_NUMBER


def _channel(crash: Crash) -> str:
    return str(crash.processed.get("release_channel") or "").lower()


def _build(crash: Crash) -> str:
    return str(crash.processed.get("build") or "").strip()
