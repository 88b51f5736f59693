# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The shipped rules of Mozilla do what their description says."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.throttling import MOZILLA_RULES, RuleThrottler, read_rules
from socorro.crash_id import Throttle
from tests.collector.throttling import mozilla_oracle

MOZILLA = RuleThrottler(read_rules(MOZILLA_RULES))

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.lists(st.none(), max_size=1), st.dictionaries(st.text(max_size=2), st.none(), max_size=1),
    st.just("\ud800"), st.just("\x00"),
)  # fmt: skip


def one_of(*usual: Any) -> st.SearchStrategy[Any]:
    """Usual values most often, odd ones as well."""
    return st.one_of(st.sampled_from(usual), st.sampled_from(usual), ODD)


def days_ago(days: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days):%Y%m%d}120000"


ENVIRONMENTS = st.one_of(
    st.builds(
        lambda name, build: json.dumps(
            {"system": {"os": {"name": name, "windowsBuildNumber": build}}}
        ),
        st.sampled_from(["Windows_NT", "Darwin", None]),
        st.sampled_from([9600, 9601, 0, -1, "9600", None, True, [1]]),
    ),
    st.sampled_from(
        ["[]", "null", "{", "[" * 100_000, '{"system": []}', '{"system": {"os": 7}}', ""]
    ),
    ODD,
)

REPORTS = st.fixed_dictionaries(
    {},
    optional={
        "ProductName": one_of(
            *sorted(mozilla_oracle.PRODUCTS), *["Firefox"] * 3, "B2G", "b2g", "firefox", "Other"
        ),
        "ReleaseChannel": one_of(
            "release", "esr", "beta", "aurora", "nightly", "nightly-larch", "default"
        ),
        "BuildID": st.one_of(
            one_of(
                days_ago(10),
                "20000231000000",
                "20171225120000",
                "201712251200",
                "2\uff10171225120000",
            ),
            # Not at the turn of the day, when two clocks may differ.
            st.integers(0, 1500).filter(lambda days: days not in (730, 731)).map(days_ago),
        ),
        "Version": one_of("52.0", "59.0.1", "60.0", "5", "520"),
        "SubmittedFromInfobar": one_of("true", "false", True),
        "HangID": ODD,
        "ProcessType": one_of("browser", "content", "gpu", "plugin", "rdd", "socket", "utility"),
        "Android_PackageName": one_of(*sorted(set().union(*mozilla_oracle.PACKAGES.values())), "x"),
        "Throttleable": one_of("0", "1", 0),
        "Comments": one_of("", "it broke"),
        "PHCKind": one_of("FreedPage"),
        "ipc_channel_error": one_of("ShutDownKill", "other"),
        "TelemetryEnvironment": ENVIRONMENTS,
    },
)


@settings(max_examples=2000)
@given(REPORTS)
def test_the_file_agrees_with_an_implementation_of_its_own(report: Mapping[str, Any]) -> None:
    found = {
        (chance.verdict.rule, chance.verdict.result.name): chance.probability
        for chance in MOZILLA.chances(report)
    }
    assert found == pytest.approx(mozilla_oracle.chances(report))


@settings(max_examples=200)
@given(REPORTS)
def test_a_verdict_is_one_of_those_that_can_be(report: Mapping[str, Any]) -> None:
    verdict = MOZILLA.judge(report)
    assert (verdict.rule, verdict.result.name) in mozilla_oracle.chances(report)


def test_the_rules_stand_in_their_order() -> None:
    assert [rule.name for rule in MOZILLA.rules] == [
        "has_old_buildid", "has_hangid_and_browser", "infobar_is_true", "b2g",
        "unsupported_product", "unsupported_packagename", "throttleable_0", "has_comments",
        "has_phc", "is_background", "is_shutdownkill", "is_firefox_esr_unsupported_windows",
        "is_alpha_beta_esr", "is_nightly", "is_firefox_desktop", "accept_everything",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "result"), [(0.0, "ACCEPT"), (0.1, "ACCEPT"), (0.1001, "REJECT"), (0.999, "REJECT")]
)
def test_a_tenth_of_release_is_accepted(number: float, result: str) -> None:
    throttler = RuleThrottler(read_rules(MOZILLA_RULES), lambda: number)
    verdict = throttler.judge({"ProductName": "Firefox", "ReleaseChannel": "release"})
    assert verdict.rule == "is_firefox_desktop"
    assert verdict.result is Throttle[result]


def test_a_sampled_report_goes_on_with_the_next_rule() -> None:
    throttler = RuleThrottler(read_rules(MOZILLA_RULES), lambda: 0.05)
    verdict = throttler.judge(
        {"ProductName": "Firefox", "ReleaseChannel": "beta", "ipc_channel_error": "ShutDownKill"}
    )
    assert (verdict.rule, verdict.result) == ("is_alpha_beta_esr", Throttle.ACCEPT)
