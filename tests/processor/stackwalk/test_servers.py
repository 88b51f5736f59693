# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Stack walks with symbols of servers."""

import gzip
import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import zstandard

from processor.stackwalk import LongLivedStackwalker, WalkResult
from socorro.packaged import SAMPLES
from socorro.symbol_server import parse_server
from socorro.symbols.cache import SymbolCache
from socorro.symbols.outcome import Limits
from socorro.symbols.servers import SymbolServers
from tests.processor.stackwalk.minidumps import SAMPLE, SAMPLE_DEBUG_ID, SAMPLE_MODULE
from tests.processor.stackwalk.processes import wait_until
from tests.processor.stackwalk.programs import write_program
from tests.symbol_server import Handler, Server, serving

# The first test that needs the stackwalker compiles it.
pytestmark = pytest.mark.timeout(1800)

FILE = f"{SAMPLE_MODULE}/{SAMPLE_DEBUG_ID}/{SAMPLE_MODULE}.sym"
SYMBOLS = SAMPLES / "crashes" / "symbols"
MIB = 2**20
THREADS = SAMPLES / "crashes" / "dumps" / "threads.dmp"

MakeWalker = Callable[..., LongLivedStackwalker]


def text() -> bytes:
    """The symbols of the sample's module."""
    (path,) = (SYMBOLS / FILE).parent.glob("*.sym*")
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def make_walker(binary: Path, tmp_path: Path, server: Server) -> Iterator[MakeWalker]:
    """Make stackwalkers that have nothing but a server's symbols."""
    made = []

    def make(
        url: str = "",
        *,
        deadline: float = 60,
        memory: int = 1024,
        program: Path = binary,
        **limits: float,
    ) -> LongLivedStackwalker:
        cache = SymbolCache(tmp_path / "cache", max_bytes=2**30, missing_seconds=3600)
        servers = SymbolServers(
            [parse_server(url or server.url)],
            cache,
            Limits(**{"seconds": 30, "wait": 30, **limits}),  # type: ignore[arg-type]
        )
        walker = LongLivedStackwalker(
            program,
            [tmp_path / "store"],
            deadline=deadline,
            memory_limit=memory * MIB,
            symbol_budget=128 * MIB,
            servers=servers,
        )
        made.append(walker)
        return walker

    yield make
    for walker in made:
        walker.close()


def output_of(result: WalkResult) -> Mapping[str, Any]:
    assert result.output is not None, result
    return result.output


def module_of(result: WalkResult) -> Mapping[str, Any]:
    """The sample's main module."""
    modules: list[dict[str, Any]] = output_of(result)["modules"]
    (module,) = [module for module in modules if module["filename"] == SAMPLE_MODULE]
    return module


def functions_of(result: WalkResult) -> list[str]:
    frames = output_of(result)["crashing_thread"]["frames"]
    return [frame["function"] for frame in frames if frame["module"] == SAMPLE_MODULE]


@pytest.mark.parametrize(
    ("ending", "pack", "headers"),
    [
        ("", bytes, {}),
        ("", gzip.compress, {"Content_Encoding": "gzip"}),
        ("", zstandard.compress, {"Content_Encoding": "zstd"}),
        (".gz", gzip.compress, {}),
        (".zst", zstandard.compress, {}),
    ],
)
def test_frames_get_names_from_a_server(
    make_walker: MakeWalker,
    server: Server,
    ending: str,
    pack: Callable[[bytes], bytes],
    headers: dict[str, str],
) -> None:
    server.serve(f"{FILE}{ending}", pack(text()), **headers)
    walker = make_walker()
    first = walker.walk(SAMPLE, None)
    assert all(functions_of(first))
    module = module_of(first)
    assert (module["loaded_symbols"], module["missing_symbols"]) == (True, False)
    assert (module["symbol_status"], module["symbol_url"]) == ("loaded", f"{server.url}{FILE}")
    asked = len(server.requests)
    assert walker.walk(SAMPLE, None) == first
    assert make_walker().walk(SAMPLE, None) == first
    assert len(server.requests) == asked


def test_the_walk_is_that_with_a_folder_of_the_same_symbols(
    make_walker: MakeWalker, server: Server, binary: Path
) -> None:
    server.default = lambda request: serve_samples(request)
    alone = LongLivedStackwalker(
        binary, [SYMBOLS], deadline=60, memory_limit=1024 * MIB, symbol_budget=128 * MIB
    )
    expected = output_of(alone.walk(SAMPLE, None))
    alone.close()
    found = output_of(make_walker().walk(SAMPLE, None))
    assert found["threads"] == expected["threads"]
    assert found["crashing_thread"] == expected["crashing_thread"]


