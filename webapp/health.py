# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The three addresses that machines watch: heartbeat, load balancer's heartbeat, version.

A middleware and not views: load balancers ask by IP address, which the Host check would refuse.
"""

import logging
from collections.abc import Callable

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from socorro.build import build_facts
from socorro.search import SearchUnavailable
from socorro.storage import StorageError
from webapp.crashstats import handles
from webapp.database import reason_of

Handler = Callable[[HttpRequest], HttpResponseBase]
logger = logging.getLogger(__name__)


def answer_health_checks(get_response: Handler) -> Handler:
    """Django middleware: answer the health checks, pass everything else on."""
    answers = {
        "/__heartbeat__": heartbeat,
        "/__lbheartbeat__": alive,
        "/__version__": version,
    }

    def middleware(request: HttpRequest) -> HttpResponseBase:
        answer = answers.get(request.path_info)
        if answer is None:
            return get_response(request)
        if request.method not in ("GET", "HEAD"):
            return JsonResponse(
                {"error": "Method not allowed"}, status=405, headers={"Allow": "GET, HEAD"}
            )
        response = answer()
        response["Cache-Control"] = "no-store"
        return response

    return middleware


def heartbeat() -> JsonResponse:
    """Ask each thing that Crash Stats stands on; 503 when one does not answer.

    The answer names what is down; why, which may tell about the machine, is in the log.
    """
    checks = {"database": _database, "search": _search, "storage": _storage}
    states = {name: check() for name, check in checks.items()}
    healthy = all(state == "ok" for state in states.values())
    return JsonResponse({"ok": healthy, "checks": states}, status=200 if healthy else 503)


def alive() -> JsonResponse:
    """Say that this process answers; nothing else is asked."""
    return JsonResponse({"ok": True})


def version() -> JsonResponse:
    """Say which version runs, and what its build says of itself."""
    return JsonResponse({"name": "socorro", **build_facts()})


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        return _down("the database does not answer", reason_of(error))
    return "ok"


def _search() -> str:
    try:
        handles.index().verify()
    except SearchUnavailable as error:
        return _down("the search index does not answer", str(error))
    return "ok"


def _storage() -> str:
    try:
        handles.raw_storage().verify()
        if handles.processed_storage() is not handles.raw_storage():
            handles.processed_storage().verify()
    except StorageError as error:
        return _down("the crash storage does not answer", str(error))
    return "ok"


def _down(state: str, reason: str) -> str:
    logger.warning("heartbeat: %s: %s", state, reason)
    return state
