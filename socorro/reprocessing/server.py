# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Another installation, spoken to by its API: `OtherServer`."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from socorro import __version__
from socorro.queue import QueueUnavailable, Task

# What existing servers are used to.
_BATCH = 50
_CONNECT_SECONDS, _ANSWER_SECONDS = 10.0, 60.0
_TRIES = 8
_LONGEST_WAIT = 120.0
_LARGEST_ANSWER = 32 * 2**20
_TRY_LATER = frozenset({429, 500, 502, 503, 504})

Parameters = Sequence[tuple[str, str]]


class ServerRefused(Exception):
    """The server does not take a request, and will not later; the text is a sentence."""


class OtherServer:
    """`Destination` at the address of another Crash Stats, with an API token."""

    def __init__(
        self, address: str, token: str, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Raises ValueError for what is no address of a site, or has credentials in it."""
        self._address = _site(address)
        self._session = requests.Session()
        # Else the library would send what the user's .netrc has for the host.
        self._session.auth = _without_password
        self._session.headers["User-Agent"] = f"socorro-reprocess/{__version__}"
        if token:
            self._session.headers["Auth-Token"] = token
        self._pause = pause
        self.name = f"at {self._address}"
        self.batch = _BATCH

    def publish(self, tasks: Sequence[Task]) -> None:
        """See `Destination.publish`. Raises ServerRefused too."""
        self._ask("POST", "Reprocessing", [("crash_ids", task.body) for task in tasks])

    def waiting(self) -> int:
        """Raise ServerRefused: no API tells."""
        raise ServerRefused(f"{self._address} does not tell how many crashes wait there.")

    def search(self, parameters: Parameters) -> list[Mapping[str, Any]]:
        """Return the hits of Super Search. Raises ServerRefused and QueueUnavailable."""
        answer = self._ask("GET", "SuperSearch", parameters)
        hits = answer.get("hits") if isinstance(answer, dict) else None
        if not isinstance(hits, list) or not all(isinstance(hit, dict) for hit in hits):
            raise ServerRefused(f"{self._address} answers a search with something else.")
        return hits

    def close(self) -> None:
        """See `Destination.close`."""
        self._session.close()

    def _ask(self, method: str, service: str, parameters: Parameters) -> Any:
        """Return the JSON of an answer; a server that is busy or away is asked again."""
        url = f"{self._address}/api/{service}/"
        given = {"params": parameters} if method == "GET" else {"data": parameters}
        for turn in range(_TRIES):
            wait = min(2.0**turn, _LONGEST_WAIT)
            try:
                with self._session.request(
                    method,
                    url,
                    timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                    allow_redirects=False,
                    stream=True,
                    **given,  # type: ignore[arg-type]
                ) as answer:
                    body = _body(answer)
            except requests.RequestException as error:
                problem = f"{self._address} was not reached: {_reason(error)}"
            else:
                if answer.status_code == 200:
                    return _json(body, self._address)
                problem = self._refusal(answer, body, service)
                if answer.status_code not in _TRY_LATER:
                    raise ServerRefused(problem)
                wait = _asked_wait(answer) or wait
            if turn + 1 < _TRIES:
                self._pause(wait)
        raise QueueUnavailable(problem.rstrip("."))

    def _refusal(self, answer: requests.Response, body: bytes, service: str) -> str:
        status = answer.status_code
        if answer.is_redirect:
            return f"{self._address} leads to another address; give that one."
        if status in (404, 405):
            return f"{self._address} has no service {service}."
        hint = "; is the API token right?" if status in (401, 403) else "."
        return f"{self._address} answered {status}: {_told(body)}{hint}"


def _site(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{address!r} is no address such as https://crashes.example.org")
    if "@" in parts.netloc:
        raise ValueError("an address with a password in it is not taken; give an API token")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _without_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _body(answer: requests.Response) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(65536):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            raise requests.RequestException("an answer without end")
    return bytes(body)


def _json(body: bytes, address: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ServerRefused(f"{address} answers with something else than JSON.") from None


def _told(body: bytes) -> str:
    """Return what the server says is wrong, fit for a terminal."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "no reason given"
    said = answer.get("error") or answer.get("errors") if isinstance(answer, dict) else None
    text = said if isinstance(said, str) else json.dumps(said) if said else "no reason given"
    return "".join(letter for letter in text[:300] if letter.isprintable())


def _asked_wait(answer: requests.Response) -> float | None:
    """Return the seconds of Retry-After, within reason."""
    text = answer.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_WAIT) if text.isascii() and text.isdigit() else None


def _reason(error: requests.RequestException) -> str:
    # The texts of the library are long and hold the whole request.
    if isinstance(error, requests.Timeout):
        return "it does not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return type(error).__name__
