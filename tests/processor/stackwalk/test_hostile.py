# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Minidumps that lie, and symbols that are too large."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.stackwalk import LongLivedStackwalker, WalkResult
from socorro.packaged import SAMPLES
from tests.processor.stackwalk.conftest import MIB, SYMBOLS, MakeWalker
from tests.processor.stackwalk.minidumps import (
    SAMPLE,
    SAMPLE_DEBUG_ID,
    SAMPLE_MODULE,
    with_module_leaf,
)

pytestmark = pytest.mark.timeout(1800)

REAL = [path.read_bytes() for path in sorted(SAMPLES.glob("**/*.dmp"))]

BAIT = f"MODULE Linux x86_64 {SAMPLE_DEBUG_ID} bait\nFUNC 0 ffffff 0 bait_that_must_not_be_read\n"


def walk(walker: LongLivedStackwalker, folder: Path, dump: bytes) -> WalkResult:
    """Walk bytes; whatever they are, there is a result that can be stored."""
    path = folder / "upload.dmp"
    path.write_bytes(dump)
    result = walker.walk(path, None)
    assert result.success == (result.status == "OK") == (result.output is not None)
    json.dumps(result.output, allow_nan=False).encode("utf-8")
    return result


def test_bytes_that_are_no_minidump_have_an_error(make_walker: MakeWalker, tmp_path: Path) -> None:
    walker = make_walker()

    @given(dump=st.binary(min_size=1, max_size=2000))
    def refuse(dump: bytes) -> None:
        assert not walk(walker, tmp_path, dump).success

    refuse()


def test_noise_in_real_minidumps_always_has_a_result(
    make_walker: MakeWalker, tmp_path: Path
) -> None:
    walker = make_walker(*SYMBOLS, deadline=30)

    @given(data=st.data())
    def corrupt(data: st.DataObject) -> None:
        dump = bytearray(data.draw(st.sampled_from(REAL)))
        size = data.draw(st.sampled_from([len(dump), 4096, 512]))
        for _ in range(data.draw(st.integers(1, 20))):
            where = data.draw(st.integers(0, min(size, len(dump)) - 4))
            word = data.draw(st.sampled_from([0, 1, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, len(dump)]))
            dump[where : where + 4] = word.to_bytes(4, "little")
        walk(walker, tmp_path, bytes(dump))

    corrupt()
    assert walk(walker, tmp_path, REAL[0]).success


def test_cut_minidumps_are_walked_or_refused(make_walker: MakeWalker, tmp_path: Path) -> None:
    walker = make_walker(*SYMBOLS, deadline=30)
    for dump in REAL[::3]:
        for size in (1, 31, 32, 33, len(dump) // 3, len(dump) // 2, len(dump) - 1):
            walk(walker, tmp_path, dump[:size])


@pytest.mark.parametrize(
    ("dump", "status"),
    [
        (b"MDMP", "MissingHeader"),
        (b"x" * 100, "HeaderMismatch"),
        (b"MDMP" + b"\xff" * 28, "VersionMismatch"),
    ],
)
def test_the_error_keeps_its_name(
    make_walker: MakeWalker, tmp_path: Path, dump: bytes, status: str
) -> None:
    result = walk(make_walker(), tmp_path, dump)
    assert (result.status, result.return_code) == (status, 1)
    assert result.stderr.startswith(f"ERROR {status} - ")


@pytest.mark.parametrize("leaf", ["..", ".", ""])
def test_a_module_name_never_leads_out_of_the_symbol_folder(
    make_walker: MakeWalker, tmp_path: Path, leaf: str
) -> None:
    store = tmp_path / "symbols"
    (store / SAMPLE_DEBUG_ID).mkdir(parents=True)
    for folder in (store.parent, store):
        bait = folder / SAMPLE_DEBUG_ID / f"{leaf}.sym"
        bait.parent.mkdir(exist_ok=True)
        bait.write_text(BAIT, encoding="utf-8")
    # The path that a careless stackwalker would open.
    assert (store / leaf / SAMPLE_DEBUG_ID / f"{leaf}.sym").exists()
    result = walk(make_walker(store), tmp_path, with_module_leaf(SAMPLE.read_bytes(), leaf))
    assert result.success
    assert "bait" not in json.dumps(result.output)


def test_the_bait_would_be_read_in_its_right_place(make_walker: MakeWalker, tmp_path: Path) -> None:
    bait = tmp_path / SAMPLE_MODULE / SAMPLE_DEBUG_ID / f"{SAMPLE_MODULE}.sym"
    bait.parent.mkdir(parents=True)
    bait.write_text(BAIT, encoding="utf-8")
    result = walk(make_walker(tmp_path), tmp_path, SAMPLE.read_bytes())
    assert "bait" in json.dumps(result.output)


def test_symbols_too_large_for_the_memory_limit_are_left_out(
    make_walker: MakeWalker, tmp_path: Path
) -> None:
    path = tmp_path / SAMPLE_MODULE / SAMPLE_DEBUG_ID / f"{SAMPLE_MODULE}.sym"
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(BAIT)
        for number in range(600_000):
            file.write(f"PUBLIC {0x1000000 + number * 16:x} 0 a_public_symbol_of_some_length\n")
    walker = make_walker(tmp_path, memory_limit=128 * MIB)
    result = walk(walker, tmp_path, SAMPLE.read_bytes())
    assert result.success
    assert "bait" not in json.dumps(result.output)
    assert "too large" in result.stderr
    enough = walk(make_walker(tmp_path), tmp_path, SAMPLE.read_bytes())
    assert "bait" in json.dumps(enough.output)


def test_symbols_that_are_added_or_replaced_are_used_at_once(
    make_walker: MakeWalker, tmp_path: Path
) -> None:
    def function() -> str | None:
        output = walk(walker, tmp_path, SAMPLE.read_bytes()).output
        assert output is not None
        name: str | None = output["crashing_thread"]["frames"][0]["function"]
        return name

    walker = make_walker(tmp_path)
    path = tmp_path / SAMPLE_MODULE / SAMPLE_DEBUG_ID / f"{SAMPLE_MODULE}.sym"
    assert function() is None
    path.parent.mkdir(parents=True)
    path.write_text(BAIT, encoding="utf-8")
    assert function() == "bait_that_must_not_be_read"
    path.write_text(BAIT.replace("bait_that", "replacement"), encoding="utf-8")
    assert function() == "replacement_must_not_be_read"
    path.unlink()
    assert function() is None


def test_noise_in_symbols_never_fails_a_crash(make_walker: MakeWalker, tmp_path: Path) -> None:
    (original,) = (SAMPLES / "minidumps" / "symbols").glob("test_app.pdb/*/*.sym*")
    choose = random.Random(1)
    path = tmp_path / "test_app.pdb" / original.parent.name / "test_app.sym.gz"
    path.parent.mkdir(parents=True)
    walker = make_walker(tmp_path)
    dump = (SAMPLES / "minidumps" / "test.dmp").read_bytes()
    for _ in range(20):
        content = bytearray(original.read_bytes())
        for _ in range(choose.randrange(1, 50)):
            content[choose.randrange(len(content))] = choose.randrange(256)
        path.write_bytes(content)
        assert walk(walker, tmp_path, dump).success
