# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What passes through the counting proxy: requests, answers, and the trouble made between them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BufferedIOBase
from urllib.parse import urlsplit

# Of one connection and not of the request; or, like Expect, settled by the proxy itself.
_OF_THE_CONNECTION = frozenset(
    {"connection", "expect", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"}
)


@dataclass(frozen=True)
class Recorded:
    """One request: path and query as on the wire; `action` is SQS's, empty for others."""

    method: str
    path: str
    query: str
    action: str


@dataclass(frozen=True)
class Request:
    """A whole request; `target` is path and query. `chunked`: the body came in HTTP chunks."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    chunked: bool

    def recorded(self) -> Recorded:
        """Return what is kept of it."""
        parts = urlsplit(self.target)
        header = next((value for name, value in self.headers if name.lower() == "x-amz-target"), "")
        return Recorded(self.method, parts.path, parts.query, header.rpartition(".")[2])


@dataclass(frozen=True)
class Answer:
    """A whole answer, or one that is `cut`: shorter than it says."""

    status: int
    reason: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    cut: bool = False

    def truncated(self) -> "Answer":
        """Return the answer with the second half of its body lost on the way."""
        others = [(name, value) for name, value in self.headers if name.lower() != "content-length"]
        length = ("Content-Length", str(len(self.body)))
        return replace(
            self, headers=[*others, length], body=self.body[: len(self.body) // 2], cut=True
        )


@dataclass(frozen=True)
class Fail:
    """An answer that the target did not give."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Cut:
    """No answer; `delivered`: the target has had the request."""

    delivered: bool


@dataclass(frozen=True)
class Truncate:
    """Half of an answer."""


Trouble = Fail | Cut | Truncate


def is_passed_on(header: str) -> bool:
    """Whether a header belongs to the request or the answer itself."""
    return header.lower() not in _OF_THE_CONNECTION


def read_exactly(stream: BufferedIOBase, length: int) -> bytes:
    """Read so many bytes. Raises EOFError if the client breaks off before."""
    body = stream.read(length)
    if len(body) < length:
        raise EOFError(f"{len(body)} of {length} bytes")
    return body


def read_chunks(stream: BufferedIOBase) -> bytes:
    """Read a body in HTTP chunks, and the trailers after it, which are dropped.

    Raises EOFError or ValueError if the client breaks off before its end.
    """
    chunks = []
    while size := int(stream.readline().split(b";")[0], 16):
        chunks.append(read_exactly(stream, size))
        stream.readline()
    while stream.readline().strip():
        pass
    return b"".join(chunks)
