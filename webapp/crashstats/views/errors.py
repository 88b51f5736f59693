# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Pages that say what went wrong, in the style of the rest; as JSON below ``/api/``."""

from django.core.exceptions import DisallowedHost
from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader

from webapp.crashstats.access import Viewer, greet, viewer_of


def show_problem(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """Answer with a page that has a heading and one paragraph, or with JSON to a script."""
    if request.path_info.startswith("/api/"):
        response: HttpResponse = JsonResponse({"error": title}, status=status)
    else:
        _greet(request)
        context = {"title": title, "text": text, "status": status}
        response = render(request, "crashstats/problem.html", context, status=status)
    if status == 503:
        response["Retry-After"] = "60"
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer to a request that Django or a view refused."""
    if isinstance(exception, DisallowedHost):
        text = (
            "Crash Stats does not answer to this host name. Whoever runs it can add the name to "
            "the setting ALLOWED_HOSTS."
        )
    else:
        text = "The address or the form holds something that Crash Stats cannot take."
    return show_problem(request, 400, "Bad request", text)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Answer to somebody who may not do this."""
    return show_problem(request, 403, "Not allowed", "You may not see or do this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """Answer to a form without the token of this site."""
    return show_problem(
        request,
        403,
        "This form is too old",
        "Please go back, load the page again and send the form once more. "
        "It needs cookies of this site.",
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Answer to an address where there is nothing."""
    return show_problem(
        request, 404, "Page not found", "There is nothing at this address. It may be mistyped."
    )


def database_down(request: HttpRequest) -> HttpResponse:
    """Answer to what needs the database while it is away."""
    greet(request, Viewer())
    return show_problem(
        request,
        503,
        "The database does not answer",
        "It holds the accounts, so Crash Stats cannot tell who you are. Please try again in a "
        "minute. Searches and crash reports still work for visitors who are not logged in.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer to an error of ours: whatever failed, this page needs nothing that may have."""
    if request.path_info.startswith("/api/"):
        return JsonResponse({"error": "Internal Server Error"}, status=500)
    return HttpResponse(loader.get_template("crashstats/server_error.html").render(), status=500)


def _greet(request: HttpRequest) -> None:
    """Find out who asks; a stranger if that cannot be known, since this page is to be shown."""
    try:
        viewer_of(request)
    except Error:
        greet(request, Viewer())
