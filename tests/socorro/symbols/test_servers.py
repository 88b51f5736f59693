# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Symbols of servers: forms, refusals, hostile answers, the time that they take."""

import gzip
import threading
from pathlib import Path

import pytest
import zstandard

from socorro.symbols.outcome import Missing, Outcome, Why
from socorro.symbols.servers import SymbolServers
from tests.socorro.symbols.conftest import MakeServers
from tests.symbol_server import Answer, Handler, Server, serving

NAME = "app.pdb/5A9832E5287241C1838ED98914E9B7FF1/app.sym"
TEXT = b"MODULE windows x86_64 5A9832E5287241C1838ED98914E9B7FF1 app.pdb\nFUNC 1 1 0 main\n"


def get(servers: SymbolServers, relative: str = NAME) -> Outcome:
    return servers.get(relative).result(30)


def why(servers: SymbolServers, relative: str = NAME) -> Why:
    outcome = get(servers, relative)
    assert isinstance(outcome, Missing), outcome
    return outcome.why


def file_of(servers: SymbolServers, relative: str = NAME) -> Path:
    outcome = get(servers, relative)
    assert isinstance(outcome, Path), outcome
    return outcome


@pytest.mark.parametrize(
    ("ending", "body", "headers", "form"),
    [
        ("", TEXT, {}, ""),
        ("", gzip.compress(TEXT), {"Content_Encoding": "gzip"}, ".gz"),
        ("", zstandard.compress(TEXT), {"Content_Encoding": "zstd"}, ".zst"),
        ("", gzip.compress(TEXT), {}, ".gz"),
        (".gz", gzip.compress(TEXT), {}, ".gz"),
        (".zst", zstandard.compress(TEXT), {}, ".zst"),
    ],
)
def test_symbols_come_plain_or_compressed(
    server: Server,
    make_servers: MakeServers,
    ending: str,
    body: bytes,
    headers: dict[str, str],
    form: str,
) -> None:
    server.serve(f"{NAME}{ending}", body, **headers)
    path = file_of(make_servers())
    assert path.name == f"app.sym{form}"
    assert path.read_bytes() == body


def test_a_file_is_downloaded_once_for_all_processes(
    server: Server, make_servers: MakeServers
) -> None:
    server.serve(NAME, TEXT)
    path = file_of(make_servers())
    for _ in range(3):
        assert file_of(make_servers()) == path
    assert server.requests == [f"/{NAME}"]


def test_processes_that_want_a_file_at_once_download_it_once(
    server: Server, make_servers: MakeServers
) -> None:
    go_on = threading.Event()

    def slow(request: Handler) -> None:
        go_on.wait(20)
        request.give(TEXT)

    server.answers[f"/{NAME}"] = slow
    futures = [make_servers().get(NAME) for _ in range(5)]
    go_on.set()
    assert len({future.result(30) for future in futures}) == 1
    assert server.requests == [f"/{NAME}"]


def test_what_a_server_does_not_have_is_asked_for_again_when_that_is_old(
    server: Server, make_servers: MakeServers
) -> None:
    assert why(make_servers()) == Why.NOT_FOUND
    asked = len(server.requests)
    assert why(make_servers()) == Why.NOT_FOUND
    assert len(server.requests) == asked == 3
    server.serve(NAME, TEXT)
    assert why(make_servers()) == Why.NOT_FOUND
    assert file_of(make_servers(missing_seconds=0))


def test_a_server_that_is_told_to_have_sym_only_is_asked_once(
    server: Server, make_servers: MakeServers
) -> None:
    assert why(make_servers(f"{server.url}#sym")) == Why.NOT_FOUND
    assert server.requests == [f"/{NAME}"]


def test_servers_are_asked_in_their_order(server: Server, make_servers: MakeServers) -> None:
    with serving() as second:
        second.serve(NAME, TEXT)
        servers = make_servers(server.url, second.url)
        path = file_of(servers)
        assert servers.url_of(path) == f"{second.url}{NAME}"
        assert len(server.requests) == 3
        server.serve("b/B/b.sym", TEXT)
        second.serve("b/B/b.sym", TEXT)
        assert servers.url_of(file_of(servers, "b/B/b.sym")) == f"{server.url}b/B/b.sym"


def test_an_error_of_a_server_is_not_taken_for_a_file_that_is_not_there(
    server: Server, make_servers: MakeServers
) -> None:
    server.answers[f"/{NAME}"] = lambda request: request.give(status=500)
    with serving() as second:
        assert why(make_servers(second.url, server.url)) == Why.SERVER_ERROR
        assert why(make_servers(server.url, second.url)) == Why.SERVER_ERROR


@pytest.mark.parametrize("status", [401, 403, 500, 502, 204, 206])
def test_a_private_server_that_refuses_has_an_error(
    server: Server, make_servers: MakeServers, status: int
) -> None:
    server.default = lambda request: request.give(status=status)
    assert why(make_servers(server.url.replace("//", "//user:word@"))) == Why.SERVER_ERROR


