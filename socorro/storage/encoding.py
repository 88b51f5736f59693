# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The JSON of stored crashes, as every backend writes and reads it."""

import json
from collections.abc import Mapping
from typing import Any

import orjson

from socorro.storage.base import StorageError


def encode_raw_crash(annotations: Mapping[str, Any]) -> bytes:
    """Return the JSON of a raw crash: ASCII with escapes, keys sorted.

    The standard library's encoder, since annotations may hold lone surrogates and integers of any
    size, which a faster one refuses. Raises ValueError for NaN and infinity, which are not JSON.
    """
    return json.dumps(annotations, sort_keys=True, allow_nan=False).encode("ascii")


def encode_processed_crash(processed: Mapping[str, Any]) -> bytes:
    """Return the JSON of a processed crash; megabytes of stacks, so with the fast encoder.

    Raises ValueError for NaN and infinity.
    """
    try:
        return orjson.dumps(processed)
    except TypeError:
        return encode_raw_crash(processed)


def decode(body: bytes, what: str) -> dict[str, Any]:
    """Return the object in a stored file; `what` names it in the StorageError for a broken one."""
    try:
        loaded = orjson.loads(body)
    except orjson.JSONDecodeError:
        loaded = _decode_slowly(body, what)
    if not isinstance(loaded, dict):
        raise StorageError(f"{what} is not a JSON object")
    return loaded


def _decode_slowly(body: bytes, what: str) -> Any:
    """Read what the fast decoder refuses and the standard library does not: lone surrogates."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise StorageError(f"{what} is not JSON: {error}") from error
