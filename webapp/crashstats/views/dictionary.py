# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The data dictionary: a list of all fields, and a page for each."""

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from socorro.fields import SearchField
from socorro.search import SearchUnavailable
from webapp.crashstats import dictionary
from webapp.crashstats.access import Viewer, viewer_of
from webapp.crashstats.dictionary_values import DAYS, Usage, usage
from webapp.crashstats.views.errors import show_problem

logger = logging.getLogger(__name__)

_LONGEST_QUERY = 200
_MOST_SEARCHES = 1


@require_safe
def dictionary_index(request: HttpRequest) -> HttpResponse:
    """List annotations and fields, those that the form's words and choices leave."""
    asked = {
        "query": request.GET.get("q", "").replace("\0", "").strip()[:_LONGEST_QUERY],
        "dataset": request.GET.get("dataset", ""),
        "permission": request.GET.get("permission", ""),
    }
    context: dict[str, Any] = {
        "asked": asked,
        "rows": dictionary.rows(**asked),
        "datasets": dictionary.DATASETS,
        "permissions": dictionary.PERMISSIONS,
    }
    return render(request, "crashstats/dictionary.html", context)


@require_safe
def dictionary_entry(request: HttpRequest, dataset: str, path: str) -> HttpResponse:
    """Show what is known of one field, and its values of the last days."""
    if dataset not in dictionary.DATASETS:
        text = "The data dictionary has the data sets annotation and processed."
        return show_problem(request, 404, "Data set not found", text)
    try:
        entry = dictionary.entry(dataset, path)
    except dictionary.UnknownField:
        text = "The data dictionary has no field of this name. Names are told apart by case."
        return show_problem(request, 404, "Field not found", text)
    viewer = viewer_of(request)
    context: dict[str, Any] = {
        "entry": entry,
        "dataset": dictionary.DATASETS[dataset],
        "days": DAYS,
    }
    try:
        context["usages"] = _usages(entry.searches, viewer)
    except SearchUnavailable as error:
        logger.warning("the data dictionary has no values to show: %s", error)
        context["search_is_down"] = True
    response = render(request, "crashstats/dictionary_entry.html", context)
    if viewer.is_logged_in:
        patch_cache_control(response, private=True, no_store=True)
    return response


def _usages(searches: tuple[SearchField, ...], viewer: Viewer) -> list[Usage]:
    """Return the values of a field with one search field; parts of an object have their pages."""
    if len(searches) > _MOST_SEARCHES:
        return []
    may_see_protected = viewer.may_see_protected
    return [
        usage(search, may_see_protected=may_see_protected)
        for search in searches
        if may_see_protected or not search.protected
    ]
