# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A bucket of S3: objects by their keys, requests that end in time, errors as sentences."""

import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from socorro.aws import AwsUrl, PerProcess, error_code, explain, is_misconfigured, make_client
from socorro.storage.base import StorageMisconfigured, StorageUnavailable
from socorro.storage.uploads import LAST, SIDE_BY_SIDE, Abandonable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

# A data centre is milliseconds away; somebody waits at the other end of most requests.
CONNECT_SECONDS = 2.0
# Of silence, not for the whole of an answer. (While sending, CONNECT_SECONDS of it are enough.)
READ_SECONDS = 5.0
# In all: S3 asks for one more when it is busy or has closed a connection that was kept alive. Those
# who want more wait longer themselves.
ATTEMPTS = 2
# For all threads that upload, and for those that read or check meanwhile. A thread beyond that is
# served too, but over a connection that is then thrown away.
CONNECTIONS = SIDE_BY_SIDE + LAST + 32

_CONTENT_TYPE = "binary/octet-stream"
# A file is sent only when S3 says that it may come, and block by block, each within the time for
# silence; what is no larger than a socket's buffer needs neither.
_AT_ONCE = 65536
_BLOCK = 262144

T = TypeVar("T")


class Bucket:
    """One bucket. Safe in threads, and in processes that fork; nothing connects before it is used.

    Every method sends one request, unless it says otherwise, and raises StorageUnavailable: one
    line that names the bucket.
    """

    def __init__(self, url: AwsUrl) -> None:
        self._url = url
        self._client: PerProcess[S3Client] = PerProcess(partial(_connect, url))

    def put(self, key: str, content: bytes) -> None:
        """Store an object."""
        self._put(key, content if len(content) <= _AT_ONCE else BytesIO(content))

    def put_file(self, key: str, path: Path, abandoned: threading.Event) -> None:
        """Store a file as an object; `abandoned` ends the upload in the middle."""
        with self.errors(), path.open("rb") as file:
            small = os.fstat(file.fileno()).st_size <= _AT_ONCE
            self._put(key, file.read() if small else Abandonable(file, abandoned))

    def get(self, key: str) -> bytes | None:
        """Return the content of an object; None if there is none.

        An answer that breaks off is asked for once more.
        """
        with self.errors():
            return self._read(key, lambda body: body.read())

    def get_into(self, key: str, file: BinaryIO) -> bool:
        """Write an object's content into an empty file; say whether there is such an object.

        An answer that breaks off is asked for once more, from its beginning.
        """
        with self.errors():
            return self._read(key, partial(_copy, file)) is not None

    def has(self, key: str) -> bool:
        """Say whether there is such an object.

        Its first byte is read, since the answer to HEAD has no body, and without one a missing
        object looks like a missing bucket.
        """
        with self.errors():
            try:
                answer = self._client.get().get_object(
                    Bucket=self._url.name, Key=key, Range="bytes=0-0"
                )
                with closing(answer["Body"]) as body:
                    body.read()
            except _client_error() as error:
                if error_code(error) == "NoSuchKey":
                    return False
                # An empty object has no first byte.
                if error_code(error) != "InvalidRange":
                    raise
            return True

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that start with `prefix`, sorted; a request for each thousand."""
        with self.errors():
            pages = self._client.get().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._url.name, Prefix=prefix):
                for entry in page.get("Contents", []):
                    yield entry["Key"]

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield what keys have after `prefix` up to the next slash, with both; sorted.

        A request for each thousand.
        """
        with self.errors():
            pages = self._client.get().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._url.name, Prefix=prefix, Delimiter="/"):
                for entry in page.get("CommonPrefixes", []):
                    yield entry["Prefix"]

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens if there is none."""
        with self.errors():
            self._client.get().delete_object(Bucket=self._url.name, Key=key)

    def delete_all(self, keys: Collection[str]) -> None:
        """Delete up to 1000 objects; raises StorageUnavailable if some of them are left."""
        objects: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys]
        with self.errors():
            answer = self._client.get().delete_objects(
                Bucket=self._url.name, Delete={"Objects": objects, "Quiet": True}
            )
        if left := answer.get("Errors"):
            code = left[0].get("Code", "an error")
            raise self.unavailable(f"{len(left)} of {len(keys)} objects were not deleted ({code})")

    def verify(self, key: str, content: bytes) -> None:
        """Write, read and delete an object that does not exist yet; four requests."""
        self.put(key, content)
        try:
            read = self.get(key)
        finally:
            self.delete(key)
        if read != content:
            raise self.unavailable(f"{key} was not read as it was written")
        try:
            left = self.get(key)
        except StorageUnavailable as error:
            if not _is_denied(error.__cause__):
                raise
            raise self.unavailable(
                "a missing object is answered with AccessDenied, so a crash that is missing could "
                "not be told from one that may not be read: grant s3:ListBucket"
            ) from error
        if left is not None:
            raise self.unavailable(f"{key} can be read although it was deleted")

    def make(self) -> None:
        """Make the bucket unless it is there; one request, or two."""
        with self.errors():
            client = self._client.get()
            try:
                # Not HEAD, which cannot say why it is refused.
                client.list_objects_v2(Bucket=self._url.name, MaxKeys=1)
            except _client_error() as error:
                if error_code(error) != "NoSuchBucket":
                    raise
                self._create(client)

    def close(self) -> None:
        """Close the connections of this process; whoever uses the bucket again opens new ones."""
        for client in self._client.forget():
            client.close()

    def unavailable(
        self, text: str, kind: type[StorageUnavailable] = StorageUnavailable
    ) -> StorageUnavailable:
        """Return an error of this bucket, on one line."""
        line = " ".join(text.split())
        return kind(f"crash storage s3://{self._url.name} ({self._url.place}): {line}")

    def _put(self, key: str, body: bytes | BytesIO | Abandonable) -> None:
        with self.errors():
            self._client.get().put_object(
                Bucket=self._url.name,
                Key=key,
                # All that is needed of a file can be done with each of them.
                Body=cast("bytes", body),
                ContentType=_CONTENT_TYPE,
            )

    def _read(
        self, key: str, take: Callable[["StreamingBody"], T], *, again: bool = True
    ) -> T | None:
        try:
            answer = self._client.get().get_object(Bucket=self._url.name, Key=key)
        except _client_error() as error:
            if error_code(error) == "NoSuchKey":
                return None
            raise
        try:
            # The body knows its length from the answer's head, and raises when it ends before.
            with closing(answer["Body"]) as body:
                return take(body)
        except _known_errors():
            if not again:
                raise
        return self._read(key, take, again=False)

    def _create(self, client: "S3Client") -> None:
        region = client.meta.region_name
        try:
            # Amazon's first region must not be named, and stand-ins for S3 know none.
            if self._url.endpoint or region == "us-east-1":
                client.create_bucket(Bucket=self._url.name)
            else:
                client.create_bucket(
                    Bucket=self._url.name,
                    CreateBucketConfiguration={"LocationConstraint": region},  # type: ignore[typeddict-item]  # any region's name
                )
        except _client_error() as error:
            # Somebody else of ours was quicker.
            if error_code(error) != "BucketAlreadyOwnedByYou":
                raise

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the errors of botocore, and of local files, into those of storage."""
        try:
            yield
        except _known_errors() as error:
            text = _explained(error, self._url)
            kind = StorageMisconfigured if _is_misconfigured(error) else StorageUnavailable
            raise self.unavailable(text, kind) from error
        except OSError as error:
            raise self.unavailable(str(error)) from error


def _connect(url: AwsUrl) -> "S3Client":
    client: S3Client = make_client(
        "s3",
        url,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=CONNECTIONS,
    )
    return client


def _copy(file: BinaryIO, body: "StreamingBody") -> int:
    file.seek(0)
    file.truncate()
    while block := body.read(_BLOCK):
        file.write(block)
    return file.tell()


@cache
def _client_error() -> "type[ClientError]":
    """Return the error of a refused request; botocore is imported only where it is needed."""
    from botocore.exceptions import ClientError

    return ClientError


@cache
def _known_errors() -> tuple[type[Exception], ...]:
    """Return what a request can raise: of botocore, and what it lets through of urllib3's."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    return BotoCoreError, ClientError, HTTPError


def _explained(error: Exception, url: AwsUrl) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, BotoCoreError | ClientError):
        return explain(error, url)
    return f"the storage broke off in the middle of an answer ({type(error).__name__})"


def _is_misconfigured(error: Exception) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    return isinstance(error, BotoCoreError | ClientError) and is_misconfigured(error)


def _is_denied(error: BaseException | None) -> bool:
    return isinstance(error, _client_error()) and error_code(error) == "AccessDenied"