def serve_samples(request: Handler) -> None:
    path = SYMBOLS / request.path.lstrip("/")
    if path.is_file():
        request.give(path.read_bytes())
    else:
        request.give(status=404)


def test_each_module_says_what_became_of_its_symbols(
    make_walker: MakeWalker, server: Server
) -> None:
    module = module_of(make_walker().walk(SAMPLE, None))
    assert (module["symbol_status"], module["missing_symbols"]) == ("not_found", True)
    modules = output_of(make_walker().walk(SAMPLE, None))["modules"]
    assert {module["symbol_status"] for module in modules} == {"not_found", "not_needed"}
    for other in modules:
        assert other["missing_symbols"] == (other["symbol_status"] == "not_found")


def test_an_error_of_the_server_is_told_of_the_module(
    make_walker: MakeWalker, server: Server
) -> None:
    server.default = lambda request: request.give(status=500)
    assert module_of(make_walker().walk(SAMPLE, None))["symbol_status"] == "server_error"


def test_symbols_that_turn_out_to_be_corrupt_leave_the_cache(
    make_walker: MakeWalker, server: Server, tmp_path: Path
) -> None:
    server.serve(FILE, b"MODULE Linux x86_64 1 a\nand then something else\n")
    walker = make_walker()
    module = module_of(walker.walk(SAMPLE, None))
    assert (module["symbol_status"], module["corrupt_symbols"]) == ("corrupt", True)
    assert not list((tmp_path / "cache").rglob("*.sym"))
    asked = len(server.requests)
    assert module_of(walker.walk(SAMPLE, None))["symbol_status"] == "corrupt"
    assert len(server.requests) == asked


