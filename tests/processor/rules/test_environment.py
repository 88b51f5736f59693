# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the application ran with."""

import json
from typing import Any

import pytest

from processor.rules.environment import Accessibility, DistributionId
from tests.processor.conftest import MakeCrash


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({"Accessibility": "Active"}, True),
        ({"Accessibility": "active"}, False),
        ({"Accessibility": ""}, False),
        ({"Accessibility": ["Active"]}, False),
        ({}, False),
    ],
)
def test_accessibility_is_active_or_not(
    make_crash: MakeCrash, annotations: dict[str, Any], expected: bool
) -> None:
    assert Accessibility().act(make_crash(**annotations)) == {"accessibility": expected}


def _environment(**partner: Any) -> dict[str, Any]:
    return {"TelemetryEnvironment": json.dumps({"partner": partner})}


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({}, "unknown"),
        ({"DistributionID": "debian"}, "debian"),
        ({"DistributionID": "debian", **_environment(distributionId="other")}, "debian"),
        ({"DistributionID": "", **_environment(distributionId="other")}, "other"),
        ({"DistributionID": ""}, "unknown"),
        (_environment(), "unknown"),
        (_environment(distributionId="canonical"), "canonical"),
        (_environment(distributionId=None), "mozilla"),
        (_environment(distributionId=""), "mozilla"),
        (_environment(distributionId=["a"]), "unknown"),
        ({"TelemetryEnvironment": '{"partner": null}'}, "unknown"),
        ({"TelemetryEnvironment": '{"partner": "x"}'}, "unknown"),
        ({"TelemetryEnvironment": "[]"}, "unknown"),
        ({"TelemetryEnvironment": "{"}, "unknown"),
        ({"TelemetryEnvironment": "[" * 100_000}, "unknown"),
        ({"TelemetryEnvironment": {"partner": {"distributionId": "object"}}}, "object"),
        ({"TelemetryEnvironment": 7}, "unknown"),
    ],
)
def test_the_distribution_is_the_annotation_or_the_partner(
    make_crash: MakeCrash, annotations: dict[str, Any], expected: str
) -> None:
    assert DistributionId().act(make_crash(**annotations)) == {"distribution_id": expected}


def test_an_environment_that_was_decoded_is_not_decoded_again(make_crash: MakeCrash) -> None:
    decoded = {"telemetry_environment": {"partner": {"distributionId": "decoded"}}}
    crash = make_crash(decoded, **_environment(distributionId="text"))
    assert DistributionId().act(crash) == {"distribution_id": "decoded"}
