# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What S3 and SQS have in common: their URLs, a client for each process, errors as sentences."""

import os
import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit

from socorro import __version__

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

T = TypeVar("T")

# An endpoint of one's own does not care, but a request cannot be signed without a region.
_REGION_OF_ENDPOINTS = "us-east-1"
_OPTIONS = frozenset({"endpoint", "region"})
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_REFUSED_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled"})


@dataclass(frozen=True)
class AwsUrl:
    """The parts of ``SCHEME://NAME?endpoint=URL&region=NAME``.

    `name` is a bucket or the prefix of queues. `endpoint` is empty for Amazon's own; `region` is
    empty for the one that the environment names. `options` holds the parameters of one scheme.
    """

    name: str
    endpoint: str
    region: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, url: str, *, options: Collection[str] = ()) -> "AwsUrl":
        """Return the parts of a URL. Raises ValueError with what the URL must be."""
        parts = urlsplit(url)
        if "@" in parts.netloc:
            raise ValueError(
                "must not hold credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                "give this machine a role"
            )
        if parts.path.strip("/") or parts.fragment or not parts.netloc:
            raise ValueError(
                f"must be {parts.scheme}://NAME, with ?endpoint=URL&region=NAME where needed"
            )
        given = _query(parts.query, _OPTIONS | set(options))
        return cls(
            name=parts.netloc,
            endpoint=_endpoint(given.pop("endpoint", "")),
            region=_region(given.pop("region", "")),
            options=given,
        )

    @property
    def place(self) -> str:
        """Where it is, for people: ``at http://127.0.0.1:9000`` or ``in eu-west-1``."""
        if self.endpoint:
            return f"at {self.endpoint}"
        return f"in {self.region}" if self.region else "in the region of the environment"


class PerProcess(Generic[T]):
    """A value that each process makes for itself: sockets must not cross a fork."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._slot: _Slot[T] = _Slot()

    def get(self) -> T:
        """Return the value of this process, made at first use; safe in threads."""
        slot = self._slot
        if slot.pid != os.getpid():
            # The parent's lock may have been held by a thread that this process does not have.
            slot = self._slot = _Slot()
        with slot.lock:
            if not slot.values:
                slot.values.append(self._make())
            return slot.values[0]

    def forget(self) -> list[T]:
        """Give up the value of this process; return it, for closing, if there was one."""
        slot, self._slot = self._slot, _Slot()
        return slot.values if slot.pid == os.getpid() else []


class _Slot(Generic[T]):
    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.values: list[T] = []


def make_client(service: str, url: AwsUrl, **limits: Any) -> Any:
    """Return a boto3 client; it is safe in threads, and connects at its first request.

    Credentials come from boto3's usual chain: environment, files, the machine's role. `limits` are
    botocore's settings of time, retries and connections. Raises botocore's BotoCoreError, for
    example when there is no region.
    """
    # Slow to import, and not needed by those who keep everything on one machine.
    from boto3.session import Session
    from botocore.config import Config

    session = Session()
    region = url.region or session.region_name or (_REGION_OF_ENDPOINTS if url.endpoint else None)
    config = Config(
        user_agent_extra=f"socorro/{__version__}",
        tcp_keepalive=True,
        # Names below a bucket's own host need DNS that stand-ins for S3 do not have.
        s3={"addressing_style": "path" if url.endpoint else "auto"},
        **limits,
    )
    factory: Any = session.client
    return factory(service, region_name=region, endpoint_url=url.endpoint or None, config=config)


def explain(error: "BotoCoreError | ClientError", url: AwsUrl) -> str:
    """Return what went wrong as a part of a sentence, without anything of what was sent."""
    from botocore import exceptions as known

    place = url.endpoint or "Amazon's service"
    match error:
        case known.ClientError():
            return _explain_answer(error)
        case known.NoCredentialsError() | known.PartialCredentialsError():
            return (
                "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                "give this machine a role"
            )
        case known.NoRegionError():
            return "no region is set: add ?region=NAME to the URL or set AWS_DEFAULT_REGION"
        case known.ReadTimeoutError():
            return f"{place} does not answer in time"
        case known.SSLError():
            return f"TLS with {place} failed: is its certificate trusted here?"
        case known.IncompleteReadError() | known.ResponseStreamingError():
            return f"{place} broke off in the middle of an answer"
        case known.ConnectionError() | known.HTTPClientError():
            return f"{place} cannot be reached"
    return type(error).__name__


def is_misconfigured(error: "BotoCoreError | ClientError") -> bool:
    """Say whether it is the settings or credentials that are wrong, and waiting does not help."""
    from botocore import exceptions as known

    match error:
        case known.ClientError():
            code = error_code(error)
            return code in _REFUSED_CREDENTIALS | _DENIED or code == "NoSuchBucket"
        case known.NoCredentialsError() | known.PartialCredentialsError() | known.NoRegionError():
            return True
    return False


def error_code(error: "ClientError") -> str:
    """Return the code of a refusal, such as ``NoSuchKey``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _explain_answer(error: "ClientError") -> str:
    code = error_code(error)
    if code in _REFUSED_CREDENTIALS:
        return f"the credentials are refused ({code})"
    if code in _DENIED:
        return f"these credentials may not do {error.operation_name} ({code})"
    if code == "NoSuchBucket":
        return "there is no such bucket"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    return f"{error.operation_name} was answered with {code or 'an error'} (status {status})"


def _query(query: str, known: Collection[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            allowed = ", ".join(sorted(known))
            raise ValueError(f"has the unknown option {name[:40]!r}: use {allowed}")
        if name in given:
            raise ValueError(f"has the option {name} twice")
        given[name] = value
    return given


def _endpoint(text: str) -> str:
    if not text:
        return ""
    parts = urlsplit(text)
    bare = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in ("http", "https") or not parts.hostname or not bare:
        raise ValueError("has an endpoint that is not http://HOST:PORT or https://HOST")
    _check_host(parts.hostname)
    _check_port(parts)
    return f"{parts.scheme}://{parts.netloc}"


def _check_host(host: str) -> None:
    """Refuse names that the client would: they have letters, digits, hyphens and dots."""
    if ":" in host:
        ip_address(host)
        return
    if len(host) > 255 or not _HOST.fullmatch(host):
        raise ValueError(f"has an endpoint whose host cannot be named {host[:60]!r}")


def _check_port(parts: SplitResult) -> None:
    try:
        _ = parts.port
    except ValueError as error:
        raise ValueError("has an endpoint whose port is none") from error


def _region(text: str) -> str:
    if text and not _REGION.fullmatch(text):
        raise ValueError("has a region that is none")
    return text
