# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Answers to what is no proper HTTP request, in the form that clients know."""

from http import HTTPStatus

from gunicorn.http import errors

from collector.refusal import Refused

_REASONS: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.LimitRequestLine, 400, "request_line_too_long"),
    (errors.LimitRequestHeaders, 431, "headers_too_large"),
    (errors.InvalidRequestLine, 400, "invalid_request_line"),
    (errors.InvalidRequestMethod, 400, "invalid_method"),
    (errors.InvalidHTTPVersion, 400, "invalid_http_version"),
    (errors.UnsupportedTransferCoding, 400, "invalid_transfer_encoding"),
    (errors.ExpectationFailed, 417, "unknown_expectation"),
    (errors.ObsoleteFolding, 400, "invalid_header"),
    (errors.InvalidHeaderName, 400, "invalid_header"),
)
# Statuses of refusals that the main loop finds by itself; 400 for all others.
_STATUSES = {"headers_too_large": 431, "timeout": 408}
_FRAMING = {
    "CONTENT-LENGTH": "invalid_content_length",
    "TRANSFER-ENCODING": "invalid_transfer_encoding",
}


def refusal_of(error: BaseException) -> Refused | None:
    """Return what a client is told whose request the parser refused; None if it is our error."""
    if isinstance(error, errors.InvalidHeader):
        # It names the field, or quotes a line that is none.
        return Refused(_FRAMING.get(str(error.hdr).upper(), "invalid_header"))
    for kind, status, reason in _REASONS:
        if isinstance(error, kind):
            return Refused(reason, status)
    if isinstance(error, errors.ParseException):
        return Refused("invalid_request")
    return None


def refusal_named(reason: str) -> Refused:
    """Return the refusal of a request that did not get as far as the parser."""
    return Refused(reason, _STATUSES.get(reason, 400))


def plain_answer(status: int, body: str, content_type: str = "text/plain") -> bytes:
    """Return a whole response after which the connection is closed."""
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        "Server: gunicorn\r\n"
        "Connection: close\r\n"
        f"Content-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"\r\n{body}"
    ).encode("ascii")
