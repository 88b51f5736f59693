# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Makes the document that a search engine indexes out of a processed crash."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from socorro.fields.model import SearchField
from socorro.fields.registry import SEARCH_FIELDS

MAX_KEYWORD_CHARACTERS = 10_000
# The longest exact value that Lucene indexes; longer ones make Elasticsearch refuse a document.
MAX_EXACT_BYTES = 32_766
# Values between semicolons are indexed one by one, so that only the whole needs a bound.
MAX_SEMICOLON_BYTES = 262_144
MAX_VALUES = 5_000

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_BITS = {"long": 63, "integer": 31, "short": 15}


def search_document(processed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is indexed of a processed crash: search names to values of their field's type.

    Whatever the crash holds, this does not raise: a value that does not fit its field is made to
    fit (texts are cut, numbers become texts) or left out. Dates are ISO 8601 in UTC. `uuid` is
    there when the crash has one.
    """
    document: dict[str, Any] = {}
    for search, path, fix in _PLAN:
        value = _at(processed, path)
        if value is None:
            if search.null_value is not None and _is_null(processed, path):
                document[search.name] = search.null_value
            continue
        fixed = fix(value)
        if fixed is not None and (search.many or not isinstance(fixed, list)):
            document[search.name] = fixed
    return document


def _at(processed: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = processed
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _is_null(processed: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    return len(path) == 1 and path[0] in processed


def _cut(text: str, max_bytes: int) -> str:
    """Return the text, at most so many bytes of UTF-8 long and free of lone surrogates."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= max_bytes and len(encoded) == len(text):
        return encoded.decode()  # ASCII, the usual case, or surrogates replaced one by one
    return encoded[:max_bytes].decode("utf-8", "ignore")


def _text_of(value: Any) -> str | None:
    """Return a scalar as a text; None for objects, arrays and numbers that JSON does not know."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() < 4096 else None
    if isinstance(value, float) and math.isfinite(value):
        return str(value)
    return None


def _texts(value: Any, cut: Callable[[str], str]) -> str | list[str] | None:
    if not isinstance(value, list | tuple):
        text = _text_of(value)
        return None if text is None else cut(text)
    texts = (_text_of(item) for item in value[:MAX_VALUES])
    return [cut(text) for text in texts if text is not None] or None


def _keyword(value: Any) -> str | list[str] | None:
    return _texts(value, lambda text: _cut(text[:MAX_KEYWORD_CHARACTERS], MAX_EXACT_BYTES))


def _text(value: Any) -> str | list[str] | None:
    return _texts(value, lambda text: _cut(text, MAX_EXACT_BYTES))


def _semicolon(value: Any) -> str | None:
    texts = _texts(value, lambda text: _cut(text, 4 * MAX_SEMICOLON_BYTES))
    joined = ";".join(texts) if isinstance(texts, list) else texts
    if joined is None:
        return None
    cut = _cut(joined, MAX_SEMICOLON_BYTES)
    if len(cut) < len(joined):
        cut = cut[: cut.rfind(";") + 1].rstrip(";")  # no half value at the end
    items = (_cut(item[:MAX_KEYWORD_CHARACTERS], MAX_EXACT_BYTES) for item in cut.split(";"))
    return ";".join(items)


def _integer(bits: int) -> Callable[[Any], int | None]:
    low, high = -(2**bits), 2**bits - 1

    def fix(value: Any) -> int | None:
        if (isinstance(value, str) and _INTEGER.fullmatch(value.strip())) or (
            isinstance(value, float) and value.is_integer()
        ):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        return value if low <= value <= high else None

    return fix


def _double(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"1": True, "true": True, "0": False, "false": False}.get(value)
    return bool(value) if isinstance(value, bool | int) and value in (0, 1) else None


def _date(value: Any) -> str | None:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat()
    except (TypeError, ValueError, OverflowError):
        return None


_FIXES: Mapping[str, Callable[[Any], Any]] = {
    "keyword": _keyword,
    "text": _text,
    "semicolon": _semicolon,
    "double": _double,
    "boolean": _boolean,
    "date": _date,
    **{storage: _integer(bits) for storage, bits in _BITS.items()},
}
_PLAN: list[tuple[SearchField, tuple[str, ...], Callable[[Any], Any]]] = [
    (search, tuple(search.path.split(".")), _FIXES[search.storage])
    for search in SEARCH_FIELDS.values()
]
