# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Another Crash Stats, as far as its API for processing again and for searching goes.

It checks and answers as the API's reference says; a test can make it busy, wrong or hostile.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Answer:
    """What the server says once, instead of doing what is asked."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Other:
    """The server's address, its crashes (newest first, as hits), and what it was asked."""

    address: str
    hits: list[dict[str, Any]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)
    searches: list[dict[str, list[str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    most_hits: int = 10_000

    def answer(self, method: str, path: str, parameters: dict[str, list[str]]) -> Answer:
        """Return the answer to a request."""
        if self.answers:
            return self.answers.pop(0)
        if method == "POST" and path == "/api/Reprocessing/":
            if self.headers[-1].get("Auth-Token") != TOKEN:
                return _json(403, {"error": "API Token not matched"})
            self.batches.append(parameters["crash_ids"])
            return _json(200, None)
        if method == "GET" and path == "/api/SuperSearch/":
            self.searches.append(parameters)
            return self._search(parameters)
        return Answer(404, b"<h1>Page not found</h1>")

    def _search(self, parameters: dict[str, list[str]]) -> Answer:
        start, number = (int(parameters[f"_results_{name}"][0]) for name in ("offset", "number"))
        if start + number > self.most_hits:
            return _json(400, {"error": "Bad value for parameter(s) '_results_offset'"})
        before = [text[2:] for text in parameters.get("date", ()) if text.startswith("<=")]
        found = [hit for hit in self.hits if all(hit["date"] <= bound for bound in before)]
        hits = found[start : start + number]
        return _json(200, {"hits": hits, "total": len(found), "facets": {}})


def _json(status: int, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


@contextmanager
def serving() -> Iterator[Other]:
    """Run the server while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(parse_qs(urlsplit(self.path).query))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(parse_qs(body.decode()))

        def _answer(self, parameters: dict[str, list[str]]) -> None:
            other.headers.append(dict(self.headers))
            answer = other.answer(self.command, urlsplit(self.path).path, parameters)
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    other = Other(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield other
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
