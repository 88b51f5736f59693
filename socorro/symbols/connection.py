# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""One connection to a symbol server, for one question after another, within a time for each."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urljoin, urlsplit

from socorro.symbol_server import Origin, SymbolServer, parse_server
from socorro.symbols.outcome import FetchError, Why

_CONNECT_SECONDS = 5.0
# Silence after which a server is given up, though its time is not over.
_SILENCE_SECONDS = 15.0
_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_RETRY_AFTER = 600.0
# Bytes of an answer that is not wanted, but read.
_SHORT = 65536
_TRANSPORT_ERRORS = (OSError, http.client.HTTPException, ValueError)


class Connection:
    """Asks one server, and whomever it redirects to. For one thread at a time.

    `seconds` is the time for one answer, from the question to the last byte.
    """

    def __init__(self, server: SymbolServer, seconds: float) -> None:
        self._server = server
        self._seconds = seconds
        self._kept: tuple[Origin, http.client.HTTPConnection] | None = None

    @contextmanager
    def get(self, relative: str) -> Iterator[http.client.HTTPResponse]:
        """Yield the answer to a question for a file, which is there.

        Raises FetchError, also when the body cannot be read to its end within the time.
        """
        watch = _Watch(self._seconds)
        try:
            with watch:
                response = self._follow(relative, watch)
                yield response
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            if watch.is_over:
                raise FetchError(Why.TOO_SLOW)
        except _NotThere:
            raise
        except (FetchError, *_TRANSPORT_ERRORS) as error:
            self.close()
            if watch.is_over or isinstance(error, TimeoutError):
                raise FetchError(Why.TOO_SLOW) from error
            if isinstance(error, FetchError):
                raise
            raise FetchError(Why.SERVER_ERROR) from error

    def close(self) -> None:
        """Close what is open."""
        if self._kept is not None:
            self._kept[1].close()
            self._kept = None

    def _follow(self, relative: str, watch: "_Watch") -> http.client.HTTPResponse:
        origin, target = self._server.origin, self._server.target(relative)
        for _ in range(_MAX_REDIRECTS + 1):
            response = self._ask(origin, target, watch)
            if response.status not in _REDIRECTS:
                return self._checked(response)
            place = urljoin(_url(origin, target), response.headers.get("Location", ""))
            self._drain(response)
            target, origin = _redirected(place, origin)
        raise FetchError(Why.SERVER_ERROR)

    def _ask(self, origin: Origin, target: str, watch: "_Watch") -> http.client.HTTPResponse:
        kept, self._kept = self._kept, None
        if kept is not None:
            if kept[0] == origin and kept[1].sock is not None:
                # That the server closed it meanwhile says nothing about the server.
                with suppress(*_TRANSPORT_ERRORS):
                    return self._exchange(origin, kept[1], target, watch)
                watch.check()
            kept[1].close()
        return self._exchange(origin, _connected(origin, watch), target, watch)

    def _exchange(
        self, origin: Origin, connection: http.client.HTTPConnection, target: str, watch: "_Watch"
    ) -> http.client.HTTPResponse:
        headers = {"User-Agent": "socorro", "Accept-Encoding": "gzip, zstd"}
        if origin == self._server.origin:
            headers |= dict(self._server.headers)
        watch.over(connection.sock)
        try:
            connection.request("GET", target, headers=headers)
            response = connection.getresponse()
        except _TRANSPORT_ERRORS:
            connection.close()
            raise
        self._kept = (origin, connection)
        return response

    def _checked(self, response: http.client.HTTPResponse) -> http.client.HTTPResponse:
        if response.status == http.client.OK:
            return response
        self._drain(response)
        raise self._refusal(response)

    def _drain(self, response: http.client.HTTPResponse) -> None:
        """Read a short answer to its end, so that the connection serves again."""
        if response.length is not None and response.length <= _SHORT:
            response.read()
        else:
            self.close()

    def _refusal(self, response: http.client.HTTPResponse) -> FetchError:
        # Buckets that nobody may list answer 403 for what is not there.
        missing = (404, 410) if self._server.is_private else (403, 404, 410)
        if response.status in missing:
            return _NotThere()
        return FetchError(Why.SERVER_ERROR, _retry_after(response))


class _NotThere(FetchError):
    """The server answered that it has no such file: the connection is good."""

    def __init__(self) -> None:
        super().__init__(Why.NOT_FOUND)


class _Watch:
    """Ends a socket when the time is over, however slowly and in whatever part its data comes."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def over(self, watched: socket.socket) -> None:
        """Watch over a socket in the place of the one before. Raises FetchError if it is late."""
        with self._lock:
            self._socket = watched
        self.check()

    def check(self) -> None:
        """Raise FetchError if the time is over."""
        if self.is_over:
            raise FetchError(Why.TOO_SLOW)

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)


def _connected(origin: Origin, watch: _Watch) -> http.client.HTTPConnection:
    """Connect; a handshake that drips is watched over too."""
    sock = socket.create_connection((origin.host, origin.port), timeout=_CONNECT_SECONDS)
    connection: http.client.HTTPConnection
    try:
        sock.settimeout(_SILENCE_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if origin.scheme == "https":
            context = ssl.create_default_context()
            sock = context.wrap_socket(
                sock, server_hostname=origin.host, do_handshake_on_connect=False
            )
            watch.over(sock)
            sock.do_handshake()
            connection = http.client.HTTPSConnection(origin.host, origin.port, context=context)
        else:
            connection = http.client.HTTPConnection(origin.host, origin.port)
    except BaseException:
        sock.close()
        raise
    connection.sock = sock
    return connection


def _redirected(place: str, origin: Origin) -> tuple[str, Origin]:
    """Return path and origin of a redirection; one that gives encryption up is refused."""
    try:
        parts = urlsplit(place)
        to = parse_server(parts._replace(fragment="").geturl()).origin
    except ValueError as error:
        raise FetchError(Why.SERVER_ERROR) from error
    if origin.scheme == "https" and to.scheme != "https":
        raise FetchError(Why.SERVER_ERROR)
    path = parts.path or "/"
    return (f"{path}?{parts.query}" if parts.query else path), to


def _url(origin: Origin, target: str) -> str:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return f"{origin.scheme}://{host}:{origin.port}{target}"


def _retry_after(response: http.client.HTTPResponse) -> float:
    text = response.headers.get("Retry-After", "")
    busy = response.status in (429, 503)
    return min(float(text), _MAX_RETRY_AFTER) if busy and text.isdecimal() else 0.0
