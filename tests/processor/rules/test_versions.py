# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The version of the product."""

import pytest

from processor.rules.versions import (
    BetaVersion,
    DevEditionVersion,
    EsrVersion,
    FenixVersion,
    MajorVersion,
)
from processor.versions import NoVersions
from tests.processor.conftest import MakeCrash

FIREFOX = frozenset({"Firefox"})


class Versions:
    """Knows the version of every build of one product, and remembers what it was asked."""

    def __init__(self, product: str, version: str) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self._product = product
        self._version = version

    def find(self, product: str, channel: str, build: str) -> str | None:
        self.asked.append((product, channel, build))
        return self._version if product == self._product else None


def _beta(channel: str = "beta", build: str = "20261123093507", **fields: str) -> dict[str, str]:
    given = {"product": "Firefox", "version": "128.0", "release_channel": channel, "build": build}
    return given | fields


def _rules(versions: Versions | NoVersions) -> tuple[DevEditionVersion, BetaVersion]:
    dev_edition = DevEditionVersion(FIREFOX, versions)
    return dev_edition, BetaVersion(FIREFOX, versions, dev_edition)


def test_nightlies_of_fenix_have_one_version(make_crash: MakeCrash) -> None:
    rule = FenixVersion(frozenset({"Fenix"}))
    crash = make_crash({"product": "Fenix", "version": "Nightly 211205 17:01"})
    assert rule.applies(crash)
    assert rule.act(crash) == {"version": "0.0a1"}
    assert crash.notes == ["Changed version of a nightly to 0.0a1"]


@pytest.mark.parametrize(
    "processed",
    [
        {"product": "Fenix", "version": "128.0"},
        {"product": "Fenix", "version": "Nightly"},
        {"product": "Fenix"},
        {"product": "Firefox", "version": "Nightly 211205 17:01"},
        {"version": "Nightly 211205 17:01"},
    ],
)
def test_other_versions_and_products_keep_theirs(
    make_crash: MakeCrash, processed: dict[str, str]
) -> None:
    assert not FenixVersion(frozenset({"Fenix"})).applies(make_crash(processed))


def test_esr_stands_in_the_version_once(make_crash: MakeCrash) -> None:
    crash = make_crash({"release_channel": "esr", "version": "128.3.0"})
    assert EsrVersion().applies(crash)
    assert EsrVersion().act(crash) == {"version": "128.3.0esr"}
    again = make_crash({"release_channel": "esr", "version": "128.3.0esr"})
    assert EsrVersion().act(again) == {"version": "128.3.0esr"}


@pytest.mark.parametrize("channel", ["release", "ESR", "", None])
def test_only_the_esr_channel_is_esr(make_crash: MakeCrash, channel: str | None) -> None:
    assert not EsrVersion().applies(make_crash({"release_channel": channel, "version": "1"}))


def test_an_esr_without_version_is_noted(make_crash: MakeCrash) -> None:
    crash = make_crash({"release_channel": "esr"})
    assert EsrVersion().act(crash) == {}
    assert crash.notes == ['"Version" missing from esr release raw_crash']


@pytest.mark.parametrize(
    ("version", "major"),
    [
        ("128.3.0", 128),
        ("7", 7),
        (" 7 .1", 7),
        ("", 0),
        ("x.1", 0),
        ("Nightly 211205 17:01", 0),
        ("٣.1", 0),
        ("1_0.1", 0),
        ("9" * 30 + ".1", 0),
        (130.5, 130),
        (["128"], 0),
    ],
)
def test_the_major_version_is_a_number(make_crash: MakeCrash, version: object, major: int) -> None:
    assert MajorVersion().act(make_crash(Version=version)) == {"major_version": major}


def test_without_version_the_major_version_is_zero(make_crash: MakeCrash) -> None:
    assert MajorVersion().act(make_crash()) == {"major_version": 0}


def test_the_major_version_is_that_of_the_report(make_crash: MakeCrash) -> None:
    crash = make_crash({"version": "0.0a1"}, Version="128.0")
    assert MajorVersion().act(crash) == {"major_version": 128}


@pytest.mark.parametrize("channel", ["beta", "Beta", "BETA", "aurora"])
def test_a_beta_has_the_version_of_its_build(make_crash: MakeCrash, channel: str) -> None:
    versions = Versions("Firefox", "128.0b4")
    _, rule = _rules(versions)
    crash = make_crash(_beta(channel, build=" 20150101000000 "))
    assert rule.applies(crash)
    assert rule.act(crash) == {"version": "128.0b4"}
    assert versions.asked == [("Firefox", channel.lower(), "20150101000000")]
    assert crash.notes == []


@pytest.mark.parametrize("channel", ["release", "esr", "nightly", "", "beta2"])
def test_other_channels_have_the_version_of_the_report(make_crash: MakeCrash, channel: str) -> None:
    assert not any(rule.applies(make_crash(_beta(channel))) for rule in _rules(NoVersions()))


def test_a_product_that_does_not_ask_for_it_keeps_its_version(make_crash: MakeCrash) -> None:
    crash = make_crash(_beta(product="DemoApp"))
    assert not any(rule.applies(crash) for rule in _rules(NoVersions()))


@pytest.mark.parametrize("build", ["20170602000000", "20170601000000"])
def test_developer_edition_is_looked_up_by_its_own_name(make_crash: MakeCrash, build: str) -> None:
    versions = Versions("DevEdition", "128.0b2")
    dev_edition, beta = _rules(versions)
    crash = make_crash(_beta("aurora", build))
    assert dev_edition.applies(crash)
    assert not beta.applies(crash)
    assert dev_edition.act(crash) == {"version": "128.0b2"}
    assert versions.asked == [("DevEdition", "aurora", build)]


@pytest.mark.parametrize(
    ("channel", "build"), [("beta", "20261123093507"), ("aurora", "20170601"), ("aurora", "2016")]
)
def test_what_is_not_developer_edition_is_a_beta(
    make_crash: MakeCrash, channel: str, build: str
) -> None:
    dev_edition, beta = _rules(NoVersions())
    crash = make_crash(_beta(channel, build))
    assert not dev_edition.applies(crash)
    assert beta.applies(crash)


def test_without_an_answer_it_is_beta_zero_with_a_note(make_crash: MakeCrash) -> None:
    crash = make_crash(_beta())
    assert _rules(NoVersions())[1].act(crash) == {"version": "128.0b0"}
    (note,) = crash.notes
    assert note.startswith("release channel is beta but no version data was found")
    assert note.endswith('added "b0" suffix to version number')


def test_without_a_build_nobody_is_asked(make_crash: MakeCrash) -> None:
    versions = Versions("Firefox", "128.0b4")
    for build in ("", "  "):
        assert _rules(versions)[1].act(make_crash(_beta(build=build))) == {"version": "128.0b0"}
    assert versions.asked == []


def test_a_beta_without_version_is_noted(make_crash: MakeCrash) -> None:
    crash = make_crash({"product": "Firefox", "release_channel": "beta"})
    assert _rules(NoVersions())[1].act(crash) == {}
    assert crash.notes == ["release channel is beta but there is no version"]