def test_gzip_that_breaks_off_is_corrupt(make_walker: MakeWalker, server: Server) -> None:
    packed = gzip.compress(text() + b"\n" * 10000, compresslevel=1)
    server.serve(FILE, packed[: len(packed) * 2 // 3], Content_Encoding="gzip")
    assert module_of(make_walker().walk(SAMPLE, None))["symbol_status"] == "corrupt"


def test_symbols_that_unpack_to_more_than_the_memory_are_left_out(
    make_walker: MakeWalker, server: Server
) -> None:
    names = b"PUBLIC 1000 0 a_function_with_a_name\n" * 100_000
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    start = packer.compress(b"MODULE Linux x86_64 1 a\n")
    bomb = start + b"".join(packer.compress(names) for _ in range(100))
    server.serve(FILE, bomb + packer.flush())
    result = make_walker(memory=320).walk(SAMPLE, None)
    assert module_of(result)["symbol_status"] == "too_large"
    assert result.success


def say_nothing(request: Handler) -> None:
    request.server.closing.wait(60)


def test_a_server_that_hangs_costs_names_but_not_the_stack(
    make_walker: MakeWalker, server: Server
) -> None:
    server.default = say_nothing
    walker = make_walker(wait=0.2)
    result = walker.walk(SAMPLE, None)
    assert (result.status, module_of(result)["symbol_status"]) == ("OK", "too_slow")
    pid = walker.pid
    assert walker.walk(SAMPLE, None).status == "OK"
    assert walker.pid == pid, "the child is the same"


def test_the_walk_waits_no_longer_than_half_of_its_time(
    make_walker: MakeWalker, server: Server
) -> None:
    server.default = say_nothing
    result = make_walker(deadline=2, wait=600).walk(SAMPLE, None)
    assert (result.status, module_of(result)["symbol_status"]) == ("OK", "too_slow")


def test_symbols_that_come_too_late_serve_the_next_crash(
    make_walker: MakeWalker, server: Server, tmp_path: Path
) -> None:
    go_on = threading.Event()

    def late(request: Handler) -> None:
        go_on.wait(30)
        request.give(text())

    server.answers[f"/{FILE}"] = late
    walker = make_walker(wait=0.1)
    assert module_of(walker.walk(SAMPLE, None))["symbol_status"] == "too_slow"
    go_on.set()
    cached = tmp_path / "cache" / parse_server(server.url).key / FILE
    wait_until(cached.exists)
    assert module_of(walker.walk(SAMPLE, None))["symbol_status"] == "loaded"


def test_while_one_stack_waits_others_ask_for_their_symbols(
    make_walker: MakeWalker, server: Server
) -> None:
    two = threading.Event()

    def together(request: Handler) -> None:
        if len(server.requests) > 1:
            two.set()
        request.give(status=404 if two.wait(20) else 500)

    server.default = together
    result = make_walker(f"{server.url}#sym").walk(THREADS, None)
    statuses = [module["symbol_status"] for module in output_of(result)["modules"]]
    assert statuses.count("not_found") >= 2
    assert "server_error" not in statuses


def test_a_folder_goes_before_a_server(
    make_walker: MakeWalker, server: Server, tmp_path: Path
) -> None:
    shutil.copytree(SYMBOLS, tmp_path / "store")
    server.serve(FILE, b"MODULE Linux x86_64 1 a\n")
    result = make_walker().walk(SAMPLE, None)
    assert all(functions_of(result))
    assert module_of(result)["symbol_url"] is None
    assert f"/{FILE}" not in server.requests


def test_credentials_are_nowhere_in_the_result(
    make_walker: MakeWalker, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.serve(FILE, text())
    walker = make_walker(server.url.replace("//", "//marker-user:marker-word@") + "?key=marker-q")
    result = walker.walk(SAMPLE, None)
    assert server.headers[0]["authorization"].startswith("Basic ")
    assert module_of(result)["symbol_url"] == f"{server.url}{FILE}"
    server.default = lambda request: request.give(status=500)
    for _ in range(5):
        walker.walk(SAMPLE, None)
    assert "marker" not in json.dumps(result.output) + result.stderr + caplog.text
    arguments = Path(f"/proc/{walker.pid}/cmdline").read_text()
    assert "--ask" in arguments
    assert "marker" not in arguments


def fake(folder: Path, script: str) -> Path:
    """A stackwalker that does as it likes."""
    start = '[ "$1" = --version ] && exit'
    return write_program(folder / "walker", f"{start}\n{script}")


def test_a_child_that_asks_without_end_gets_answers_and_an_end(
    make_walker: MakeWalker, server: Server, tmp_path: Path
) -> None:
    """A compromised child has servers asked for no more than the files of one crash."""
    script = """
    read request
    number=0
    while [ $number -lt 3000 ]; do
        number=$((number + 1))
        echo '{"want":'$number',"symbols":"a/'$number'/a.sym"}'
    done
    echo '{"id":1,"status":"OK","log":"","output_bytes":2}'
    echo '{}'
    """
    walker = make_walker(f"{server.url}#sym", program=fake(tmp_path, script))
    assert walker.walk(SAMPLE, None).output == {}
    walker.close()
    assert len(server.requests) <= 200


@pytest.mark.parametrize(
    "question",
    [
        '{"want":"x","symbols":"a/b/c"}',
        '{"want":1}',
        '{"want":1,"symbols":7}',
        "not JSON",
        "[" * 100000,
    ],
)
def test_a_question_that_is_none_ends_the_child(
    make_walker: MakeWalker, tmp_path: Path, question: str
) -> None:
    (tmp_path / "question").write_text(question)
    script = f"read request; cat {tmp_path}/question; echo; exec sleep 60"
    walker = make_walker(program=fake(tmp_path, script))
    assert walker.walk(SAMPLE, None).status == "BadOutput"
    assert walker.pid is None


@pytest.mark.parametrize("file", ["/etc/hostname", "{cache}/../outside", "{cache}/.locks/a/b/c"])
def test_a_child_cannot_have_files_removed_outside_of_the_cache(
    make_walker: MakeWalker, tmp_path: Path, file: str
) -> None:
    victims = [tmp_path / "outside", tmp_path / "cache" / ".locks" / "a" / "b" / "c"]
    for victim in victims:
        victim.parent.mkdir(parents=True, exist_ok=True)
        victim.write_text("stay")
    path = file.format(cache=tmp_path / "cache")
    symbols = json.dumps([{"module": 1, "status": "corrupt", "file": path}])
    script = f"""
    read request
    echo '{{"id":1,"status":"OK","log":"","output_bytes":2,"symbols":{symbols}}}'
    echo '{{}}'
    """
    walker = make_walker(program=fake(tmp_path, script))
    assert walker.walk(SAMPLE, None).output == {}
    assert all(victim.exists() for victim in victims)
