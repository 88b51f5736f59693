# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The home page: how much crashes, what, and what came in last."""

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from socorro.search import SearchUnavailable
from webapp.crashstats.overview import overview

logger = logging.getLogger(__name__)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show each product and the latest crashes; on a new installation, how to send one."""
    context = {"collector": settings.SOCORRO.collector_address}
    try:
        return render(request, "crashstats/home.html", context | {"overview": overview()})
    except SearchUnavailable as error:
        logger.warning("the home page has no figures: %s", error)
        return render(request, "crashstats/home.html", context | {"search_is_down": True})
