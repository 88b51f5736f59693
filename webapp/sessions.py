# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Django's sessions, and the answer to whoever needs the database while it is away.

Only who has a session, logs in or logs out needs it. An anonymous visitor causes no query, and
sees every page as ever.
"""

import logging
import re

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from webapp.crashstats.views.errors import database_down
from webapp.database import reason_of

logger = logging.getLogger(__name__)

# What Django makes is 32 characters long.
_KEY = re.compile(r"[a-z0-9]{8,40}")
# The first is raised also when a statement took too long, the second by a broken connection.
_OUTAGES = (OperationalError, InterfaceError)


class Sessions(SessionMiddleware):
    """Django's middleware; an outage of the database becomes a page or JSON with status 503."""

    def process_request(self, request: HttpRequest) -> None:
        """Give the request its session.

        A cookie that cannot hold a key is not looked up: PostgreSQL refuses some characters.
        """
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        request.session = self.SessionStore(key if _KEY.fullmatch(key) else None)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer when a view, or the template of a page, could not reach the database."""
        return _answer(request, error) if isinstance(error, _OUTAGES) else None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save the session if it changed."""
        try:
            return super().process_response(request, response)
        except _OUTAGES as error:
            return _answer(request, error)


def _answer(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.warning("a request could not be answered without the database: %s", reason_of(error))
    return database_down(request)
