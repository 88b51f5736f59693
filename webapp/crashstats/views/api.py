# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The API: processed and raw crashes as JSON, the dumps of a report, processing again."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from socorro.crash_id import is_crash_id
from socorro.queue import QueueName, QueueUnavailable, Task
from socorro.queue.base import DEFAULT_RULESET
from socorro.reprocessing import RULESETS
from socorro.storage import CrashNotFound, StorageError
from socorro.storage.base import MAIN_DUMP, StorageUnavailable, kind_of_dump
from webapp.crashstats import handles
from webapp.crashstats.access import Viewer, viewer_of
from webapp.crashstats.crashes import processed_crash, raw_crash
from webapp.crashstats.versions import versions_of_build

View = Callable[[HttpRequest], HttpResponseBase]


class _Refused(Exception):
    """A request that gets an error for an answer: its status and its JSON."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.response = JsonResponse(body, status=status)


# Scripts have no form's token; the service that changes something looks for it itself.
@csrf_exempt
def api(request: HttpRequest, name: str) -> HttpResponseBase:
    """Answer ``/api/<name>/``."""
    # Clients may use either name of a service.
    view = _SERVICES.get(name.removesuffix("Middleware"))
    if view is None:
        return JsonResponse({"error": f"No service called {name[:100]!r}"}, status=404)
    try:
        response = view(request)
    except _Refused as refused:
        response = refused.response
    except QueueUnavailable:
        response = JsonResponse(
            {"error": "The queue does not answer"}, status=503, headers={"Retry-After": "60"}
        )
    except StorageUnavailable:
        response = JsonResponse(
            {"error": "Crash storage does not answer"}, status=503, headers={"Retry-After": "60"}
        )
    except StorageError:
        # CrashNotFound, or what is stored is damaged: there is nothing to give either way.
        found = request.GET.get("crash_id", "")
        body = {"error": f"Not found: CrashIDNotFound {found}"}
        response = JsonResponse(body, status=404)
    if viewer_of(request).is_logged_in:
        patch_cache_control(response, private=True, no_store=True)
    return response


def _only(request: HttpRequest, method: str) -> None:
    """Raise _Refused for another method."""
    if request.method != method:
        refused = _Refused(405, {"error": "Method not allowed"})
        refused.response["Allow"] = method
        raise refused


def _processed_crash(request: HttpRequest) -> HttpResponseBase:
    _only(request, "GET")
    crash_id = _crash_id(request)
    return _json(request, processed_crash(crash_id, viewer_of(request)))


def _raw_crash(request: HttpRequest) -> HttpResponseBase:
    _only(request, "GET")
    crash_id = _crash_id(request)
    form = request.GET.get("format") or "meta"
    if form == "meta":
        return _json(request, raw_crash(crash_id, viewer_of(request)))
    if form == "raw":
        return _dump(crash_id, request.GET.get("name", ""), viewer_of(request))
    raise _bad_value("format")


def _dump(crash_id: str, name: str, viewer: Viewer) -> HttpResponseBase:
    # Before anything is looked up, so that nobody learns from the answer what exists.
    if not viewer.may_download_dumps:
        error = "Binary response requires permissions: View Raw Dumps"
        raise _Refused(403, {"error": error})
    wanted = MAIN_DUMP if name in ("", "dump") else name
    listed = handles.raw_storage().load_dump_names(crash_id)
    names = {MAIN_DUMP if each in ("", "dump") else each: each for each in listed}
    if wanted not in names:
        raise CrashNotFound(f"{crash_id}: no dump of that name")
    with tempfile.TemporaryDirectory(prefix="socorro-dump-") as folder:
        file = handles.raw_storage().fetch_dump(crash_id, names[wanted], Path(folder)).open("rb")
    # An open file can be read to its end also when its folder is gone.
    return FileResponse(
        file,
        as_attachment=True,
        filename=_file_name(crash_id, name),
        content_type="application/octet-stream",
    )


def _reprocessing(request: HttpRequest) -> HttpResponseBase:
    # Before anything else, so that a stranger learns nothing from the answer.
    if not viewer_of(request).may_reprocess:
        error = "Use of this endpoint requires the 'Reprocess Crashes' permission"
        raise _Refused(403, {"error": error})
    _only(request, "POST")
    return _queue_again(request)


# Who is known by a session could be led here by another site.
@csrf_protect
def _queue_again(request: HttpRequest) -> HttpResponseBase:
    wanted = request.POST.getlist("crash_ids")
    if not wanted:
        raise _Refused(400, {"errors": {"crash_ids": ["This field is required."]}})
    # All are looked at before the first is queued.
    tasks = [_task(text) for text in dict.fromkeys(wanted)]
    handles.queue().publish(QueueName.REPROCESSING, tasks)
    return HttpResponse(b"null", content_type="application/json; charset=UTF-8")


def _version_string(request: HttpRequest) -> HttpResponseBase:
    _only(request, "GET")
    product, channel, build_id = _required(request, "product", "channel", "build_id")
    versions = versions_of_build(product, channel, build_id)
    hits = [{"version_string": version} for version in versions]
    return _json(request, {"hits": hits, "total": len(hits)})


def _required(request: HttpRequest, *names: str) -> list[str]:
    """Return parameters that must be there. Raises _Refused with all that is wrong."""
    values = [request.GET.get(name, "").strip() for name in names]
    errors = {
        name: ["Null characters are not allowed." if value else "This field is required."]
        for name, value in zip(names, values, strict=True)
        if not value or "\0" in value
    }
    if errors:
        raise _Refused(400, {"errors": errors})
    return values


def _task(text: str) -> Task:
    """Return the task in ``<crash id>`` or ``<crash id>:<ruleset>``. Raises _Refused."""
    crash_id, separator, ruleset = text.strip().partition(":")
    if not is_crash_id(crash_id):
        raise _bad_value(f"Crash id '{crash_id[:80]}' is not valid.")
    if separator and ruleset not in RULESETS:
        raise _bad_value(f"Ruleset '{ruleset[:80]}' is not valid.")
    return Task(crash_id, ruleset or DEFAULT_RULESET)


def _file_name(crash_id: str, name: str) -> str:
    if name == "memory_report":
        return "memory_report.json.gz"
    return f"{crash_id}-{kind_of_dump(name)}.dmp" if name else f"{crash_id}.dmp"


def _crash_id(request: HttpRequest) -> str:
    """Return the bare crash id that is asked for. Raises _Refused."""
    (crash_id,) = _required(request, "crash_id")
    if not is_crash_id(crash_id):
        raise _bad_value("uuid")
    return crash_id


def _bad_value(parameter: str) -> _Refused:
    error = f"Bad request: BadArgumentError: Bad value for parameter(s) '{parameter}'"
    return _Refused(400, {"error": error})


def _json(request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
    pretty = request.GET.get("pretty") == "print"
    try:
        body = orjson.dumps(document, option=orjson.OPT_INDENT_2 if pretty else None)
    except TypeError:
        # Lone surrogates and integers of any size, which annotations may hold.
        body = json.dumps(document, indent=2 if pretty else None).encode("ascii")
    # So that no browser takes a value for the end of a script.
    body = body.replace(b"</", b"<\\/")
    return HttpResponse(body, content_type="application/json; charset=UTF-8")


_SERVICES: dict[str, View] = {
    "ProcessedCrash": _processed_crash,
    "RawCrash": _raw_crash,
    "Reprocessing": _reprocessing,
    "VersionString": _version_string,
}
