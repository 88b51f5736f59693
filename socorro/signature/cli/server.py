# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Processed crashes from the API of a server."""

import os
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import requests

from socorro.signature.cli.source import NoCrash, SourceError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TIMEOUT_SECONDS = (10, 60)
_TRIES = 4
_MAX_WAIT_SECONDS = 120.0


class Server:
    """The API of a server; the token comes from SOCORRO_API_TOKEN."""

    def __init__(self, address: str) -> None:
        """Raises SourceError if the address is none, or unsafe for a token."""
        self._address = address.rstrip("/")
        try:
            parts = urlsplit(address)
            host = parts.hostname
        except ValueError as error:
            raise SourceError(f"{address}: {error}") from error
        if parts.scheme not in ("http", "https") or not host:
            raise SourceError(f"{address}: expected http://HOST or https://HOST")
        self._sessions = threading.local()
        self._token = ""
        token = os.environ.get("SOCORRO_API_TOKEN", "").strip()
        if token:
            if parts.scheme == "http" and host not in _LOOPBACK:
                raise SourceError("SOCORRO_API_TOKEN is not sent over plain http: use https")
            self._token = token

    @property
    def remark(self) -> str:
        if self._token:
            return ""
        return (
            "Without a token in SOCORRO_API_TOKEN, signatures that depend on protected data come "
            "out different."
        )

    def processed_crash(self, crash_id: str) -> dict[str, Any]:
        """The processed crash with an id. Raises NoCrash and SourceError."""
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            try:
                response = self._get(crash_id)
            except requests.RequestException as error:
                if last:
                    raise SourceError(f"{self._address}: {type(error).__name__}") from error
                time.sleep(2.0**attempt)
                continue
            if response.status_code == 429 or response.status_code >= 500:
                if not last:
                    time.sleep(_wait(response, attempt))
                continue
            return _document(response)
        raise NoCrash(f"the server answered {response.status_code} {_TRIES} times")

    def _get(self, crash_id: str) -> requests.Response:
        # No redirects: the token is for this server and no other one.
        return self._session().get(
            f"{self._address}/api/ProcessedCrash/",
            params={"crash_id": crash_id},
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )

    def _session(self) -> requests.Session:
        """The session of this thread: they are not made to be shared."""
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = self._sessions.session = requests.Session()
            if self._token:
                session.headers["Auth-Token"] = self._token
        return session


def _wait(response: requests.Response, attempt: int) -> float:
    """Seconds until the next try; a server that counts by the minute need not say so."""
    asked = response.headers.get("Retry-After", "")
    if asked.isascii() and asked.isdigit():
        return min(float(asked), _MAX_WAIT_SECONDS)
    return 60.0 if response.status_code == 429 else 2.0**attempt


def _document(response: requests.Response) -> dict[str, Any]:
    if response.status_code in (401, 403):
        raise SourceError("the server refuses: is SOCORRO_API_TOKEN right, and not expired?")
    if response.status_code == 404:
        raise NoCrash("the server has no such processed crash")
    if response.status_code != 200:
        raise NoCrash(f"the server answered {response.status_code}")
    try:
        document = response.json()
    except (ValueError, RecursionError):
        raise NoCrash("the server's answer is not JSON") from None
    if not isinstance(document, dict):
        raise NoCrash("the server's answer is not a JSON object")
    return document
