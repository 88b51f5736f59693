# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The long-lived stackwalker when its child hangs, dies, lies or grows."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from processor.stackwalk import LongLivedStackwalker, WalkResult
from socorro.packaged import SAMPLES
from tests.processor.stackwalk.conftest import MIB, SYMBOLS, MakeWalker
from tests.processor.stackwalk.minidumps import SAMPLE, with_threads
from tests.processor.stackwalk.processes import exists, is_running, is_walking, wait_until
from tests.processor.stackwalk.programs import write_program

pytestmark = pytest.mark.timeout(1800)

SECOND_SAMPLE = SAMPLES / "minidumps" / "test.dmp"


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """Annotations that are never there: whoever opens the pipe waits."""
    path = tmp_path / "endless.json"
    os.mkfifo(path)
    return path


def pid_of(walker: LongLivedStackwalker) -> int:
    assert walker.pid is not None
    return walker.pid


def program(tmp_path: Path, script: str) -> Path:
    """A program in the stackwalker's place."""
    version = '[ "$1" != --version ] || exec echo fake 1'
    return write_program(tmp_path / "stackwalker", f"{version}\n{script}")


def in_background(action: Callable[[], WalkResult]) -> Callable[[], WalkResult]:
    """Start it in a thread; calling what is returned waits for its result."""
    results: list[WalkResult] = []
    thread = threading.Thread(target=lambda: results.append(action()), daemon=True)
    thread.start()

    def result() -> WalkResult:
        thread.join(60)
        return results[0]

    return result


def test_the_child_starts_with_the_first_walk_and_serves_the_next(make_walker: MakeWalker) -> None:
    walker = make_walker()
    assert walker.pid is None
    assert walker.walk(SAMPLE, None).success
    first = walker.pid
    assert walker.walk(SECOND_SAMPLE, None).success
    assert walker.pid == first


def test_a_minidump_of_0_bytes_is_not_walked(make_walker: MakeWalker, tmp_path: Path) -> None:
    empty = tmp_path / "empty.dmp"
    empty.touch()
    walker = make_walker()
    result = walker.walk(empty, None)
    assert (result.status, result.success, result.output) == ("EmptyMinidump", False, None)
    assert "0-bytes" in result.stderr
    assert walker.pid is None


def test_a_minidump_that_is_not_there_is_a_result(make_walker: MakeWalker, tmp_path: Path) -> None:
    result = make_walker().walk(tmp_path / "none.dmp", None)
    assert (result.status, result.return_code) == ("FileNotFound", 1)


def test_a_hanging_walk_ends_at_its_deadline(make_walker: MakeWalker, endless: Path) -> None:
    walker = make_walker(deadline=1)
    assert walker.walk(SAMPLE, None).success
    hung = pid_of(walker)
    result = walker.walk(SAMPLE, endless)
    assert (result.status, result.return_code, result.success) == ("Timeout", -9, False)
    assert not exists(hung)
    assert walker.walk(SAMPLE, None).success
    assert pid_of(walker) != hung


def test_a_stopped_child_is_killed_at_the_deadline(make_walker: MakeWalker) -> None:
    walker = make_walker(deadline=1)
    walker.walk(SAMPLE, None)
    stopped = pid_of(walker)
    os.kill(stopped, signal.SIGSTOP)
    assert walker.walk(SAMPLE, None).status == "Timeout"
    assert not exists(stopped)
    assert walker.walk(SAMPLE, None).success


def test_a_crash_that_kills_its_child_has_a_result(make_walker: MakeWalker, endless: Path) -> None:
    walker = make_walker()
    result = in_background(lambda: walker.walk(SAMPLE, endless))
    wait_until(lambda: walker.pid is not None and is_walking(walker.pid))
    os.kill(pid_of(walker), signal.SIGKILL)
    assert (result().status, result().return_code) == ("StackwalkerDied", -9)
    assert walker.walk(SAMPLE, None).success


def test_a_crash_is_tried_again_when_an_old_child_dies_on_it(make_walker: MakeWalker) -> None:
    walker = make_walker()
    expected = walker.walk(SAMPLE, None)
    old = pid_of(walker)
    os.kill(old, signal.SIGSTOP)
    result = in_background(lambda: walker.walk(SAMPLE, None))
    os.kill(old, signal.SIGKILL)
    assert result() == expected
    assert pid_of(walker) != old
    assert not exists(old)


