# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The cache of servers' symbols: its size, its order, many processes, sudden ends."""

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from socorro.symbol_server import SymbolServer, parse_server
from socorro.symbols.cache import SymbolCache
from socorro.symbols.outcome import Why
from socorro.symbols.servers import SymbolServers
from tests.symbol_server import Handler, Server

SERVER = parse_server("https://symbols.example.com/")
CONTEXT = multiprocessing.get_context("fork")


def make(root: Path, max_bytes: int = 1000, missing_seconds: float = 3600) -> SymbolCache:
    return SymbolCache(root, max_bytes=max_bytes, missing_seconds=missing_seconds)


def add(cache: SymbolCache, name: str, size: int = 100, form: str = "") -> Path:
    with cache.incoming() as aside:
        aside.write_bytes(b"x" * size)
        return cache.adopt(aside, SERVER, f"{name}/ID/{name}.sym", form)


def make_old(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def use(path: Path, seconds_ago: float) -> None:
    """Set the last use as the stackwalker does, leaving the time of modification."""
    os.utime(path, (time.time() - seconds_ago, path.stat().st_mtime))


def symbols_in(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*.sym*")}


def test_what_was_not_used_the_longest_makes_room(root: Path) -> None:
    cache = make(root)
    paths = {name: add(cache, name) for name in "abcdefghi"}
    for age, name in enumerate("gfedcbaih"):
        use(paths[name], 10_000 * (age + 1))
    add(cache, "new", 150)
    assert symbols_in(root) == {f"{name}.sym" for name in [*"abcdefg", "new"]}


def test_the_size_holds_over_many_files_and_all_forms(root: Path) -> None:
    cache = make(root)
    for number in range(60):
        add(cache, f"app{number}", 90, ("", ".gz", ".zst")[number % 3])
        assert sum(path.stat().st_size for path in root.rglob("*.sym*")) <= 1000
    assert "app59.sym.zst" in symbols_in(root)


def test_folders_of_removed_files_go_too(root: Path) -> None:
    cache = make(root)
    first = add(cache, "first", 900)
    use(first, 10_000)
    add(cache, "second", 900)
    assert not (root / SERVER.key / "first").exists()


def test_files_that_others_put_there_count_once_the_cache_is_measured(root: Path) -> None:
    cache, other = make(root), make(root)
    for number in range(9):
        use(add(other, f"other{number}"), 10_000)
    add(cache, "mine", 200)
    assert sum(path.stat().st_size for path in root.rglob("*.sym")) <= 1000
    assert "mine.sym" in symbols_in(root)


def test_a_file_is_found_in_each_form(root: Path) -> None:
    cache = make(root)
    for form in ("", ".gz", ".zst"):
        name = f"app{form.strip('.')}"
        path = add(cache, name, form=form)
        assert cache.find(SERVER, f"{name}/ID/{name}.sym") == path
    assert cache.find(SERVER, "other/ID/other.sym") is None


@pytest.mark.parametrize(
    ("why", "seconds"), [(Why.NOT_FOUND, 3600), (Why.SERVER_ERROR, 300), (Why.TOO_SLOW, 300)]
)
def test_reasons_are_believed_for_their_time(root: Path, why: Why, seconds: float) -> None:
    cache = make(root)
    cache.remember(SERVER, "a/ID/a.sym", why)
    assert cache.reason(SERVER, "a/ID/a.sym") == why
    assert cache.reason(SERVER, "b/ID/b.sym") is None
    (path,) = [path for path in (root / ".reasons").rglob("*") if path.is_file()]
    make_old(path, seconds - 60)
    assert cache.reason(SERVER, "a/ID/a.sym") == why
    make_old(path, seconds + 1)
    assert cache.reason(SERVER, "a/ID/a.sym") is None
    # A clock that was set back.
    make_old(path, -100)
    assert cache.reason(SERVER, "a/ID/a.sym") is None


def test_what_killed_processes_left_is_swept(root: Path) -> None:
    cache = make(root)
    for name in (".incoming/left", ".locks/left", ".reasons/ab/left"):
        for age, suffix in ((7200, "old"), (60, "new")):
            path = root / f"{name}-{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            make_old(path, age)
    cache.tidy()
    left = {path.name for path in root.rglob("left-*")}
    assert left == {"left-new"}


def test_a_file_that_is_no_symbols_is_taken_out_and_remembered(root: Path) -> None:
    cache = make(root)
    path = add(cache, "app", form=".gz")
    cache.reject(path)
    assert not path.exists()
    assert cache.reason(SERVER, "app/ID/app.sym") == Why.CORRUPT


def hold_and_die(root: Path, held: Event) -> None:
    with make(root).lock(SERVER, "a/ID/a.sym", 10):
        held.set()
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_lock_goes_with_the_process_that_is_killed(root: Path) -> None:
    held = CONTEXT.Event()
    process = CONTEXT.Process(target=hold_and_die, args=(root, held))
    process.start()
    process.join(30)
    assert held.is_set()
    with make(root).lock(SERVER, "a/ID/a.sym", 10):
        pass
    assert not list((root / ".locks").iterdir())


def test_a_lock_that_another_holds_is_not_waited_for_without_end(root: Path) -> None:
    with (
        make(root).lock(SERVER, "a/ID/a.sym", 10),
        pytest.raises(TimeoutError),
        make(root).lock(SERVER, "a/ID/a.sym", 0.1),
    ):
        pass
    with make(root).lock(SERVER, "a/ID/a.sym", 0):
        pass


def test_one_at_a_time_holds_a_lock(root: Path) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(10):
            with make(root).lock(SERVER, "a/ID/a.sym", 60):
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, inside) == (1, 0)


def download_and_die(root: Path, server: SymbolServer) -> None:
    SymbolServers([server], make(root, 2**20)).get("a/ID/a.sym").result(30)


def test_a_process_killed_in_a_download_leaves_no_half_of_a_file(
    root: Path, server: Server
) -> None:
    started = threading.Event()

    def half(request: Handler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"MODULE Linux x86_64 1 a\n")
        request.wfile.flush()
        started.set()
        request.server.closing.wait(60)

    server.answers["/a/ID/a.sym"] = half
    process = CONTEXT.Process(target=download_and_die, args=(root, parse_server(server.url)))
    process.start()
    assert started.wait(30)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(30)
    assert not symbols_in(root)
    server.serve("a/ID/a.sym", b"MODULE Linux x86_64 1 a\n")
    found = SymbolServers([parse_server(server.url)], make(root, 2**20)).get("a/ID/a.sym")
    assert isinstance(found.result(30), Path)


def test_addresses_are_read_and_what_is_secret_is_not_shown() -> None:
    server = parse_server(
        "https://user:word@Symbols.example.com/try?key=word#sym",
        [("symbols.example.com", "Auth-Token", "word"), ("other.example.com", "X", "y")],
    )
    assert server.address == "https://Symbols.example.com/try/"
    assert server.forms == ("",)
    assert server.target("a/B/a b.sym") == "/try/a/B/a%20b.sym?key=word"
    assert [name for name, _ in server.headers] == ["Authorization", "Auth-Token"]
    assert server.is_private
    assert "word" not in f"{server}{server.key}{server.public_url('a')}"


@pytest.mark.parametrize(
    "address",
    ["ftp://h/", "https:///x", "http://h:word/", "http://h/#w", "https://h/ w", "x"],
)
def test_addresses_that_are_none_are_refused_and_not_quoted(address: str) -> None:
    with pytest.raises(ValueError, match="symbol server") as refused:
        parse_server(address)
    assert address not in str(refused.value)
