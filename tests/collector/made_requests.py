# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Requests made for tests: multipart bodies, WSGI calls, captured requests of real clients."""

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from falcon.testing import create_environ

BOUNDARY = "----a-boundary----"
CAPTURED = sorted((Path(__file__).parents[1] / "data" / "requests").glob("*.raw"))
CRASH_ID = re.compile(r"CrashID=bp-([0-9a-f-]{36})\n")


@dataclass(frozen=True)
class Part:
    """A part of a multipart body, exactly as it is to be sent."""

    headers: Sequence[bytes]
    content: bytes


def annotation(name: str, value: str | bytes, content_type: str | None = None) -> Part:
    """Return an annotation as a part."""
    headers = [f'Content-Disposition: form-data; name="{name}"'.encode()]
    if content_type is not None:
        headers.append(f"Content-Type: {content_type}".encode())
    return Part(headers, value.encode() if isinstance(value, str) else value)


def extra(annotations: Any, name: str = "extra") -> Part:
    """Return annotations as a JSON part, as Firefox sends them; bytes go as they are."""
    content = annotations if isinstance(annotations, bytes) else json.dumps(annotations).encode()
    return annotation(name, content, "application/json")


def dump(
    name: str, content: bytes, filename: str = "a.dmp", content_type: str | None = None
) -> Part:
    """Return a file as a part."""
    headers = [
        f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'.encode(),
        f"Content-Type: {content_type or 'application/octet-stream'}".encode(),
    ]
    return Part(headers, content)


def multipart(*parts: Part, boundary: str = BOUNDARY) -> bytes:
    """Return a multipart body."""
    body = b""
    for part in parts:
        head = b"".join(header + b"\r\n" for header in part.headers)
        body += b"--" + boundary.encode() + b"\r\n" + head + b"\r\n" + part.content + b"\r\n"
    return body + b"--" + boundary.encode() + b"--\r\n"


@dataclass(frozen=True)
class Answer:
    """What the collector answered."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def crash_id(self) -> str:
        """The crash id of a report that was taken."""
        match = CRASH_ID.fullmatch(self.body)
        assert self.status == 200, self
        assert match, self
        return match[1]


@dataclass(frozen=True)
class Call:
    """A request as a WSGI server hands it on."""

    body: bytes = b""
    content_type: str | None = f"multipart/form-data; boundary={BOUNDARY}"
    headers: Mapping[str, str] = field(default_factory=dict)
    content_length: str | None = ""
    method: str = "POST"
    path: str = "/submit"
    query: str = ""

    def environ(self) -> dict[str, Any]:
        """Return the WSGI environment; a length of None means chunked, "" the right one."""
        headers = dict(self.headers)
        if self.content_type is not None:
            headers["Content-Type"] = self.content_type
        environ = create_environ(self.path, self.query, method=self.method, headers=headers)
        environ["wsgi.input"] = io.BytesIO(self.body)
        environ.pop("CONTENT_LENGTH", None)
        if self.content_length is None:
            environ["wsgi.input_terminated"] = True
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"
        else:
            environ["CONTENT_LENGTH"] = self.content_length or str(len(self.body))
        return environ


def call(app: Any, request: Call) -> Answer:
    """Make a WSGI call."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(
        app(request.environ(), lambda status, headers, *_: started.append((status, headers)))
    )
    ((status, headers),) = started
    return Answer(
        int(status.split()[0]), {name.lower(): value for name, value in headers}, body.decode()
    )


def post(app: Any, *parts: Part, **request: Any) -> Answer:
    """Post a report of these parts."""
    return call(app, Call(multipart(*parts), **request))


def captured_call(raw: bytes) -> Call:
    """Return a captured request as a WSGI server would hand it on, its chunks joined."""
    head, _, body = raw.partition(b"\r\n\r\n")
    request_line, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    content_type = headers.pop("Content-Type")
    headers.pop("Content-Length", None)
    chunked = headers.pop("Transfer-Encoding", None) == "chunked"
    _, _, query = request_line.split(" ")[1].partition("?")
    return Call(
        body=_joined(body) if chunked else body,
        content_type=content_type,
        headers=headers,
        content_length=None if chunked else "",
        query=query,
    )


def _joined(body: bytes) -> bytes:
    joined = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        joined += body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]
    return joined
