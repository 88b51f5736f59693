# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The default ruleset as a deployment's settings and product files make it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from processor.ruleset import load_rulesets
from processor.trial import GivenWalks, process_given
from socorro import settings
from socorro.settings import SettingError

RAW = {
    "uuid": "0b5e3a1c-9c1e-4a6e-8f43-2b8d10261122",
    "submitted_timestamp": "2026-11-22T10:00:00.000000+00:00",
    "CrashTime": "1795341590",
    "BuildID": "20261101000000",
}


def process(products: Path | None = None, **annotations: Any) -> dict[str, Any]:
    """Return the processed crash of annotations, without a network."""
    walks = GivenWalks()
    loaded = replace(settings.load(), products=products)
    pipeline = load_rulesets(loaded, walks, online=False)["default"]
    return process_given({"raw_crash": {**RAW, **annotations}}, pipeline, walks)


@pytest.mark.parametrize(
    ("product", "version", "channel", "expected"),
    [
        ("Fenix", "Nightly 211205 17:01", "nightly", "0.0a1"),
        ("Fenix", "128.0", "beta", "128.0"),
        ("Firefox", "Nightly 211205 17:01", "nightly", "Nightly 211205 17:01"),
        ("Firefox", "128.0", "beta", "128.0b0"),
        ("Firefox", "128.0", "aurora", "128.0b0"),
        ("Firefox", "128.0", "release", "128.0"),
        ("Firefox", "128.3.0", "esr", "128.3.0esr"),
        ("Thunderbird", "128.0", "Beta", "128.0b0"),
        ("DemoApp", "1.0", "beta", "1.0"),
        ("Nobody's", "Nightly 211205 17:01", "beta", "Nightly 211205 17:01"),
    ],
)
def test_products_have_the_rules_that_their_files_choose(
    product: str, version: str, channel: str, expected: str
) -> None:
    processed = process(ProductName=product, Version=version, ReleaseChannel=channel)
    assert processed["version"] == expected
    assert processed["success"] is True


def test_a_deployment_chooses_rules_for_a_product_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("name: App\nrules: [BetaVersion, FenixVersion]\n")
    given = {"ProductName": "App", "ReleaseChannel": "beta"}
    assert process(tmp_path, Version="1.0", **given)["version"] == "1.0b0"
    assert process(tmp_path, Version="Nightly 1", **given)["version"] == "0.0a1b0"
    # Those that ship are not there then.
    elsewhere = process(tmp_path, ProductName="Firefox", Version="1.0", ReleaseChannel="beta")
    assert elsewhere["version"] == "1.0"


def test_a_file_with_an_unknown_rule_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("name: App\nrules: [MajorVersion]\n")
    expected = "PRODUCTS: App: rules: MajorVersion is no rule for products to choose"
    with pytest.raises(SettingError, match=expected):
        process(tmp_path)
