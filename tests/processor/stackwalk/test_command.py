# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The plain command, with small programs in its place: compiling the real one takes minutes.

`make soak` compares the real one with the long-lived stackwalker (test_samples.py).
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from processor.stackwalk import CommandStackwalker
from tests.processor.stackwalk.conftest import MIB
from tests.processor.stackwalk.minidumps import SAMPLE
from tests.processor.stackwalk.processes import exists
from tests.processor.stackwalk.programs import write_program

MakeCommand = Callable[[str], CommandStackwalker]


@pytest.fixture
def command(tmp_path: Path) -> MakeCommand:
    """Make a stackwalker of a shell script, with a deadline of 20 seconds."""

    def make(script: str) -> CommandStackwalker:
        version = '[ "$1" != --version ] || exec echo minidump-stackwalk 0.27.0'
        program = write_program(tmp_path / "minidump-stackwalk", f"{version}\n{script}")
        return CommandStackwalker(program, [tmp_path / "symbols"], deadline=20)

    return make


def test_the_json_on_standard_output_is_the_result(command: MakeCommand) -> None:
    walker = command("""echo '{"status": "OK"}'; echo a warning >&2""")
    result = walker.walk(SAMPLE, None)
    assert (result.output, result.status, result.return_code) == ({"status": "OK"}, "OK", 0)
    assert (result.success, result.stderr) == (True, "a warning\n")
    assert result.version == walker.version == "minidump-stackwalk 0.27.0"
    walker.close()


def test_the_command_gets_its_arguments(command: MakeCommand, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    walker = command(f"""printf '%s\\n' "$@" >{seen}; echo '{{}}'""")
    annotations = tmp_path / "annotations.json"
    assert walker.walk(SAMPLE, annotations).success
    assert seen.read_text(encoding="utf-8").splitlines() == [
        "--json",
        "--no-color",
        "--verbose=error",
        "--symbols-path",
        str(tmp_path / "symbols"),
        f"--evil-json={annotations}",
        str(SAMPLE),
    ]


def test_limits_in_the_order_of_a_hash_table_are_sorted(command: MakeCommand) -> None:
    script = """echo '{"proc_limits": {"limits": [{"name": "b"}, {"name": "a"}]}}'"""
    output = command(script).walk(SAMPLE, None).output
    assert output == {"proc_limits": {"limits": [{"name": "a"}, {"name": "b"}]}}


@pytest.mark.parametrize(
    ("script", "status", "return_code"),
    [
        ("echo 'ERROR MissingThreadList - no list' >&2; exit 1", "MissingThreadList", 1),
        ("echo something else >&2; exit 2", "unknown error", 2),
        ("exit 1", "unknown error", 1),
        ("echo memory allocation of 64 bytes failed >&2; kill -6 $$", "MemoryLimit", -6),
        ("echo no JSON", "BadOutput", 1),
        ("echo '[]'", "BadOutput", 1),
        ("exit 0", "BadOutput", 1),
        ("exec tr '\\0' x </dev/zero", "OutputTooLarge", -9),
    ],
)
def test_a_failure_has_its_name(
    command: MakeCommand, script: str, status: str, return_code: int
) -> None:
    result = command(script).walk(SAMPLE, None)
    assert (result.status, result.return_code) == (status, return_code)
    assert (result.success, result.output) == (False, None)


def test_a_hanging_command_is_killed_at_its_deadline(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = write_program(tmp_path / "walk", f"echo $$ >{pid_file}; while :; do :; done")
    walker = CommandStackwalker(program, [], deadline=1)
    walker.__dict__["version"] = "hangs"  # known already: asking takes as long as it may
    result = walker.walk(SAMPLE, None)
    assert (result.status, result.return_code) == ("Timeout", -9)
    assert not exists(int(pid_file.read_text()))


def test_the_command_runs_under_limits(tmp_path: Path) -> None:
    # The limits are set while it starts: the one on memory comes last.
    script = """while [ "$(ulimit -v)" = unlimited ]; do :; done
    printf '{"memory": %s, "cpu": %s, "core": %s}' "$(ulimit -v)" "$(ulimit -t)" "$(ulimit -c)" """
    program = write_program(tmp_path / "walk", script)
    walker = CommandStackwalker(program, [], deadline=20, memory_limit=512 * MIB)
    walker.__dict__["version"] = "waits"
    output = walker.walk(SAMPLE, None).output
    assert output == {"memory": 512 * 1024, "cpu": 21, "core": 0}


def test_a_minidump_of_0_bytes_is_not_walked(command: MakeCommand, tmp_path: Path) -> None:
    empty = tmp_path / "empty.dmp"
    empty.touch()
    assert command("echo '{}'").walk(empty, None).status == "EmptyMinidump"


def test_a_command_that_is_not_there_is_a_result(tmp_path: Path) -> None:
    result = CommandStackwalker(tmp_path / "none", [], deadline=5).walk(SAMPLE, None)
    assert (result.status, result.version) == ("StackwalkerUnavailable", "unknown")
