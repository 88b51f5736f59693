# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A symbol server on this machine, which does what a test tells it to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request; `give` sends an answer."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        """Answer as the test says, 404 for what it says nothing of."""
        self.server.note(self)
        answer = self.server.answers.get(self.path.partition("?")[0], self.server.default)
        # A client that gave up is no error of the test.
        with suppress(ConnectionError):
            answer(self)

    def give(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        """Send a whole answer; an underscore in a header's name is a hyphen."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Answers by path; counts who asks for what, and how many at the same time."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.default: Answer = lambda request: request.give(status=404)
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        # What slow answers wait for, so that a test ends at once.
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def note(self, request: Handler) -> None:
        """Write down a request."""
        self.requests.append(request.path)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})

    def serve(self, relative: str, body: bytes, **headers: str) -> None:
        """Give a file."""
        self.answers[f"/{relative}"] = lambda request: request.give(body, 200, **headers)

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are part of the tests."""


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
