# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Parsers of the texts of settings. Each raises ValueError with what the text must be."""

import os
import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

import limits

from socorro.queue import QueueName
from socorro.symbol_server import is_address, parse_header, parse_server

# As options they would override the other parts unseen, and a password would be shown to people.
_PARTS_OF_DATABASE_URL = frozenset({"dbname", "password", "port", "user"})


def number(minimum: float, maximum: float) -> Callable[[str], float]:
    """Return a parser of numbers within bounds, both included."""

    def parse(text: str) -> float:
        value = float(text)
        if not minimum <= value <= maximum:
            raise ValueError(f"must be between {minimum:g} and {maximum:g}")
        return value

    return parse


def integer(minimum: int, maximum: int) -> Callable[[str], int]:
    """Return a parser of whole numbers within bounds, both included."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", text.strip()):
            raise ValueError("must be a whole number")
        value = int(text)
        if not minimum <= value <= maximum:
            raise ValueError(f"must be between {minimum} and {maximum}")
        return value

    return parse


def processors(text: str) -> int:
    """Read a number of processes; auto is the cores less one, at least 1."""
    if text == "auto":
        return max(1, (os.cpu_count() or 2) - 1)
    return integer(0, 512)(text)


def queues(text: str) -> tuple[QueueName, ...]:
    """Read a comma-separated list of queues, at least one."""
    known = ", ".join(QueueName)
    try:
        named = tuple(QueueName(part) for part in comma_list(text))
    except ValueError:
        raise ValueError(f"must be names of queues: {known}") from None
    if not named:
        raise ValueError(f"must name a queue: {known}")
    return named


def workers(text: str) -> int:
    """Read a number of server processes; auto is one for each core, at least 2."""
    if text == "auto":
        return max(2, os.cpu_count() or 2)
    return integer(1, 512)(text)


def rate(text: str) -> str:
    """Check a rate such as ``100/minute`` or ``10 per 5 seconds``."""
    try:
        limits.parse(text)
    except ValueError:
        raise ValueError("must be a rate such as 100/minute or 10 per 5 seconds") from None
    return text


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read a comma-separated list of addresses and networks."""
    try:
        return tuple(ip_network(part) for part in comma_list(text))
    except ValueError as error:
        raise ValueError(f"must be addresses or networks such as 10.0.0.0/8: {error}") from error


def flag(text: str) -> bool:
    """Read a truth value."""
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("must be true or false")


def choice(*allowed: str) -> Callable[[str], str]:
    """Return a parser that takes one of the given words."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return parse


def url(*schemes: str) -> Callable[[str], str]:
    """Return a parser of URLs of the given schemes."""

    def parse(text: str) -> str:
        scheme = text.partition("://")[0]
        if scheme not in schemes or "://" not in text:
            raise ValueError(f"must start with {' or '.join(s + '://' for s in schemes)}")
        return text

    return parse


def database_url(text: str) -> str:
    """Check the URL of a database. What it raises quotes nothing of it: it may be a password.

    A character that should have been quoted cuts the URL elsewhere, so that a part of the password
    would be taken for the host, port or name.
    """
    try:
        parts = urlsplit(text)
        usable = _names_a_file(parts) or _names_a_database(parts)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(
            "must be sqlite:///FILE or postgres://USER:PASSWORD@HOST:PORT/NAME; write characters "
            "such as @ : / ? # % within USER or PASSWORD as %40 %3A %2F %3F %23 %25"
        )
    misplaced = sorted(_PARTS_OF_DATABASE_URL & parse_qs(parts.query).keys())
    if misplaced:
        raise ValueError(
            f"write {', '.join(misplaced)} before the question mark, as in "
            "postgres://USER:PASSWORD@HOST:PORT/NAME"
        )
    return text


def _names_a_file(parts: SplitResult) -> bool:
    return (
        parts.scheme == "sqlite" and not parts.netloc and parts.path not in ("", "/", "/:memory:")
    )


def _names_a_database(parts: SplitResult) -> bool:
    # Asking for the port raises ValueError where there is no number.
    return (
        parts.scheme in ("postgres", "postgresql")
        and parts.port != 0
        and len(parts.path) > 1
        and not set("/@") & set(parts.path[1:])
        and not parts.fragment
        and "%00" not in parts.netloc + parts.path
    )


def opened_by(open_it: Callable[[str], object]) -> Callable[[str], str]:
    """Return a parser of the URLs that `open_it` takes: it raises ValueError for others."""

    def parse(text: str) -> str:
        open_it(text)
        return text

    return parse


def optional(parse: Callable[[str], str]) -> Callable[[str], str]:
    """Return a parser that also takes an empty text."""
    return lambda text: parse(text) if text else ""


def comma_list(text: str) -> tuple[str, ...]:
    """Read a comma-separated list; empty parts are left out."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def symbol_sources(text: str) -> tuple[str, ...]:
    """Read folders and addresses of symbol servers. What it raises quotes no address."""
    sources = comma_list(text)
    for source in sources:
        if is_address(source):
            parse_server(source)
        elif "://" in source:
            raise ValueError("takes folders and addresses that start with http:// or https://")
    return sources


def symbol_headers(text: str) -> tuple[tuple[str, str, str], ...]:
    """Read headers for symbol servers, ``HOST=NAME: VALUE``. What it raises quotes nothing."""
    return tuple(parse_header(part) for part in comma_list(text))


def path(text: str) -> Path:
    """Read a path; a relative one starts at the working folder."""
    return Path(text).expanduser().absolute()


def optional_path(text: str) -> Path | None:
    """Read a path, or nothing."""
    return path(text) if text else None
