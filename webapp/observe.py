# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the outside learns of each request: a metric, and Sentry's report of an error."""

import sys
import time
from collections.abc import Callable
from typing import Any

from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from socorro.metrics import METRICS
from socorro.sentry import report_error

Handler = Callable[[HttpRequest], HttpResponseBase]


def measure(get_response: Handler) -> Handler:
    """Django middleware: time every request, tagged by its route and not by its address."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        begin = time.perf_counter()
        response = get_response(request)
        milliseconds = (time.perf_counter() - begin) * 1000
        METRICS.timing("webapp.view.pageview", milliseconds, tags=_tags(request, response))
        return response

    return middleware


def report_unhandled_errors() -> None:
    """Send what no view handled to Sentry; Django itself logs it."""
    got_request_exception.connect(_report, dispatch_uid="socorro.sentry")


def _tags(request: HttpRequest, response: HttpResponseBase) -> list[str]:
    match = request.resolver_match
    route = match.route if match else "none"
    api = str(request.path_info.startswith("/api/")).lower()
    return [f"api:{api}", f"path:/{route}", f"status:{response.status_code}"]


def _report(**_: Any) -> None:
    error = sys.exc_info()[1]
    if error is not None:
        report_error(error)
