# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Mozilla's throttle rules once more, as plain Python, to hold the shipped file against.

Written from the description of the rules and not from the file. `chances` returns what may become
of a report: the probability of each pair of rule and verdict.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

PRODUCTS = {
    "Fenix", "Firefox", "Firefox Enterprise", "Focus", "MozillaVPN", "ReferenceBrowser",
    "Thunderbird",
}  # fmt: skip
PACKAGES = {
    "Fenix": {"org.mozilla.firefox", "org.mozilla.firefox_beta", "org.mozilla.fenix"},
    "Focus": {
        "org.mozilla.focus",
        "org.mozilla.focus.beta",
        "org.mozilla.focus.nightly",
        "org.mozilla.klar",
    },
    "ReferenceBrowser": {"org.mozilla.reference.browser"},
}

Chances = dict[tuple[str, str], float]


def chances(report: Mapping[str, Any]) -> Chances:
    """Return the probability of each outcome, 0 to 1."""
    text = {name: str(value) for name, value in report.items()}
    product = text.get("ProductName")
    channel = text.get("ReleaseChannel")
    firm = _before_sampling(report, text)
    if firm is not None:
        return {firm: 1.0}
    sampled: Chances = {}
    left = 1.0
    if text.get("ipc_channel_error") == "ShutDownKill":
        sampled["is_shutdownkill", "REJECT"] = 0.9
        left = 0.1
    if product == "Firefox" and channel == "esr" and _has_old_windows(report):
        sampled["is_firefox_esr_unsupported_windows", "REJECT"] = left * 0.75
        left *= 0.25
    if channel in ("aurora", "beta", "esr"):
        sampled["is_alpha_beta_esr", "ACCEPT"] = left
    elif channel is not None and channel.startswith("nightly"):
        sampled["is_nightly", "ACCEPT"] = left
    elif product == "Firefox" and channel == "release":
        sampled["is_firefox_desktop", "ACCEPT"] = left * 0.1
        sampled["is_firefox_desktop", "REJECT"] = left * 0.9
    else:
        sampled["accept_everything", "ACCEPT"] = left
    return sampled


def _before_sampling(report: Mapping[str, Any], text: Mapping[str, str]) -> tuple[str, str] | None:
    product = text.get("ProductName")
    if _is_old(text.get("BuildID")):
        return "has_old_buildid", "REJECT"
    if "HangID" in report and text.get("ProcessType", "browser") == "browser":
        return "has_hangid_and_browser", "REJECT"
    if (
        product == "Firefox"
        and text.get("SubmittedFromInfobar") == "true"
        and text.get("Version", "")[:3] in {f"{major}." for major in range(52, 60)}
        and "BuildID" in text
        and text["BuildID"] < "20171226"
    ):
        return "infobar_is_true", "REJECT"
    if product is not None and product.lower() == "b2g":
        return "b2g", "FAKE_ACCEPT"
    if product not in PRODUCTS:
        return "unsupported_product", "REJECT"
    if product in PACKAGES and text.get("Android_PackageName") not in PACKAGES[product]:
        return "unsupported_packagename", "REJECT"
    if text.get("Throttleable") == "0":
        return "throttleable_0", "ACCEPT"
    if "Comments" in report:
        return "has_comments", "ACCEPT"
    if "PHCKind" in report:
        return "has_phc", "ACCEPT"
    if text.get("ProcessType") in ("gpu", "plugin", "rdd", "socket", "utility"):
        return "is_background", "ACCEPT"
    return None


def _is_old(build_id: str | None) -> bool:
    if build_id is None or len(build_id) != 14 or not build_id.startswith("20"):
        return False
    if not (build_id.isascii() and build_id.isdigit()):
        return False
    try:
        built = datetime.strptime(build_id[:8], "%Y%m%d").date()  # noqa: DTZ007 - a day
    except ValueError:
        return False
    return (datetime.now(UTC).date() - built).days > 730


def _has_old_windows(report: Mapping[str, Any]) -> bool:
    try:
        system = json.loads(report["TelemetryEnvironment"])["system"]["os"]
        build = system["windowsBuildNumber"]
        name = system["name"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return False
    return name == "Windows_NT" and type(build) is int and build <= 9600