def test_a_bucket_that_may_not_be_listed_answers_403_for_what_is_not_there(
    server: Server, make_servers: MakeServers
) -> None:
    server.default = lambda request: request.give(status=403)
    assert why(make_servers()) == Why.NOT_FOUND


def test_a_server_that_fails_again_and_again_is_left_alone_by_all_processes(
    server: Server, make_servers: MakeServers
) -> None:
    server.default = lambda request: request.give(status=500)
    servers = make_servers()
    for number in range(3):
        assert why(servers, f"a/{number}/a.sym") == Why.SERVER_ERROR
    asked = len(server.requests)
    assert why(make_servers(), "a/9/a.sym") == Why.SERVER_ERROR
    assert len(server.requests) == asked == 3


def test_a_server_that_says_when_to_come_again_is_left_alone_at_once(
    server: Server, make_servers: MakeServers
) -> None:
    server.default = lambda request: request.give(status=429, Retry_After="30")
    servers = make_servers()
    assert why(servers) == Why.SERVER_ERROR
    assert why(servers, "b/B/b.sym") == Why.SERVER_ERROR
    assert len(server.requests) == 1


def test_a_server_that_is_not_there_has_an_error(make_servers: MakeServers) -> None:
    with serving() as gone:
        url = gone.url
    assert why(make_servers(url)) == Why.SERVER_ERROR


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<html>Log in first</html>", {}),
        (b"", {}),
        (b"not gzip", {"Content_Encoding": "gzip"}),
        (TEXT, {"Content_Encoding": "gzip"}),
        (gzip.compress(b"<html>"), {"Content_Encoding": "gzip"}),
        (gzip.compress(TEXT)[:12], {"Content_Encoding": "gzip"}),
        (b"\x1f\x8b\x08 and no more", {}),
        (b"\x28\xb5\x2f\xfd and no more", {}),
        (gzip.compress(gzip.compress(TEXT)), {"Content_Encoding": "gzip"}),
    ],
)
def test_what_is_no_symbol_file_is_refused(
    server: Server, make_servers: MakeServers, root: Path, body: bytes, headers: dict[str, str]
) -> None:
    server.serve(NAME, body, **headers)
    assert why(make_servers()) == Why.CORRUPT
    assert not list(root.rglob("*.sym*"))


def test_a_zip_bomb_is_kept_as_small_as_it_came(server: Server, make_servers: MakeServers) -> None:
    bomb = gzip.compress(TEXT + b"\n" * 2**28, compresslevel=1)
    server.serve(NAME, bomb, Content_Encoding="gzip")
    assert file_of(make_servers()).stat().st_size == len(bomb) < 2**21


def test_a_body_that_is_told_to_be_too_large_is_not_taken(
    server: Server, make_servers: MakeServers
) -> None:
    server.serve(NAME, TEXT + b"x" * 2**16)
    assert why(make_servers(max_bytes=2**16)) == Why.TOO_LARGE


