# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The JSON of stored crashes, as every backend writes and reads it."""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

import orjson

from socorro.storage.base import StorageError


def encode_raw_crash(annotations: Mapping[str, Any]) -> bytes:
    """Return the JSON of a raw crash, keys sorted. Raises ValueError for NaN and infinity.

    Most annotations are texts, so most go through the fast encoder; it would write null for NaN.
    """
    if not _holds_float(annotations):
        with suppress(TypeError):
            return orjson.dumps(annotations, option=orjson.OPT_SORT_KEYS)
    return _encode_exactly(annotations)


def encode_processed_crash(processed: Mapping[str, Any]) -> bytes:
    """Return the JSON of a processed crash; null for NaN and infinity, which are not JSON."""
    try:
        return orjson.dumps(processed)
    except TypeError:
        return _encode_exactly(processed)


def _holds_float(annotations: Mapping[str, Any]) -> bool:
    waiting: list[Collection[Any]] = [annotations.values()]
    while waiting:
        for value in waiting.pop():
            kind = value.__class__
            if kind is float:
                return True
            if kind is dict:
                waiting.append(value.values())
            elif kind is list:
                waiting.append(value)
    return False


def _encode_exactly(crash: Mapping[str, Any]) -> bytes:
    """Encode what the fast encoder refuses: lone surrogates, integers beyond 64 bits, deep values.

    Raises ValueError for NaN and infinity.
    """
    return json.dumps(crash, sort_keys=True, allow_nan=False).encode("ascii")


def decode_raw_crash(body: bytes, what: str) -> dict[str, Any]:
    """Return the raw crash in a stored file, exactly as it was written.

    The fast decoder would turn integers beyond 64 bits into floats. Raises StorageError, with
    `what` as the file's name, for a broken one.
    """
    return _object(_decode_exactly(body, what), what)


def decode_processed_crash(body: bytes, what: str) -> dict[str, Any]:
    """Return the processed crash in a stored file; integers beyond 64 bits become floats.

    Raises StorageError, with `what` as the file's name, for a broken one.
    """
    try:
        loaded = orjson.loads(body)
    except orjson.JSONDecodeError:
        # Lone surrogates, which the standard library reads.
        loaded = _decode_exactly(body, what)
    return _object(loaded, what)


def encode_dump_names(names: Collection[str]) -> bytes:
    """Return the JSON of a report's dump names: a sorted list."""
    return json.dumps(sorted(names)).encode("ascii")


def decode_dump_names(body: bytes, what: str) -> list[str]:
    """Return the dump names in a stored file, sorted. Raises StorageError for a broken one."""
    names = _decode_exactly(body, what)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise StorageError(f"{what} is not a list of names")
    return sorted(names)


def _decode_exactly(body: bytes, what: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        # The error's text would quote the crash.
        raise StorageError(f"{what} is not JSON") from error


def _object(loaded: Any, what: str) -> dict[str, Any]:
    if not isinstance(loaded, dict):
        raise StorageError(f"{what} is not a JSON object")
    return loaded
