# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Values are made to fit a shape by leaving out what does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socorro.fields import FIELDS
from socorro.fields.fitting import fitted
from socorro.fields.shape import parse_shape

SHAPE = parse_shape(
    {
        "count": "integer",
        "name?": "string",
        "frames?": [{"line?": "integer", "deep": {"*": "string"}}],
        "names": ["string"],
        "free": "any",
    }
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["threads", "frames", "line", "modules", "crash_info", "type", "x"]),
            inner,
        )
    ),
    max_leaves=30,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"count": 1, "name": None, "new": [1]}, {"count": 1, "name": None, "new": [1]}),
        ({"count": True, "name": 5}, {}),
        ({"count": None}, {}),
        ({"frames": None, "names": None}, {"frames": None}),
        ({"frames": [{"line": 1}, None, "x", {"line": "2"}]},
         {"frames": [{"line": 1}, {}, {}, {}]}),
        ({"frames": [{"deep": {"a": "b", "c": 1}}]}, {"frames": [{"deep": {"a": "b"}}]}),
        ({"names": ["a", 1, None, "b"]}, {"names": ["a", "b"]}),
        ({"free": [None, {"a": 1}]}, {"free": [None, {"a": 1}]}),
        ([], None),
        (None, None),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_left_out(value: Any, expected: Any) -> None:
    assert fitted(SHAPE, value) == expected


@given(json_values)
def test_what_is_fitted_fits(value: Any) -> None:
    shape = FIELDS["json_dump"].shape
    assert shape.fits(fitted(shape, value))


@given(json_values)
def test_what_is_fitted_stays_as_it_is(value: Any) -> None:
    shape = FIELDS["json_dump"].shape
    once = fitted(shape, value)
    assert fitted(shape, once) == once
