# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Symbol servers behind TLS."""

import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from socorro.symbols.outcome import Missing, Why
from tests.socorro.symbols.conftest import MakeServers
from tests.symbol_server import Server, serving

NAME = "app/5A9832E5287241C1838ED98914E9B7FF1/app.sym"
TEXT = b"MODULE Linux x86_64 5A9832E5287241C1838ED98914E9B7FF1 app\n"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that nobody signed but itself, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext"
    subprocess.run(
        [*command.split(), "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.fixture
def encrypted(certificate: tuple[Path, Path]) -> Iterator[Server]:
    with serving() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.serve(NAME, TEXT)
        yield server


def address(server: Server) -> str:
    return f"https://me:word@127.0.0.1:{server.server_port}/"


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))


@pytest.mark.usefixtures("trusted")
def test_symbols_come_over_tls(encrypted: Server, make_servers: MakeServers) -> None:
    servers = make_servers(address(encrypted), at_once=1)
    for _ in range(2):
        assert isinstance(servers.get(NAME).result(30), Path)
    assert encrypted.headers[0]["authorization"].startswith("Basic ")


def test_a_server_that_cannot_prove_who_it_is_gets_no_question(
    encrypted: Server, make_servers: MakeServers
) -> None:
    servers = make_servers(address(encrypted))
    assert servers.get(NAME).result(30) == Missing(Why.SERVER_ERROR)
    assert not encrypted.requests


@pytest.mark.usefixtures("trusted")
def test_a_redirection_out_of_tls_is_refused(
    encrypted: Server, server: Server, make_servers: MakeServers
) -> None:
    server.serve("plain", TEXT)
    place = f"{server.url}plain"
    encrypted.answers[f"/{NAME}"] = lambda request: request.give(status=302, Location=place)
    outcome = make_servers(address(encrypted)).get(NAME).result(30)
    assert outcome == Missing(Why.SERVER_ERROR)
    assert not server.requests


def test_a_server_that_never_shakes_hands_is_too_slow(
    server: Server, make_servers: MakeServers
) -> None:
    """It takes the connection, and says nothing that is TLS."""
    servers = make_servers(f"https://127.0.0.1:{server.server_port}/", seconds=0.5)
    server.RequestHandlerClass = waiting(server)  # type: ignore[assignment]
    assert servers.get(NAME).result(30) == Missing(Why.TOO_SLOW)


def waiting(server: Server) -> Callable[..., None]:
    def wait(*_: object) -> None:
        server.closing.wait(30)

    return wait
