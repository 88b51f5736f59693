# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The search page, and the search box at the top of every page."""

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from socorro.crash_id import InvalidCrashId, pasted_crash_id
from socorro.search import QueryError, SearchUnavailable
from socorro.search.parse import parse_query
from webapp.crashstats import handles
from webapp.crashstats.access import viewer_of
from webapp.crashstats.links import search_url
from webapp.crashstats.searching import OPERATORS, Search, address_for, read_search, shortcuts

logger = logging.getLogger(__name__)

_LONGEST_QUICK_SEARCH = 1000


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Show what a search finds, with the ways to narrow it."""
    parameters = dict(request.GET.lists())
    address = address_for(parameters)
    if address is not None:
        return redirect(address)
    asked = read_search(parameters)
    context: dict[str, Any] = {
        "search": asked,
        "form": asked.form(),
        "operators": OPERATORS,
        "shortcuts": shortcuts(asked),
    }
    status = 200
    try:
        context |= _answer(asked, may_see_protected=viewer_of(request).may_see_protected)
    except QueryError as error:
        context["error"] = str(error)
        status = 400
    except SearchUnavailable as error:
        logger.warning("a search has no answer: %s", error)
        context["error"] = "The search index does not answer. Please try again in a minute."
        status = 503
    return render(request, "crashstats/search.html", context, status=status)


def _answer(asked: Search, *, may_see_protected: bool) -> dict[str, Any]:
    parsed = parse_query(asked.parameters(), may_see_protected=may_see_protected)
    result = handles.index().search(parsed.query)
    return {"answer": asked.answer(result), "warnings": parsed.warnings}


@require_safe
def quick_search(request: HttpRequest) -> HttpResponse:
    """Go to the crash whose id was typed, else search signatures for the text."""
    text = request.GET.get("query", "").replace("\0", "").strip()[:_LONGEST_QUICK_SEARCH]
    try:
        return redirect("crashstats:report", crash_id=pasted_crash_id(text))
    except InvalidCrashId:
        return redirect(search_url([("signature", f"~{text}")] if text else []))
