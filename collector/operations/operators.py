# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What only operators may ask of the collector."""

import base64
import binascii
import hmac

import falcon

from socorro.metrics import METRICS

_CHALLENGES = ['Basic realm="operators"', "Bearer"]


class BrokenOnPurposeError(Exception):
    """Raised by ``/__broken__``."""


class BrokenResource:
    """``/__broken__``: fails on purpose, to see where an error of the collector ends up."""

    def __init__(self, token: str) -> None:
        self._token = token

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Fail. Without OPERATOR_TOKEN nobody may."""
        METRICS.incr("collector.health.broken.count")
        require_operator(req, self._token)
        raise BrokenOnPurposeError


def require_operator(req: falcon.Request, token: str) -> None:
    """Raise falcon.HTTPUnauthorized unless the request carries the token.

    As a bearer token, or as the password of basic authentication with any user. An empty token is
    nobody's.
    """
    sent = _credentials(req.get_header("Authorization") or "")
    if not token or not hmac.compare_digest(sent, token.encode("utf-8")):
        raise falcon.HTTPUnauthorized(challenges=_CHALLENGES)


def _credentials(authorization: str) -> bytes:
    """Return the token or password of an Authorization header, nothing if there is none."""
    scheme, _, value = authorization.partition(" ")
    # Servers hand headers on as one character for each byte.
    sent = value.strip().encode("latin-1", "replace")
    if scheme.lower() == "bearer":
        return sent
    if scheme.lower() != "basic":
        return b""
    try:
        _, _, password = base64.b64decode(sent, validate=True).partition(b":")
    except binascii.Error:
        return b""
    return password
