# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The report page: one crash."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from socorro.crash_id import InvalidCrashId, parse_crash_id
from socorro.storage import CrashNotFound, StorageError
from socorro.storage.base import StorageUnavailable
from webapp.crashstats import handles
from webapp.crashstats.access import Viewer, viewer_of
from webapp.crashstats.crashes import processed_crash, raw_crash
from webapp.crashstats.pending import wait_for
from webapp.crashstats.report import report_of
from webapp.crashstats.views.errors import show_problem

_LENGTH_WITH_PREFIX = 39


@require_safe
def report(request: HttpRequest, crash_id: str) -> HttpResponse:
    """Show a crash, or say why it cannot be shown."""
    try:
        bare = parse_crash_id(crash_id)
    except InvalidCrashId:
        return not_an_id(request, crash_id)
    if bare != crash_id:
        return redirect("crashstats:report", crash_id=bare)
    viewer = viewer_of(request)
    try:
        raw = raw_crash(bare, viewer)
    except CrashNotFound:
        return render(request, "crashstats/not_found.html", {"crash_id": bare}, status=404)
    except StorageUnavailable:
        return storage_down(request)
    except StorageError:
        raw = {}
    return _show(request, bare, raw, viewer)


def _show(request: HttpRequest, crash_id: str, raw: dict[str, Any], viewer: Viewer) -> HttpResponse:
    try:
        processed = processed_crash(crash_id, viewer)
    except CrashNotFound:
        return _pending(request, crash_id)
    except StorageUnavailable:
        return storage_down(request)
    except StorageError:
        # What is stored is damaged; the annotations may still help.
        processed = {}
    if "wait" in request.GET:
        return redirect("crashstats:report", crash_id=crash_id)
    context = {
        "report": report_of(crash_id, processed, raw),
        "unreadable": not processed,
        "dumps": _dumps(crash_id) if viewer.may_download_dumps else [],
    }
    response = render(request, "crashstats/report.html", context)
    if viewer.is_logged_in:
        patch_cache_control(response, private=True, no_store=True)
    return response


def _pending(request: HttpRequest, crash_id: str) -> HttpResponse:
    looks = request.GET.get("wait", "0")
    count = int(looks) if looks.isascii() and looks.isdigit() and len(looks) < 4 else 0
    context = {"crash_id": crash_id, "waiting": wait_for(crash_id, count)}
    response = render(request, "crashstats/pending.html", context)
    patch_cache_control(response, no_store=True)
    return response


def _dumps(crash_id: str) -> list[str]:
    try:
        return handles.raw_storage().load_dump_names(crash_id)
    except StorageError:
        return []


def storage_down(request: HttpRequest) -> HttpResponse:
    """Answer to what needs a stored crash while the storage is away."""
    return show_problem(
        request,
        503,
        "Crash storage does not answer",
        "The crash cannot be shown now. Please try again in a minute.",
    )


def not_an_id(request: HttpRequest, crash_id: str) -> HttpResponse:
    """Answer 400 for an id whose date does not exist, 404 for what never was an id."""
    if len(crash_id) <= _LENGTH_WITH_PREFIX and _has_shape(crash_id):
        return show_problem(
            request, 400, "Invalid crash ID", "The last six digits of a crash ID are its date."
        )
    raise Http404("not a crash id")


def _has_shape(crash_id: str) -> bool:
    try:
        parse_crash_id(crash_id[:-6] + "260101")
    except InvalidCrashId:
        return False
    return crash_id[-6:].isascii() and crash_id[-6:].isdigit()
