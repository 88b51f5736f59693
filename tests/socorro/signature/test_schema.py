# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The JSON Schema of crash data, against what `generate` really takes."""

from collections.abc import Iterator
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from socorro.signature import CrashDataError, generate, schema
from socorro.signature.crash_data import CrashData

_VALIDATOR = Draft202012Validator(schema())
_KEYS = sorted(set(CrashData._fields) - {"threads"})

_scalars = st.one_of(st.none(), st.integers(-3, 300_000), st.sampled_from(("", "x", "0x1", "7")))
_anything = st.recursive(
    _scalars, lambda inner: st.one_of(st.lists(inner, max_size=2), st.just({})), max_leaves=3
)


def _objects(*keys: str, **nested: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    plain: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(keys, _scalars)
    return st.fixed_dictionaries({}, optional=plain | nested)


_calls = ("function", "file", "line")
_unloaded = st.lists(_objects("module") | _scalars, max_size=2) | _scalars
_frames = _objects(
    *_calls,
    "module",
    "offset",
    inlines=st.lists(_objects(*_calls), max_size=2) | _scalars,
    unloaded_modules=_unloaded,
)


def test_the_schema_is_valid_and_describes_every_key() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["properties"].keys() == set(CrashData._fields)


def _described(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from part.get("properties", {}).values()
    for definition in part.get("$defs", {}).values():
        yield from _described(definition)


def test_every_example_is_valid() -> None:
    for key, value in schema()["properties"].items():
        for example in value.get("examples", ()):
            _VALIDATOR.validate({key: example})
            generate({key: example})
    assert sum(len(part.get("examples", ())) for part in _described(schema())) > 20


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(_KEYS), _anything, max_size=3))
def test_what_is_valid_is_signed_and_what_is_not_is_refused(crash: dict[str, Any]) -> None:
    wrong = _wrong_key(crash)
    # Annotations bring the size as text; that it is the text of a number no type can say.
    assert wrong == "oom_allocation_size" or _VALIDATOR.is_valid(crash) == (wrong is None)


def _wrong_key(crash: dict[str, Any]) -> str | None:
    try:
        generate(crash)
    except CrashDataError as error:
        return error.key
    return None


@settings(max_examples=200, deadline=None)
@given(_frames)
def test_a_valid_frame_is_taken(frame: dict[str, Any]) -> None:
    crash = {"threads": [{"frames": [frame]}]}
    assume(_VALIDATOR.is_valid(crash))
    assert generate(crash).proto_signature is not None


def test_a_frame_that_no_signature_depends_on_may_be_anything() -> None:
    crash = {"threads": [{"frames": [{"function": "f"}] * 40 + [5]}]}
    assert not _VALIDATOR.is_valid(crash)
    assert generate(crash).signature == "f"
