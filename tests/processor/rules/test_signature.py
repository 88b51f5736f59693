# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The signature of a crash in the processor: lists and rules of the settings, and what is kept."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from processor.pipeline import Pipeline
from processor.rules.signature import ShutdownHang, Signature
from socorro import settings
from socorro.settings import SettingError
from socorro.signature import Action, Draft
from socorro.signing import Signer, load_signer
from tests.processor.conftest import MakeCrash


def mark(draft: Draft) -> None:
    """Put a mark before the signature: a rule of a deployment's own."""
    draft.prepend("ours")
    draft.note("it is marked")


def signer(**changes: Any) -> Signer:
    return load_signer(replace(settings.load(), **changes))


def walked(*functions: str | None) -> dict[str, Any]:
    frames = [
        {"frame": number, "module": "app", "function": function, "offset": "0x10"}
        for number, function in enumerate(functions)
    ]
    return {
        "json_dump": {"crash_info": {"crashing_thread": 0}, "threads": [{"frames": frames}]},
        "crashing_thread": 0,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "prefix_signature_re.txt").write_text("# copying\nmem(cpy|move)\n")
    return lists


def test_the_lists_of_the_settings_name_the_crash_and_the_trail_says_which_line(
    make_crash: MakeCrash, folder: Path
) -> None:
    crash = make_crash(walked("memcpy", "draw(int)", "main"))
    fields = Signature(signer(siglists=folder)).act(crash)
    assert fields["signature"] == "memcpy | draw"
    assert fields["proto_signature"] == "memcpy | draw | main"
    assert fields["signature_debug"].splitlines() == [
        f"  0 memcpy: {Action.PREFIX} [prefix_signature_re.txt:2 mem(cpy|move)]",
        "  1 draw: kept: the last one",
        "Stack: 'memcpy | draw'",
    ]


def test_rules_of_a_deployment_change_the_signature_and_leave_notes(
    make_crash: MakeCrash, folder: Path
) -> None:
    crash = make_crash(walked("draw"))
    own = signer(siglists=folder, signature_rules=(f"{__name__}:mark",))
    fields = Signature(own).act(crash)
    assert fields["signature"] == "ours | draw"
    assert fields["signature_debug"].splitlines()[-1] == "mark: 'draw' -> 'ours | draw'"
    assert crash.notes == ["mark: it is marked"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"siglists": Path("/nowhere/lists")}, r"^SIGLISTS: /nowhere/lists: there is no such"),
        ({"signature_rules": ("no_such_module:rule",)}, "^SIGNATURE_RULES: 'no_such_module:rule'"),
    ],
)
def test_lists_and_rules_that_cannot_be_used_are_named_with_their_setting(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SettingError, match=sentence):
        signer(**changes)


def test_a_bad_line_of_a_list_is_named(folder: Path) -> None:
    (folder / "prefix_signature_re.txt").write_text("good\nbad(\n")
    with pytest.raises(SettingError, match=r"^SIGLISTS: .*prefix_signature_re\.txt:2: 'bad\('"):
        signer(siglists=folder)


def test_names_of_any_size_and_form_leave_a_debug_text_that_can_be_read(
    make_crash: MakeCrash, folder: Path
) -> None:
    names = ["memcpy" + "x" * 200_000, "memcpy\nStack: 'forged'", "memcpy\ud800", None, ""] * 50
    fields = Signature(signer(siglists=folder)).act(make_crash(walked(*names)))
    assert len(fields["signature"]) <= 255
    lines = fields["signature_debug"].splitlines()
    assert max(map(len, lines)) <= 2_048
    assert "Stack: 'forged'" not in lines


def test_a_crash_that_cannot_be_read_keeps_its_stored_signature(
    make_crash: MakeCrash, folder: Path
) -> None:
    stored = {"signature": "kept", "json_dump": {"threads": "no list"}}
    pipeline = Pipeline("again", [Signature(signer(siglists=folder))], from_stored=True)
    processed = pipeline.run(make_crash(), stored)
    assert processed["signature"] == "kept"
    assert processed["success"] is False
    assert "rule 'Signature' failed: CrashDataError" in processed["processor_notes"]


def test_regenerating_changes_the_signature_and_keeps_everything_else(
    make_crash: MakeCrash, folder: Path
) -> None:
    stored = {
        **walked("memcpy", "draw"),
        "signature": "memcpy",
        "product": "DemoApp",
        "processor_notes": "the first run",
    }
    pipeline = Pipeline("again", [Signature(signer(siglists=folder))], from_stored=True)
    processed = pipeline.run(make_crash(), stored)
    assert processed["signature"] == "memcpy | draw"
    assert processed["product"] == "DemoApp"
    assert processed["json_dump"] == stored["json_dump"]
    assert processed["processor_history"] == ["the first run"]


def test_a_shutdown_that_hung_points_to_the_main_thread(make_crash: MakeCrash) -> None:
    crash = make_crash({"signature": "shutdownhang | wait", "crashing_thread": 7})
    assert ShutdownHang().applies(crash)
    assert ShutdownHang().act(crash) == {"crashing_thread": 0}


@pytest.mark.parametrize("processed", [{}, {"signature": "wait | shutdownhang"}])
def test_other_signatures_keep_their_crashing_thread(
    make_crash: MakeCrash, processed: dict[str, Any]
) -> None:
    assert not ShutdownHang().applies(make_crash(processed))


def test_the_signature_of_a_shutdown_that_hung_can_be_made_again(make_crash: MakeCrash) -> None:
    watchdog = {"frame": 0, "module": "xul", "function": "RunWatchdog", "offset": "0x10"}
    main = {"frame": 0, "module": "xul", "function": "nsThread::Wait", "offset": "0x20"}
    threads = [{"frames": [main]}, {"frames": [watchdog]}]
    dump = {"crash_info": {"crashing_thread": 1}, "threads": threads}
    crash = make_crash({"json_dump": dump, "crashing_thread": 1})
    crash.processed.update(Signature(signer()).act(crash))
    assert crash.processed["signature"] == "shutdownhang | nsThread::Wait"
    crash.processed.update(ShutdownHang().act(crash))
    assert Signature(signer()).act(crash)["signature"] == "shutdownhang | nsThread::Wait"
