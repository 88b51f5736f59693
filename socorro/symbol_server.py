# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A symbol server: where it is, and what it wants to hear before it gives symbols."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

# The forms of a symbol file, as endings of its name.
FORMS = ("", ".gz", ".zst")
# The fragment of an address that limits the forms to the plain one.
_ONLY_SYM = "sym"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    """Whom a connection is made to."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True)
class SymbolServer:
    """One server of the Breakpad layout.

    `address` has no credentials and ends with a slash: it may be shown. `headers` are sent to this
    origin alone and never shown. `forms` are the endings that are asked for, in their order.
    """

    address: str
    origin: Origin
    query: str = field(repr=False, default="")
    headers: tuple[tuple[str, str], ...] = field(repr=False, default=())
    forms: tuple[str, ...] = FORMS

    @property
    def is_private(self) -> bool:
        """Whether it is sent credentials."""
        return bool(self.headers or self.query)

    @property
    def key(self) -> str:
        """Name of its folder in the cache; the same for other credentials."""
        digest = hashlib.sha256(self.address.encode()).hexdigest()[:12]
        return f"{quote(self.origin.host, safe='')[:100]}-{digest}"

    def public_url(self, relative: str) -> str:
        """The address of a file below the server's, without credentials or query."""
        return self.address + quote(relative)

    def target(self, relative: str) -> str:
        """The file as a request names it: its path, and the query of the server's address."""
        path = urlsplit(self.address).path + quote(relative, safe="/")
        return f"{path}?{self.query}" if self.query else path


def parse_server(url: str, headers: Sequence[tuple[str, str, str]] = ()) -> SymbolServer:
    """Return the server of an address ``http(s)://[USER:PASSWORD@]HOST[:PORT]/PATH[?QUERY][#sym]``.

    `headers` are triples of host, name and value; those of other hosts are left out. Raises
    ValueError, which quotes nothing of the address: it may have a password.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in _DEFAULT_PORTS or not host or not url.isprintable() or " " in url:
        raise ValueError("a symbol server must be http://HOST/PATH or https://HOST/PATH")
    if parts.fragment not in ("", _ONLY_SYM):
        raise ValueError("the only fragment of a symbol server is #sym")
    own = [(name, value) for of_host, name, value in headers if of_host.lower() == host]
    netloc = parts.netloc.rpartition("@")[2]
    path = parts.path if parts.path.endswith("/") else parts.path + "/"
    return SymbolServer(
        address=urlunsplit((parts.scheme, netloc, path, "", "")),
        origin=Origin(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme]),
        query=parts.query,
        headers=(*_basic_authorization(parts.username, parts.password), *own),
        forms=FORMS[:1] if parts.fragment == _ONLY_SYM else FORMS,
    )


def parse_header(text: str) -> tuple[str, str, str]:
    """Return host, name and value of ``HOST=NAME: VALUE``. Raises ValueError, quoting nothing."""
    host, equals, header = text.partition("=")
    name, colon, value = (part.strip() for part in header.partition(":"))
    if not (host.strip() and equals and name and colon and value and text.isascii()):
        raise ValueError("a header of a symbol server must be HOST=NAME: VALUE")
    if not (text.isprintable() and name.replace("-", "").isalnum()):
        raise ValueError("a header of a symbol server has characters that no header may have")
    return host.strip(), name, value


def is_address(source: str) -> bool:
    """Say whether a source of symbols is a server's address, rather than a folder."""
    return source.lower().startswith(("http://", "https://"))


def _basic_authorization(user: str | None, password: str | None) -> list[tuple[str, str]]:
    if user is None:
        return []
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return [("Authorization", f"Basic {base64.b64encode(pair).decode()}")]
