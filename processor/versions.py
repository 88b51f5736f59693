# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Asks Crash Stats which version a build was released as, and remembers the answers."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from socorro.breaker import Breaker
from socorro.metrics import METRICS

logger = logging.getLogger(__name__)

_MAX_CACHED = 5_000
# A version that is known does not change any more; one that is not may become known.
_HIT_SECONDS = 24 * 3600.0
_MISS_SECONDS = 30 * 60.0

_TIMEOUT = 3.0
_RETRIES = 5
_BACKOFF = 0.1
_RETRIED = frozenset({429, 500})
# What says that nobody is asked at all; other errors may be about one build only.
_NOBODY_THERE = frozenset({429, 502, 503, 504})
# Asked of an API that was down: nobody's build.
_CHECK = ("socorro", "beta", "0")
_MAX_REDIRECTS = 2
_MAX_ANSWER = 2**14
_MAX_VERSION_CHARS = 100


class VersionLookup(Protocol):
    """What knows the versions of builds."""

    def find(self, product: str, channel: str, build: str) -> str | None:
        """Return the version of a build, None if it is not known. Raises nothing."""
        ...


class NoVersions:
    """Knows no version, and asks nobody."""

    def find(self, product: str, channel: str, build: str) -> str | None:  # noqa: ARG002
        """Return None."""
        return None


class NoAnswerError(Exception):
    """Nobody answered what was asked; the text says why."""


class ApiVersions:
    """Asks a ``VersionString`` API. Safe in threads; one for each process.

    An API that is down is left alone until a check in the background says that it is back: until
    then nothing is known, which costs no time and is not remembered.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the address of the API, and what tells the seconds."""
        self._url = url
        self._cache = _Cache(clock)
        self._session = requests.Session()
        self._session.max_redirects = _MAX_REDIRECTS
        retry = Retry(
            total=_RETRIES,
            connect=0,
            read=0,
            status_forcelist=_RETRIED,
            backoff_factor=_BACKOFF,
            raise_on_status=False,
            # It may ask to wait for an hour.
            respect_retry_after_header=False,
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))
        self._breaker = Breaker("the API of versions", lambda: self._ask(*_CHECK), (NoAnswerError,))

    def find(self, product: str, channel: str, build: str) -> str | None:
        """Return what is remembered, else what the API answers; None if it does not know."""
        key = (product, channel, build)
        known, version = self._cache.get(key)
        METRICS.incr(
            "processor.betaversionrule.cache", tags=[f"result:{'hit' if known else 'miss'}"]
        )
        if known:
            return version
        if not self._breaker.trusted:
            return None
        try:
            version = self._ask(*key)
        except NoAnswerError as error:
            logger.warning("no version: %s", error)
            self._breaker.failed()
        else:
            self._cache.put(key, version, _MISS_SECONDS if version is None else _HIT_SECONDS)
        result = "fail" if version is None else "success"
        METRICS.incr("processor.betaversionrule.lookup", tags=[f"result:{result}"])
        return version

    def close(self) -> None:
        """Ask no more."""
        self._breaker.close()
        self._session.close()

    def _ask(self, product: str, channel: str, build: str) -> str | None:
        """Return what the API answers now; an error is no version. Raises NoAnswerError."""
        params = {"product": product, "channel": channel, "build_id": build}
        try:
            with self._session.get(
                self._url, params=params, timeout=_TIMEOUT, stream=True
            ) as response:
                if response.status_code in _NOBODY_THERE:
                    raise NoAnswerError(f"the answer is {response.status_code}")
                return _first_version(_body(response)) if response.status_code == 200 else None
        except requests.RequestException as error:
            # Its text holds the address, with a password in it perhaps.
            raise NoAnswerError(type(error).__name__) from error


class _Cache:
    """Answers until they expire; the oldest goes when there are too many. Safe in threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[str, str, str], tuple[float, str | None]] = OrderedDict()

    def get(self, key: tuple[str, str, str]) -> tuple[bool, str | None]:
        """Return whether there is an answer, and the answer."""
        with self._lock:
            expires, version = self._answers.get(key, (0.0, None))
            return (True, version) if expires > self._clock() else (False, None)

    def put(self, key: tuple[str, str, str], version: str | None, seconds: float) -> None:
        """Keep an answer for some time."""
        with self._lock:
            self._answers.pop(key, None)
            self._answers[key] = (self._clock() + seconds, version)
            if len(self._answers) > _MAX_CACHED:
                self._answers.popitem(last=False)


def _body(response: requests.Response) -> bytes:
    """Return the body, empty if it is too large. Raises NoAnswerError if it comes too slowly."""
    deadline = time.monotonic() + _TIMEOUT
    body = bytearray()
    # A larger chunk would be waited for, however slowly it comes; the answer is a hundred bytes.
    for chunk in response.iter_content(1):
        body += chunk
        if len(body) > _MAX_ANSWER:
            return b""
        if time.monotonic() > deadline:
            raise NoAnswerError("the answer takes too long")
    return bytes(body)


def _first_version(body: bytes) -> str | None:
    """Return the version of the first hit, None if there is none that can be used."""
    try:
        version: Any = orjson.loads(body)["hits"][0]["version_string"]
    except (ValueError, KeyError, IndexError, TypeError):
        return None
    usable = isinstance(version, str) and 0 < len(version) <= _MAX_VERSION_CHARS
    return version if usable and version.isprintable() else None
