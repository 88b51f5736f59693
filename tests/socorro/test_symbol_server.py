# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Addresses and headers of symbol servers, as operators write them, and as anything else."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socorro.symbol_server import parse_header, parse_server

PIECES = st.lists(
    st.sampled_from(
        ["http", "https", "://", ":", "/", "@", "[", "]", "#sym", "?", "%", " ", "\n", "h"]
    )
    | st.text(max_size=5)
)


@given(PIECES.map("".join))
def test_any_text_is_a_server_or_a_value_error(text: str) -> None:
    try:
        server = parse_server(text)
    except ValueError:
        return
    assert server.address.endswith("/")
    assert urlsplit(server.address).username is None
    assert 0 <= server.origin.port < 65536
    assert "/" not in server.key
    assert server.target("a/b/c").startswith("/")


@given(
    st.text("abc/@:?#%", min_size=1).map("secret".__add__),
    st.sampled_from(["https://{}@h/", "https://u:{}@h/", "https://h/?{}", "https://{}@h/?{}#sym"]),
)
def test_credentials_are_never_shown(secret: str, form: str) -> None:
    shown, public = shown_of(form.format(secret, secret))
    if not public:
        assert "secret" not in shown


def shown_of(url: str) -> tuple[str, bool]:
    """Return all that is shown of an address, and whether its host or path is the secret."""
    try:
        server = parse_server(url)
    except ValueError as refused:
        return str(refused), False
    public = "secret" in server.origin.host or "/secret" in server.address
    return f"{server}{server.public_url('a')}{server.key}", public


@given(PIECES.map("".join))
def test_any_text_is_a_header_or_a_value_error(text: str) -> None:
    try:
        host, name, value = parse_header(text)
    except ValueError:
        return
    assert host
    assert name.isascii()
    assert "\n" not in f"{name}{value}"


def test_a_header_has_a_host_a_name_and_a_value() -> None:
    expected = ("symbols.example.com", "Auth-Token", "a=b: c")
    assert parse_header(" symbols.example.com=Auth-Token: a=b: c ") == expected


@pytest.mark.parametrize("text", ["", "=", "h=a", "h=:b", "=a:b", "h=a b:c", "h=a:", "h=ä:b"])
def test_a_header_that_lacks_a_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="header of a symbol server"):
        parse_header(text)
