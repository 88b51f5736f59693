# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The process that crashed."""

import pytest

from processor.rules.process import Plugin, ProcessType, UtilityActorsName
from tests.processor.conftest import MakeCrash


@pytest.mark.parametrize(
    ("kind", "expected"), [(None, "parent"), ("main", "parent"), ("gpu", "gpu"), ("", "parent")]
)
def test_the_main_process_is_called_parent(
    make_crash: MakeCrash, kind: str | None, expected: str
) -> None:
    crash = make_crash(ProcessType=kind) if kind is not None else make_crash()
    assert ProcessType().act(crash) == {"process_type": expected}


def test_a_plugin_process_has_its_plugin(make_crash: MakeCrash) -> None:
    crash = make_crash(ProcessType="plugin", PluginFilename="a.dll", PluginName="A")
    assert Plugin().applies(crash)
    assert Plugin().act(crash) == {
        "plugin_filename": "a.dll",
        "plugin_name": "A",
        "plugin_version": "",
    }


@pytest.mark.parametrize("kind", [None, "content", "Plugin", ["plugin"]])
def test_other_processes_have_no_plugin(make_crash: MakeCrash, kind: object) -> None:
    assert not Plugin().applies(make_crash(ProcessType=kind, PluginName="A"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("audio-decoder-generic", ["audio-decoder-generic"]),
        (" audio-decoder-generic, js-oracle ,,", ["audio-decoder-generic", "js-oracle"]),
        (" , ", []),
        ("", []),
    ],
)
def test_actors_are_split_at_commas(make_crash: MakeCrash, names: str, expected: list[str]) -> None:
    crash = make_crash(UtilityActorsName=names)
    assert UtilityActorsName().applies(crash)
    assert UtilityActorsName().act(crash) == {"utility_actors_name": expected}


@pytest.mark.parametrize("annotations", [{}, {"UtilityActorsName": ["js-oracle"]}])
def test_without_actors_there_is_no_field(
    make_crash: MakeCrash, annotations: dict[str, object]
) -> None:
    assert not UtilityActorsName().applies(make_crash(**annotations))
