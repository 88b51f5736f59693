# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""How the signature of a crash was made: a page, and a part of the report page."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from socorro.crash_id import InvalidCrashId, parse_crash_id
from socorro.storage import CrashNotFound, StorageError
from socorro.storage.base import StorageUnavailable
from webapp.crashstats import handles
from webapp.crashstats.access import viewer_of
from webapp.crashstats.crashes import processed_crash
from webapp.crashstats.signature_trail import explain
from webapp.crashstats.views.report import not_an_id, storage_down


@require_safe
def signature(request: HttpRequest, crash_id: str) -> HttpResponse:
    """Explain a signature; with `?part` only what the report page takes into itself."""
    try:
        bare = parse_crash_id(crash_id)
    except InvalidCrashId:
        return not_an_id(request, crash_id)
    if bare != crash_id:
        return redirect("crashstats:signature", crash_id=bare)
    viewer = viewer_of(request)
    context: dict[str, Any] = {"crash_id": bare}
    try:
        context["explanation"] = explain(processed_crash(bare, viewer), handles.signer())
    except CrashNotFound:
        # Its page knows whether it is not there, or not processed yet.
        return redirect("crashstats:report", crash_id=bare)
    except StorageUnavailable:
        return storage_down(request)
    except StorageError:
        context["unreadable"] = True
    page = "signature_trail" if "part" in request.GET else "signature"
    response = render(request, f"crashstats/{page}.html", context)
    if viewer.is_logged_in:
        patch_cache_control(response, private=True, no_store=True)
    return response
