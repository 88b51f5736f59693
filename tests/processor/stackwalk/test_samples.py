# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Stack walks of real minidumps."""

import gzip
import json
from pathlib import Path

import pytest

from bench.stackwalk.one_shot import one_shot_binary
from processor.stackwalk import CommandStackwalker
from socorro.packaged import SAMPLES
from tests.processor.stackwalk.conftest import SYMBOLS, MakeWalker

# The first test that needs the stackwalker compiles it.
pytestmark = pytest.mark.timeout(1800)

EXPECTED = Path(__file__).parent / "expected"
DUMPS = sorted(SAMPLES.glob("**/*.dmp"))
REFUSED = {"invalid-range", "invalid-record-count"}
FACTS = json.loads((SAMPLES / "crashes" / "facts.json").read_text(encoding="utf-8"))


def test_the_json_is_that_of_minidump_stackwalk(make_walker: MakeWalker) -> None:
    walker = make_walker(*SYMBOLS)
    expected = sorted(EXPECTED.glob("*.json"))
    assert len(expected) == 5
    for path in expected:
        result = walker.walk(SAMPLES / "minidumps" / f"{path.stem}.dmp", None)
        assert result.output is not None
        for module in result.output["modules"]:
            # Ours, beside what the tool writes.
            assert module.pop("symbol_status") in ("loaded", "not_found", "not_needed", "no_id")
        assert result.output == json.loads(path.read_bytes()), path.stem


def test_the_demo_crashes_are_walked_as_their_facts_say(make_walker: MakeWalker) -> None:
    walker = make_walker(*SYMBOLS)
    for name, facts in FACTS.items():
        output = walker.walk(SAMPLES / "crashes" / "dumps" / f"{name}.dmp", None).output
        assert output is not None
        crash_info, threads = output["crash_info"], output["threads"]
        assert crash_info["type"] == facts["reason"]
        assert crash_info["address"] == facts["crash_address"]
        assert crash_info["crashing_thread"] == facts["crashing_thread"]
        assert [thread["thread_name"] for thread in threads] == facts["thread_names"]
        assert output["crashing_thread"]["frame_count"] == facts["frame_count"]


def test_functions_files_and_lines_come_from_gzipped_symbols(make_walker: MakeWalker) -> None:
    store = SAMPLES / "minidumps" / "symbols"
    assert [path.suffix for path in store.glob("test_app.pdb/*/*")] == [".gz"]
    output = make_walker(store).walk(SAMPLES / "minidumps" / "test.dmp", None).output
    assert output is not None
    frame = output["crashing_thread"]["frames"][0]
    assert frame["function"] == "`anonymous namespace'::CrashFunction"
    assert (frame["file"], frame["line"]) == ("c:\\test_app.cc", 58)


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_every_sample_is_walked_alike_each_time(make_walker: MakeWalker, path: Path) -> None:
    walker = make_walker(*SYMBOLS)
    first = walker.walk(path, None)
    second = walker.walk(path, None)
    assert first == second
    if path.stem in REFUSED:
        assert (first.status, first.return_code) == ("MissingThreadList", 1)
        assert (first.success, first.output) == (False, None)
        assert first.stderr.startswith("ERROR MissingThreadList - ")
    else:
        assert (first.status, first.return_code, first.success) == ("OK", 0, True)
        assert first.output is not None
        assert first.output["status"] == "OK"
        assert first.stderr == ""


def test_other_crashes_in_between_change_nothing(make_walker: MakeWalker) -> None:
    """32-bit and 64-bit addresses are written differently: no walk may take over the last one's."""
    alone = {path: make_walker(*SYMBOLS).walk(path, None) for path in DUMPS[::4]}
    shared = make_walker(*SYMBOLS)
    for path in [*DUMPS, *reversed(DUMPS)]:
        result = shared.walk(path, None)
        assert path not in alone or result == alone[path]


def test_the_annotations_name_who_signed_a_module(make_walker: MakeWalker, tmp_path: Path) -> None:
    annotations = tmp_path / "annotations.json"
    signers = {"ModuleSignatureInfo": json.dumps({"Example Corp": ["test_app.exe"]})}
    annotations.write_text(json.dumps(signers), encoding="utf-8")
    output = make_walker().walk(SAMPLES / "minidumps" / "test.dmp", annotations).output
    assert output is not None
    signed = {module["filename"]: module["cert_subject"] for module in output["modules"]}
    assert signed["test_app.exe"] == "Example Corp"
    assert signed["kernel32.dll"] is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"ModuleSignatureInfo": 7}', "\xff"])
def test_annotations_that_are_no_json_object_do_no_harm(
    make_walker: MakeWalker, tmp_path: Path, content: str
) -> None:
    annotations = tmp_path / "annotations.json"
    annotations.write_text(content, encoding="latin-1")
    result = make_walker().walk(SAMPLES / "minidumps" / "test.dmp", annotations)
    assert result.success
    assert result.stderr.startswith("ERROR ")


def test_the_version_is_told(make_walker: MakeWalker) -> None:
    walker = make_walker()
    assert walker.version == "socorro-stackwalker 0.27.0"
    assert walker.walk(SAMPLES / "minidumps" / "test.dmp", None).version == walker.version


@pytest.mark.soak
def test_the_long_lived_stackwalker_and_the_command_agree(
    make_walker: MakeWalker, tmp_path: Path
) -> None:
    for path in (path for folder in SYMBOLS for path in folder.glob("*/*/*")):
        plain = (
            tmp_path / path.parent.parent.name / path.parent.name / path.name.removesuffix(".gz")
        )
        plain.parent.mkdir(parents=True)
        content = path.read_bytes()
        plain.write_bytes(gzip.decompress(content) if path.suffix == ".gz" else content)
    command = CommandStackwalker(one_shot_binary(), [tmp_path], deadline=60)
    walker = make_walker(*SYMBOLS)
    for path in DUMPS:
        ours, theirs = walker.walk(path, None), command.walk(path, None)
        assert ours.output == theirs.output, path.stem
        assert (ours.status, ours.return_code) == (theirs.status, theirs.return_code)
        assert ours.stderr == theirs.stderr