def test_the_child_ends_itself_if_nobody_else_does(binary: Path, endless: Path) -> None:
    request = f'{{"id": 1, "minidump": "{SAMPLE}", "annotations": "{endless}"}}\n'
    child = subprocess.run(
        [binary, "--deadline", "1"], input=request.encode(), check=False, capture_output=True
    )
    assert child.returncode == -signal.SIGALRM


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_the_child_dies_with_its_parent(binary: Path, endless: Path, busy: bool) -> None:
    script = (
        "import sys, threading; from pathlib import Path\n"
        "from processor.stackwalk import LongLivedStackwalker\n"
        "walker = LongLivedStackwalker(Path(sys.argv[1]), [], deadline=500,"
        " memory_limit=2**30, symbol_budget=2**20)\n"
        "walker.walk(Path(sys.argv[2]), None)\n"
        "print(walker.pid, flush=True)\n"
        "walker.walk(Path(sys.argv[2]), Path(sys.argv[3])) if len(sys.argv) > 3 else input()\n"
    )
    command = [sys.executable, "-c", script, str(binary), str(SAMPLE), *([str(endless)] * busy)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_until(lambda: is_walking(child) == busy)
        parent.kill()
    wait_until(lambda: not is_running(child))


def test_ctrl_c_in_the_terminal_spares_the_child(make_walker: MakeWalker) -> None:
    walker = make_walker()
    walker.walk(SAMPLE, None)
    assert os.getsid(pid_of(walker)) == pid_of(walker)


def test_the_child_sees_no_secrets(
    make_walker: MakeWalker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "secret")
    walker = make_walker()
    walker.walk(SAMPLE, None)
    assert Path(f"/proc/{pid_of(walker)}/environ").read_bytes() == b""


def test_closing_ends_the_child_and_the_next_walk_starts_another(make_walker: MakeWalker) -> None:
    walker = make_walker()
    walker.walk(SAMPLE, None)
    first = pid_of(walker)
    walker.close()
    walker.close()
    assert not exists(first)
    assert walker.walk(SAMPLE, None).success


def test_replaced_children_leave_no_open_files(make_walker: MakeWalker) -> None:
    walker = make_walker()
    walker.walk(SAMPLE, None)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        os.kill(pid_of(walker), signal.SIGKILL)
        assert walker.walk(SAMPLE, None).success
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_threads_share_one_child(make_walker: MakeWalker) -> None:
    walker = make_walker(*SYMBOLS)
    expected = {path: walker.walk(path, None) for path in (SAMPLE, SECOND_SAMPLE)}
    paths = [SAMPLE, SECOND_SAMPLE] * 20
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda path: walker.walk(path, None), paths))
    assert results == [expected[path] for path in paths]


def test_a_minidump_that_wants_too_much_memory_harms_no_other(
    make_walker: MakeWalker, tmp_path: Path
) -> None:
    large = (SAMPLES / "crashes" / "dumps" / "stack_overflow.dmp").read_bytes()
    greedy = tmp_path / "greedy.dmp"
    greedy.write_bytes(with_threads(large, 5000))
    walker = make_walker(*SYMBOLS, memory_limit=256 * MIB)
    result = walker.walk(greedy, None)
    assert (result.status, result.success) == ("MemoryLimit", False)
    assert walker.walk(SAMPLE, None).success


def test_a_child_that_holds_too_much_memory_is_replaced(
    make_walker: MakeWalker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processor.stackwalk.long_lived._SLACK", 0)
    walker = make_walker(*SYMBOLS, symbol_budget=MIB)
    assert walker.walk(SAMPLE, None).success
    assert walker.pid is None
    assert walker.walk(SAMPLE, None).success


def test_a_json_too_large_is_refused(binary: Path) -> None:
    request = f'{{"id": 1, "minidump": "{SAMPLE}"}}\n'
    child = subprocess.run(
        [binary, "--max-output", "1000"], input=request.encode(), check=True, capture_output=True
    )
    answer = json.loads(child.stdout)
    assert (answer["status"], answer["output_bytes"]) == ("OutputTooLarge", 0)
    assert "1000 bytes" in answer["log"]


@pytest.mark.parametrize(
    ("script", "status", "return_code"),
    [
        ("read line; kill -9 $$", "StackwalkerDied", -9),
        ("read line; kill -14 $$", "Timeout", -14),
        ("read line; echo memory allocation of 9 bytes failed >&2; exit 3", "MemoryLimit", 3),
        ("read line; echo '{}'; read line", "BadOutput", -9),
        ("read line; echo no JSON; read line", "BadOutput", -9),
        ('read line; echo \'{"id":7,"status":"OK","log":"","output_bytes":2}\'', "BadOutput", -9),
        ("read line; exec tr '\\0' x </dev/zero", "OutputTooLarge", -9),
        ("exec 1>&- 2>&-; while :; do :; done", "StackwalkerDied", -9),
    ],
)
def test_a_program_that_breaks_the_protocol_is_ended(
    make_walker: MakeWalker, tmp_path: Path, script: str, status: str, return_code: int
) -> None:
    walker = make_walker(program=program(tmp_path, script))
    result = walker.walk(SAMPLE, None)
    assert (result.status, result.return_code, result.output) == (status, return_code, None)
    assert walker.pid is None


def test_a_flood_of_messages_is_cut(make_walker: MakeWalker, tmp_path: Path) -> None:
    script = "read line; tr '\\0' x </dev/zero | head -c 9000000 >&2; echo the end >&2; exit 1"
    result = make_walker(program=program(tmp_path, script)).walk(SAMPLE, None)
    assert result.status == "StackwalkerDied"
    assert len(result.stderr) <= 16 * 1024
    assert result.stderr.endswith("the end\n")


@pytest.mark.parametrize("content", [None, "", "no program"])
def test_a_stackwalker_that_cannot_be_started_is_a_result(
    make_walker: MakeWalker, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "stackwalker"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    walker = make_walker(program=path)
    result = walker.walk(SAMPLE, None)
    assert (result.status, result.version) == ("StackwalkerUnavailable", "unknown")
    assert str(path) in result.stderr
