# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A reverse proxy on loopback that records each request, and makes trouble when it is told to."""

import http.client
import select
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.servers.ports import free_port
from tests.servers.wire import (
    Answer,
    Cut,
    Fail,
    Recorded,
    Request,
    Trouble,
    Truncate,
    is_passed_on,
    read_chunks,
    read_exactly,
)

_UPSTREAM_SECONDS = 300.0


class CountingProxy:
    """Passes HTTP requests on to `target` (``http://HOST:PORT``) and records them.

    The Host header stays, as signatures include it. Connections are kept alive on both sides. When
    the target cannot be reached or breaks off, so does the proxy: its client sees what it would
    have seen without it. A context manager; safe in threads.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        assert parts.scheme == "http"
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._lock = threading.Lock()
        self._requests: list[Recorded] = []
        self._troubles: list[Trouble] = []
        self._delay = 0.0
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", free_port()), self._handle, self._connect)

    def __enter__(self) -> Self:
        serve = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        serve.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()

    @property
    def endpoint(self) -> str:
        """Where clients reach it: ``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> list[Recorded]:
        """The requests since the start or the last `clear`, in the order of their arrival.

        Those are among them that got an injected answer or none.
        """
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Forget the requests recorded so far; troubles stay."""
        with self._lock:
            self._requests.clear()

    def fail_next(self, n: int, status: int, body: str | bytes = b"") -> None:
        """Answer the next `n` requests with this; the target does not see them."""
        content = body.encode() if isinstance(body, str) else body
        self._add(n, Fail(status, content))

    def cut_next(self, n: int, *, delivered: bool = False) -> None:
        """Close the connection instead of an answer, `n` times.

        `delivered`: the target gets the request, and only its answer is lost.
        """
        self._add(n, Cut(delivered))

    def truncate_next(self, n: int) -> None:
        """Pass on the head and half of the body of the next `n` answers, then close."""
        self._add(n, Truncate())

    def delay(self, seconds: float) -> None:
        """Answer so much later from now on; the target gets the requests at once. 0 ends it."""
        self._delay = seconds

    def calm(self) -> None:
        """Take back all trouble that has not happened yet, and the delay."""
        with self._lock:
            self._troubles.clear()
        self._delay = 0.0

    def _add(self, n: int, trouble: Trouble) -> None:
        with self._lock:
            self._troubles.extend([trouble] * n)

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self._target, timeout=_UPSTREAM_SECONDS)

    def _handle(
        self, request: Request, upstream: Callable[[Request], Answer | None]
    ) -> Answer | None:
        """Return what the client gets; None to close its connection."""
        trouble = self._record(request)
        answer = _troubled(trouble, request, upstream)
        if self._delay > 0:
            self._closing.wait(self._delay)
        return answer

    def _record(self, request: Request) -> Trouble | None:
        with self._lock:
            self._requests.append(request.recorded())
            return self._troubles.pop(0) if self._troubles else None


def _troubled(
    trouble: Trouble | None, request: Request, upstream: Callable[[Request], Answer | None]
) -> Answer | None:
    match trouble:
        case Fail():
            return Answer(trouble.status, "Injected", [], trouble.body)
        case Cut():
            if trouble.delivered:
                upstream(request)
            return None
        case Truncate():
            answer = upstream(request)
            return None if answer is None else answer.truncated()
        case None:
            return upstream(request)


class _Server(ThreadingHTTPServer):
    """Accepts clients; a thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        handle: Callable[[Request, Callable[[Request], Answer | None]], Answer | None],
        connect: Callable[[], http.client.HTTPConnection],
    ) -> None:
        self.handle = handle
        self.connect = connect
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Connection)

    def opened(self, connection: socket.socket) -> None:
        with self._open_lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._open_lock:
            self._open.discard(connection)

    def close_connections(self) -> None:
        """Wake all threads that wait for their clients, or for the target, and end them."""
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: the clients here close connections in the middle on purpose."""


class _Connection(BaseHTTPRequestHandler):
    """One client's connection, and one to the target beside it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)
        self._upstream = self.server.connect()

    def finish(self) -> None:
        self.server.closed(self.connection)
        self._upstream.close()
        super().finish()

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The base class looks for a method of each HTTP method's name.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print nothing."""

    def _serve(self) -> None:
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        length = int(self.headers.get("Content-Length") or 0)
        body = read_chunks(self.rfile) if chunked else read_exactly(self.rfile, length)
        request = Request(self.command, self.path, self.headers.items(), body, chunked)
        answer = self.server.handle(request, self._pass_on)
        if answer is None:
            self.close_connection = True
            return
        self._answer(answer)

    def _pass_on(self, request: Request) -> Answer | None:
        """Return the target's answer; None if it cannot be had."""
        try:
            self._drop_stale_connection()
            self._send(request)
            response = self._upstream.getresponse()
            return Answer(response.status, response.reason, response.getheaders(), response.read())
        except (OSError, http.client.HTTPException):
            self._upstream.close()
            return None

    def _drop_stale_connection(self) -> None:
        """Connect anew if the target has closed meanwhile, as clients do before they ask."""
        idle = self._upstream.sock
        if idle is not None and select.select([idle], [], [], 0)[0]:
            self._upstream.close()

    def _send(self, request: Request) -> None:
        upstream = self._upstream
        upstream.putrequest(
            request.method, request.target, skip_host=True, skip_accept_encoding=True
        )
        for name, value in request.headers:
            if is_passed_on(name):
                upstream.putheader(name, value)
        if request.chunked:
            upstream.putheader("Transfer-Encoding", "chunked")
            body = [request.body] if request.body else []
            upstream.endheaders(body, encode_chunked=True)
        else:
            upstream.endheaders(request.body or None)

    def _answer(self, answer: Answer) -> None:
        self.send_response_only(answer.status, answer.reason)
        length = len(answer.body)
        for name, value in answer.headers:
            if name.lower() == "content-length":
                # Of HEAD's answer, which has no body; of a body that is cut short.
                length = max(length, int(value))
            elif is_passed_on(name):
                self.send_header(name, value)
        if answer.status >= 200 and answer.status != 204:
            self.send_header("Content-Length", str(length))
        if answer.cut:
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