def test_a_body_without_end_is_cut_off(
    server: Server, make_servers: MakeServers, root: Path
) -> None:
    def endless(request: Handler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(TEXT * 1000)

    server.answers[f"/{NAME}"] = endless
    assert why(make_servers(max_bytes=2**22)) == Why.TOO_LARGE
    assert not list((root / ".incoming").iterdir())


def drip_body(request: Handler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000000")
    request.end_headers()
    while not request.server.closing.wait(0.05):
        request.wfile.write(b"x")


def drip_headers(request: Handler) -> None:
    while not request.server.closing.wait(0.05):
        request.wfile.write(b"H")


def say_nothing(request: Handler) -> None:
    request.server.closing.wait(60)


@pytest.mark.parametrize("answer", [drip_body, drip_headers, say_nothing])
def test_a_server_that_does_not_come_to_an_end_is_too_slow(
    server: Server, make_servers: MakeServers, answer: Answer
) -> None:
    server.default = answer
    assert why(make_servers(seconds=0.5)) == Why.TOO_SLOW


def test_a_body_that_ends_early_is_an_error(
    server: Server, make_servers: MakeServers, root: Path
) -> None:
    def cut(request: Handler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(TEXT)
        request.close_connection = True

    server.answers[f"/{NAME}"] = cut
    assert why(make_servers()) == Why.SERVER_ERROR
    assert not list(root.rglob("*.sym*"))


@pytest.mark.parametrize("line", [b"no http\r\n\r\n", b"HTTP/1.1 200\r\n" + b"a: b\r\n" * 1000])
def test_an_answer_that_is_no_http_is_an_error(
    server: Server, make_servers: MakeServers, line: bytes
) -> None:
    def answer(request: Handler) -> None:
        request.wfile.write(line)
        request.close_connection = True

    server.default = answer
    assert why(make_servers()) == Why.SERVER_ERROR


def redirect_to(place: str) -> Answer:
    return lambda request: request.give(status=302, Location=place)


def test_redirections_are_followed(server: Server, make_servers: MakeServers) -> None:
    server.serve("elsewhere", TEXT)
    server.answers[f"/{NAME}"] = redirect_to("/elsewhere")
    assert file_of(make_servers())


@pytest.mark.parametrize("place", [f"/{NAME}", "file:///etc/passwd", "ftp://x/", "http://[", ""])
def test_redirections_that_lead_nowhere_are_errors(
    server: Server, make_servers: MakeServers, place: str
) -> None:
    server.answers[f"/{NAME}"] = redirect_to(place)
    assert why(make_servers()) == Why.SERVER_ERROR
    assert len(server.requests) < 10


def test_credentials_go_to_their_server_alone(server: Server, make_servers: MakeServers) -> None:
    with serving() as other:
        other.serve("elsewhere", TEXT)
        server.answers[f"/{NAME}"] = redirect_to(f"{other.url}elsewhere")
        servers = make_servers(server.url.replace("//", "//user:p%40ss@"))
        path = file_of(servers)
        assert server.headers[0]["authorization"] == "Basic dXNlcjpwQHNz"
        assert "authorization" not in other.headers[0]
    assert servers.url_of(path) == f"{server.url}{NAME}"


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a/../b.sym",
        "a/b",
        "a/b/c/d",
        "a//b.sym",
        "a/\\/b.sym",
        "a/\n/b.sym",
        f"a/B/{'x' * 300}.sym",
        "a/\ud800/b.sym",
    ],
)
def test_names_that_are_no_plain_names_are_not_asked_for(
    server: Server, make_servers: MakeServers, name: str
) -> None:
    assert why(make_servers(), name) == Why.NOT_FOUND
    assert not server.requests


def test_names_are_quoted(server: Server, make_servers: MakeServers) -> None:
    server.default = lambda request: request.give(TEXT)
    assert file_of(make_servers(), "a b?.pdb/B/ü#%2f.sym").name == "ü#%2f.sym"
    assert server.requests == ["/a%20b%3F.pdb/B/%C3%BC%23%252f.sym"]


def test_so_many_downloads_as_are_allowed_run_at_once(
    server: Server, make_servers: MakeServers
) -> None:
    two = threading.Barrier(2)
    lock = threading.Lock()
    now, most = 0, 0

    def count(request: Handler) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        two.wait(20)
        with lock:
            now -= 1
        request.give(TEXT)

    server.default = count
    servers = make_servers(at_once=2)
    futures = [servers.get(f"a/{number}/a.sym") for number in range(8)]
    assert all(isinstance(future.result(30), Path) for future in futures)
    assert most == 2


def test_a_server_that_hangs_holds_up_nobody_elses_symbols(
    server: Server, make_servers: MakeServers
) -> None:
    server.default = say_nothing
    with serving() as good:
        good.default = lambda request: request.give(TEXT)
        servers = make_servers(good.url, server.url, at_once=1)
        good.answers["/a/A/a.sym"] = lambda request: request.give(status=404)
        for form in (".gz", ".zst"):
            good.answers[f"/a/A/a.sym{form}"] = good.answers["/a/A/a.sym"]
        hanging = servers.get("a/A/a.sym")
        for number in range(5):
            assert file_of(servers, f"b/{number}/b.sym")
        assert not hanging.done()


def test_a_download_longer_than_a_crash_waits_goes_on_for_later_ones(
    server: Server, make_servers: MakeServers
) -> None:
    go_on = threading.Event()

    def slow(request: Handler) -> None:
        go_on.wait(20)
        request.give(TEXT)

    server.answers[f"/{NAME}"] = slow
    servers = make_servers(wait=-1)
    first = servers.get(NAME)
    assert why(servers) == Why.TOO_SLOW
    assert not first.done()
    go_on.set()
    assert isinstance(first.result(30), Path)
    assert file_of(servers)


def test_a_connection_that_the_server_closed_meanwhile_is_made_anew(
    server: Server, make_servers: MakeServers
) -> None:
    def answer(request: Handler) -> None:
        request.give(TEXT)
        # Without saying so beforehand.
        request.close_connection = True

    server.default = answer
    servers = make_servers(at_once=1)
    assert all(file_of(servers, f"a/{number}/a.sym") for number in range(4))


def test_a_full_disk_is_left_to_others(
    server: Server, make_servers: MakeServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.serve(NAME, TEXT)
    monkeypatch.setattr("socorro.symbols.cache._LEAVE_FREE", 2**60)
    assert why(make_servers()) == Why.UNREADABLE
    monkeypatch.undo()
    assert file_of(make_servers())


def test_a_cache_that_cannot_be_written_costs_symbols_and_nothing_else(
    server: Server, make_servers: MakeServers, root: Path
) -> None:
    server.serve(NAME, TEXT)
    root.write_text("a file")
    assert why(make_servers()) == Why.UNREADABLE
